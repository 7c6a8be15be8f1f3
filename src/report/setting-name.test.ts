import { expect, test } from "vitest";
import { tinyModel } from "../../test/support/tiny-world.ts";
import { composeDefenses } from "../defenses/compose.ts";
import type { Defense } from "../defenses/defense.ts";
import { defenses } from "../defenses/index.ts";
import { settingName } from "./setting-name.ts";

const model = tinyModel();

function named(...chosen: readonly (readonly [kind: string, keys?: object])[]): string {
  const parts = chosen.map(([kind, keys = {}]) => {
    const member = (defenses as readonly Defense[]).find((one) => one.kind === kind)!;
    return { member, config: member.config.parse(keys) };
  });
  return settingName(composeDefenses(model, parts));
}

test("a setting bears the keys that are not its defense's own", () => {
  expect(named(["none"])).toBe("none");
  expect(named(["bido-coco"])).toBe("bido-coco");
  expect(named(["mid", { beta: 0.05 }])).toBe("mid (beta 0.05)");
  expect(named(["tl-dmi", { freeze: "layer2" }], ["bido-hsic", { lambdaY: 3 }])).toBe("tl-dmi + bido-hsic (lambdaY 3)");
});

test("so do keys that say by themselves how the target is trained", () => {
  expect(named(["none", { start: "scratch" }])).toBe("none (start scratch)");
  expect(named(["tl-dmi", { freeze: "layer2", probeEpochs: 2, frozenNorms: "train" }])).toBe(
    "tl-dmi (probeEpochs 2, frozenNorms train)",
  );
});
