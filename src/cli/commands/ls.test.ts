import { describe, expect, test } from "vitest";
import { z } from "zod";
import { call, ended } from "../../../test/support/cli-call.ts";
import type { Modules } from "../modules.ts";

describe("ls", () => {
  const gmi = {
    kind: "gmi",
    summary: "gradient descent in the latent space of a GAN",
    access: "white-box",
    config: z.object({ steps: z.int().default(1500).describe("of descent") }),
    run: () => {},
  };
  const listed: Modules = { ...ended, list: async (name) => (name === "attacks" ? [gmi] : []) };

  test("prints kinds and summaries for people", async () => {
    expect((await call("ls attacks", listed)).out).toBe(
      "kind  summary\ngmi   gradient descent in the latent space of a GAN\n",
    );
  });

  test("names the preset of those that have one", async () => {
    const preset: Modules = { ...ended, list: async () => [{ ...gmi, quick: { steps: 40 } }] };
    expect((await call("ls attacks", preset)).out).toMatch(/^kind +preset +summary\ngmi +quick +gradient descent/);
    expect(JSON.parse((await call("ls attacks --json", preset)).out)).toMatchObject([
      { presets: { quick: { steps: 40 } } },
    ]);
  });

  test("prints an array of plain facts, with the keys of the config as a JSON Schema", async () => {
    const { run: _, config: __, ...facts } = gmi;
    const steps = { default: 1500, description: "of descent", type: "integer" };
    expect(JSON.parse((await call("ls attacks --json", listed)).out)).toMatchObject([
      { ...facts, config: { properties: { steps } } },
    ]);
    expect(JSON.parse((await call("ls priors --json", listed)).out)).toEqual([]);
  });
});
