import { describe, expect, test } from "vitest";
import { call, ended, studyFolder } from "../../../test/support/cli-call.ts";
import type { Modules } from "../modules.ts";

describe("user-study", () => {
  const measured = (value: number, low: number, high: number) => ({ value, n: 40, low, high });
  const score = {
    pack: "0123456789ab",
    study: "quick",
    attack: "gmi",
    conditions: ["no defense", "tl-dmi"] as const,
    preference: measured(0.75, 0.6, 0.85),
    left: measured(0.5, 0.4, 0.6),
    participants: [{ participant: "a", answered: 40, first: 30, seconds: 2 }],
    questions: 40,
  };
  const people = (preference = score.preference, seen: unknown[] = []): Modules => ({
    ...ended,
    userStudy: async () => ({
      makeUserStudy: async (dir, options) => {
        seen.push([dir, options]);
        return { page: "p/index.html", key: "p/key.json", questions: 40, conditions: ["no defense", "tl-dmi"] };
      },
      scoreUserStudy: async (pack, files) => {
        seen.push([pack, files]);
        return { ...score, preference };
      },
    }),
  });

  test("make passes its options on, and says what is for whom", async () => {
    const dir = studyFolder({});
    const seen: unknown[] = [];
    const { code, out } = await call(
      `user-study make ${dir} --out p --attack gmi --compare none mid --questions 9 --seed 4`,
      people(undefined, seen),
    );
    expect(code).toBe(0);
    expect(seen).toEqual([[dir, { out: "p", attack: "gmi", conditions: ["none", "mid"], questions: 9, seed: 4 }]]);
    expect(out).toBe(
      "p/index.html\n  for participants: 40 questions; it shows private images\n" +
        "p/key.json\n  for you alone: which image is of no defense, which of tl-dmi\n",
    );
  });

  test.each([
    [measured(0.75, 0.6, 0.85), "75.0 % [60.0, 85.0]: reconstructions under no defense look more like the person"],
    [measured(0.25, 0.15, 0.4), "25.0 % [15.0, 40.0]: reconstructions under tl-dmi look more like the person"],
    [measured(0.55, 0.4, 0.7), "55.0 % [40.0, 70.0]: no difference is shown"],
  ])("score says what the choices show", async (preference, words) => {
    const seen: unknown[] = [];
    const { out } = await call("user-study score p a.json b.json", people(preference, seen));
    expect(seen).toEqual([["p", ["a.json", "b.json"]]]);
    expect(out.replaceAll("\u00a0", " ")).toBe(
      "gmi: no defense against tl-dmi, 40 choices of 1 participant\n" +
        `no defense was chosen in ${words}\nthe image on the left was chosen in 50.0 % [40.0, 60.0]\n`,
    );
    expect(JSON.parse((await call("user-study score p a.json --json", people(preference))).out)).toMatchObject({
      pack: "0123456789ab",
      preference,
    });
  });
});
