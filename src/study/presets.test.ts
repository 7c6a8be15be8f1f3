import { describe, expect, test } from "vitest";
import { type Attack, priorKind } from "../attacks/attack.ts";
import { attacks } from "../attacks/index.ts";
import { tooSmall } from "../attacks/least.ts";
import { priors } from "../priors/index.ts";
import type { PriorFamily } from "../priors/prior.ts";
import { StudySchema } from "./study-schema.ts";
import { parseYamlConfig } from "./yaml-config.ts";

const study = (rest: string) =>
  parseYamlConfig(
    StudySchema,
    `name: presets\ndata: faces\nmodel: resnet10\nevaluation: { model: vgg16_bn }\ndefenses: [none]\n${rest}`,
    "study.yaml",
  );

describe.each(attacks as readonly Attack[])("$kind", ({ kind, config, quick, least }) => {
  test("has a preset of keys that it takes, and that is the same as these keys by hand", () => {
    const one = "reconstructions: { perIdentity: 1 }\nattacks:";
    const [entry] = study(`${one} [{ kind: ${kind}, preset: quick }]`).attacks;
    expect(entry).toEqual({ kind, ...config.parse(quick) });
    expect(entry).not.toEqual({ kind, ...config.parse({}) });
    const byHand = study(`${one} [${JSON.stringify({ kind, ...quick })}]`).attacks[0];
    expect(byHand).toEqual(entry);
  });

  test.each([1, 5, 50, 3000])("its preset has room for %i reconstructions of each identity", (perIdentity) => {
    const [entry] = study(
      `reconstructions: { perIdentity: ${perIdentity}, pool: 9999 }\nattacks: [{ kind: ${kind}, preset: quick }]`,
    ).attacks;
    const { kind: _, ...resolved } = entry!;
    expect(tooSmall(resolved, least?.(resolved, perIdentity) ?? {})).toEqual([]);
  });

  const STARTED: readonly string[] = ["kedmi", "plg", "tacgan"];
  test("brings the preset of its prior, and of what that starts from", () => {
    const attack = (attacks as readonly Attack[]).find((one) => one.kind === kind)!;
    const prior = priorKind(attack, attack.config.parse(attack.quick));
    const brought = study(`attacks: [{ kind: ${kind}, preset: quick }]`).priors;
    const quickPrior = (name: string) => {
      const family = (priors as readonly PriorFamily[]).find((member) => member.kind === name)!;
      return { kind: name, ...family.config.parse(family.quick) };
    };
    const wanted = prior === null ? [] : STARTED.includes(prior) ? [prior, "dcgan"] : [prior];
    expect(brought).toEqual(wanted.map(quickPrior));
  });
});

test("a key that is written wins over the preset, within groups too", () => {
  const [gmi, lokt] = study(
    "attacks: [{ kind: gmi, preset: quick, iterations: 7 }, { kind: lokt, preset: quick, ensemble: { perClass: 9 } }]",
  ).attacks as readonly Record<string, unknown>[];
  expect(gmi).toMatchObject({ iterations: 7, identityLoss: "max-margin" });
  const { ensemble } = (attacks as readonly Attack[])
    .find(({ kind }) => kind === "lokt")!
    .config.parse({
      ...(attacks as readonly Attack[]).find(({ kind }) => kind === "lokt")!.quick,
    });
  expect(lokt!.ensemble).toEqual({ ...(ensemble as object), perClass: 9 });
});

test("a preset makes room for what is asked for, by default too, and leaves alone what is large enough or written", () => {
  const first = (rest: string) => study(rest).attacks[0] as Readonly<Record<string, unknown>>;
  expect(first("attacks: [{ kind: plg-mi, preset: quick }]")).toMatchObject({ candidates: 5, pool: 100 });
  expect(first("reconstructions: { perIdentity: 2 }\nattacks: [{ kind: plg-mi, preset: quick }]")).toMatchObject({
    candidates: 4,
  });
  expect(first("attacks: [{ kind: plg-mi, preset: quick, candidates: 3 }]")).toMatchObject({ candidates: 3 });
  expect(first("attacks: [{ kind: plg-mi, preset: quick, candidates: 300 }]")).toMatchObject({ pool: 300 });
  const { base } = first("attacks: [{ kind: ppdg-mi, preset: quick, pseudoPrivate: 7, base: { iterations: 9 } }]");
  expect(base).toMatchObject({ kind: "gmi", candidates: 7, pool: 100, iterations: 9 });
});

test("the prior that is brought is the one that the settings choose", () => {
  const brought = (entry: string) => study(`attacks: [${entry}]`).priors.map(({ kind }) => kind);
  expect(brought("{ kind: ppdg-mi, preset: quick }")).toEqual(["dcgan"]);
  expect(brought("{ kind: ppdg-mi, preset: quick, base: { kind: ppa } }")).toEqual(["stylegan"]);
  expect(brought("{ kind: gmi, preset: quick }, { kind: ppdg-mi, base: { kind: gmi } }")).toEqual([]);
});

test("the study's own settings of a prior stay, and so does a prior in which another attack searches without the preset", () => {
  const own = study("priors: [{ kind: dcgan, width: 8 }]\nattacks: [{ kind: gmi, preset: quick }]").priors;
  expect(own).toMatchObject([{ kind: "dcgan", width: 8, steps: priors[0].config.parse({}).steps }]);
  expect(study("attacks: [{ kind: gmi, preset: quick }, brep-mi]").priors).toEqual([]);
  expect(study("attacks: [{ kind: gmi, preset: quick }, { kind: brep-mi, preset: quick }]").priors).toHaveLength(1);
});

test("a preset that there is none of is one error", () => {
  expect(() => study("attacks:\n  - { kind: gmi, preset: quik }")).toThrow(
    /^study\.yaml:7:26 {2}attacks\[0\]\.preset {2}expected "quick", got the text "quik"; did you mean "quick"\?$/,
  );
});

test("the preset and the same keys are the same entry twice", () => {
  expect(() =>
    study(`attacks: [{ kind: gmi, preset: quick }, ${JSON.stringify({ kind: "gmi", ...attacks[1].quick })}]`),
  ).toThrow(/is the same as entry 1/);
});
