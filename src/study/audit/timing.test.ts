import { expect, test } from "vitest";
import { ppdgMi } from "../../attacks/ppdg-mi.ts";
import { chainOf } from "./timing.ts";

test("an attack is timed with the priors that its settings rest on", () => {
  const ppdg = (settings: object) => chainOf({ priors: [] }, { kind: "ppdg-mi", ...ppdgMi.config.parse(settings) });
  expect(ppdg({})).toEqual(["stylegan"]);
  expect(ppdg(ppdgMi.quick)).toEqual(["dcgan"]);
  expect(chainOf({ priors: [] }, { kind: "kedmi" })).toEqual(["dcgan", "kedmi"]);
  expect(chainOf({ priors: [] }, { kind: "mi-face" })).toEqual([]);
});
