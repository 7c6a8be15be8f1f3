import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { canonicalJson, type JsonValue } from "./canonical.ts";
import { studyJsonSchema, studySchema } from "./schema.ts";
import { parseYamlConfig } from "./yaml-config.ts";

const lists = {
  data: [{ kind: "faces", config: z.object({ identities: z.int().min(2).default(50) }) }],
  models: [
    { kind: "resnet10", config: z.object({}) },
    { kind: "vgg16_bn", config: z.object({ width: z.int().default(64) }) },
  ],
  priors: [{ kind: "dcgan", config: z.object({}), quick: {} }],
  defenses: [
    { kind: "none", config: z.object({}) },
    { kind: "tl-dmi", config: z.object({ freeze: z.string() }) },
  ],
  attacks: [
    { kind: "gmi", prior: "dcgan", config: z.object({ steps: z.int().default(1500) }), quick: { steps: 40 } },
    { kind: "kedmi", prior: null, config: z.object({}), quick: {} },
  ],
  metrics: [{ kind: "natural-accuracy" }, { kind: "attack-accuracy" }],
  training: z.strictObject({ epochs: z.int().min(1).default(20) }).prefault({}),
  pretraining: z.strictObject({ epochs: z.int().min(1).default(20) }).prefault({}),
} as const;
const Study = studySchema(lists);

const text = `
name: quick
data: faces
model: resnet10
evaluation: { model: vgg16_bn }
priors: [dcgan]
defenses: [none, { kind: tl-dmi, freeze: layer2 }]
attacks: [gmi, { kind: gmi, steps: 300 }]
metrics: [natural-accuracy, attack-accuracy]
`;

test("a short study is filled up with every default", () => {
  expect(parseYamlConfig(Study, text, "quick.yaml")).toEqual({
    name: "quick",
    seeds: [1],
    data: { kind: "faces", identities: 50 },
    model: { kind: "resnet10" },
    dataSeed: 1,
    pretraining: { epochs: 20 },
    training: { epochs: 20 },
    linearProbe: false,
    evaluation: { model: { kind: "vgg16_bn", width: 64 }, training: { epochs: 20 } },
    priors: [{ kind: "dcgan" }],
    secondOpinions: [],
    reconstructions: { perIdentity: 5, pool: 1000 },
    defenses: [{ kind: "none" }, { kind: "tl-dmi", freeze: "layer2" }],
    attacks: [
      { kind: "gmi", steps: 1500 },
      { kind: "gmi", steps: 300 },
    ],
    metrics: ["natural-accuracy", "attack-accuracy"],
  });
});

test("a resolved study is its own resolution, and can be part of a step's id", () => {
  const study = parseYamlConfig(Study, text, "quick.yaml");
  expect(Study.parse(study)).toEqual(study);
  expect(JSON.parse(canonicalJson(study as JsonValue))).toEqual(study);
});

test("the same cell twice is a mistake", () => {
  const twice = text.replace("[gmi, { kind: gmi, steps: 300 }]", "[gmi, { kind: gmi, steps: 1500 }]");
  expect(() => parseYamlConfig(Study, `${twice}seeds: [3, 3]\n`, "quick.yaml")).toThrow(
    "quick.yaml:8:16  attacks[1]  is the same as entry 1\nquick.yaml:10:12  seeds[1]  is the same as entry 1",
  );
});

test("a mistake inside a chosen member, a group and the metrics each say what is right", () => {
  const wrong = text
    .replace("freeze: layer2", "freez: layer2")
    .replace("{ model: vgg16_bn }", "{ model: vgg16_bn, training: { epoch: 3 } }")
    .replace("attack-accuracy]", "atack-accuracy]");
  expect(() => parseYamlConfig(Study, wrong, "quick.yaml")).toThrow(
    [
      'quick.yaml:5:44  evaluation.training.epoch  unknown key "epoch"; did you mean "epochs"?',
      "quick.yaml:7:18  defenses[1].freeze  missing; expected a text",
      'quick.yaml:7:34  defenses[1].freez  unknown key "freez"; did you mean "freeze"?',
      'quick.yaml:9:29  metrics[1]  expected one of "natural-accuracy", "attack-accuracy", got the text "atack-accuracy"; did you mean "attack-accuracy"?',
    ].join("\n"),
  );
});

test("names that cannot name a folder are refused", () => {
  expect(() => parseYamlConfig(Study, text.replace("quick", "a/b"), "quick.yaml")).toThrow(
    'quick.yaml:2:7  name  expected a name of letters, digits, dots, hyphens and underscores, got the text "a/b"',
  );
});

test("the types of chosen members reach the result", () => {
  const study = parseYamlConfig(Study, text, "quick.yaml");
  expectTypeOf(study.defenses[0]!.kind).toEqualTypeOf<"none" | "tl-dmi">();
  expectTypeOf(study.metrics[0]!).toEqualTypeOf<"natural-accuracy" | "attack-accuracy">();
  expectTypeOf(study.pretraining.epochs).toEqualTypeOf<number>();
});

test("the JSON Schema for editors takes bare words where no further key is needed, and asks for no key with a default", () => {
  const schema = studyJsonSchema(Study);
  expect(schema).toMatchObject({
    title: "tl-dmi study",
    additionalProperties: false,
    required: ["name", "data", "model", "evaluation", "defenses", "attacks"],
    properties: {
      defenses: { items: { anyOf: [{ enum: ["none"] }, { oneOf: [{}, { required: ["freeze", "kind"] }] }] } },
      seeds: { default: [1], items: { type: "integer" } },
    },
  });
});
