import { z } from "zod";
import { HttpJudgeSettings } from "../metrics/http-judge.ts";
import { Normalize } from "../models/normalize.ts";
import { type UnionMember, unionOf } from "../models/union.ts";
import { canonicalJson, type JsonValue } from "./canonical.ts";
import { withoutName } from "./entry-labels.ts";
import { checkNames, EntryName } from "./entry-names.ts";
import { GateSettings } from "./gate.ts";
import { type PresetAttack, type PresetPrior, presettable, withPresetPriors, withPresetRoom } from "./presets.ts";

/** The lists that a study's keys choose from, and the training keys that several groups share. */
export interface StudyLists<
  Data extends UnionMember = UnionMember,
  Model extends UnionMember = UnionMember,
  Prior extends PresetPrior = PresetPrior,
  Defense extends UnionMember = UnionMember,
  Attack extends PresetAttack = PresetAttack,
  Metric extends string = string,
  Training extends z.ZodType = z.ZodType,
  Pretraining extends z.ZodType = z.ZodType,
> {
  readonly data: readonly Data[];
  readonly models: readonly Model[];
  readonly priors: readonly Prior[];
  readonly defenses: readonly Defense[];
  readonly attacks: readonly Attack[];
  /** Metrics have no keys of their own: a study names them. */
  readonly metrics: readonly { readonly kind: Metric }[];
  /** A strict object in which every key has a default, and that may be left out itself: `TrainingSettings.prefault({})`. */
  readonly training: Training;
  /** The same for start weights, which may come from a file instead. */
  readonly pretraining: Pretraining;
}

/** Reconstructions of each identity where a study does not say. */
const PER_IDENTITY = 5;

/** The one home of a study file's keys. Everything that has a default gets it here or in the chosen member's `config`. */
export function studySchema<
  Data extends UnionMember,
  Model extends UnionMember,
  Prior extends PresetPrior,
  Defense extends UnionMember,
  Attack extends PresetAttack,
  Metric extends string,
  Training extends z.ZodType,
  Pretraining extends z.ZodType,
>(lists: StudyLists<Data, Model, Prior, Defense, Attack, Metric, Training, Pretraining>) {
  const { training } = lists;
  const model = unionOf(lists.models.map(scalable));
  const parts = z
    .array(unionOf(lists.defenses).meta({ id: DEFENSE_PART }))
    .nonempty()
    .optional()
    .describe("further defenses of the same target; those that change the same thing cannot be combined");
  const study = z.strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][\w.-]*$/, "expected a name of letters, digits, dots, hyphens and underscores")
      .describe("names the study's folder"),
    seeds: z
      .array(z.int().min(0))
      .nonempty()
      .check(distinct)
      .default([1])
      .describe("every cell is computed once for each seed"),
    data: unionOf(lists.data).describe("private, public and pre-training images"),
    model: model.describe("architecture of the target"),
    dataSeed: z
      .int()
      .min(0)
      .default(1)
      .describe("seed of the data and of what all cells share: start weights, public prior, evaluation model"),
    pretraining: lists.pretraining.describe("how the target's start weights are trained on public images"),
    training: training.describe("how targets are trained on the private images, whatever their defense"),
    target: z
      .strictObject({
        weights: z
          .string()
          .min(1)
          .describe(
            "file with all weights of a trained target: safetensors or PyTorch, its classes in the private order",
          ),
      })
      .optional()
      .describe(
        "a target that is trained already: with the defense none it is attacked as it is, other defenses start from it",
      ),
    linearProbe: z.boolean().default(false).describe("also report a linear probe on the pre-trained features"),
    evaluation: z
      .strictObject({
        model,
        training,
        weights: z
          .string()
          .min(1)
          .optional()
          .describe(
            "file with a trained evaluation model, in place of training: safetensors or PyTorch, its classes in the private order",
          ),
      })
      .describe("the independent classifier that judges reconstructions"),
    secondOpinions: z
      .array(z.strictObject({ model: unionOf(lists.models), training }))
      .check(distinct)
      .default([])
      .describe("further classifiers that judge reconstructions: what only one judge sees may be a false positive"),
    httpJudge: HttpJudgeSettings.optional().describe("a judge outside this program, asked over HTTP; none by default"),
    student: z
      .strictObject({ model: unionOf(lists.models), training })
      .optional()
      .describe(
        "a classifier that learns from the reconstructions alone, one an attack, for knowledge-extraction (in its paper a ResNet-50: sgd at 0.1, batch 32, cosine, 75 epochs)",
      ),
    attributes: z
      .strictObject({ model, training })
      .optional()
      .describe("the regressor that reads known attributes from images; for data that has them"),
    priors: z
      .array(presettable(lists.priors))
      .default([])
      .describe(
        "settings of the priors that attacks search in; those left out have their defaults, or the preset of the attacks that search in them",
      ),
    reconstructions: z
      .strictObject({
        perIdentity: z.int().min(1).default(PER_IDENTITY).describe("reconstructions of each attacked identity"),
        identities: z.int().min(1).optional().describe("attack the first so many identities; all where it is left out"),
        pool: z.int().min(1).default(1000).describe("random latents of the floor of initial selection"),
      })
      .prefault({}),
    defenses: z
      .array(unionOf(lists.defenses.map((defense) => nameable(combinable(defense, parts)))))
      .nonempty()
      .check(distinct, checkNames(lists.defenses.map(({ kind }) => kind)))
      .describe("one target is trained for each"),
    attacks: z
      .array(presettable(lists.attacks.map(nameable)))
      .nonempty()
      .check(distinct, checkNames(lists.attacks.map(({ kind }) => kind)))
      .describe("each is run against every target"),
    metrics: z
      .array(z.enum(lists.metrics.map(({ kind }) => kind)))
      .nonempty()
      .check(distinct)
      .default(lists.metrics.map(({ kind }) => kind) as [Metric, ...Metric[]])
      .describe("what is measured of each attack; everything where it is left out"),
    gate: GateSettings.optional().describe(
      "bounds on the result, judged when the run ends: exit code 3 where one breaks (names of metrics: docs/ci.md)",
    ),
  });
  const unfolded = (value: unknown) =>
    withPresetRoom(lists.attacks, PER_IDENTITY, withPresetPriors(lists.attacks, lists.priors, value));
  return z.preprocess(unfolded, study);
}

/** A member whose entries may name further ones under `with`. The member's own type is kept: readers that ask for `with` say so. */
function combinable<Member extends UnionMember>(member: Member, parts: z.ZodType): Member {
  return { ...member, config: member.config.safeExtend({ with: parts }) };
}

/** A member whose entries may have a name of their own. Like `with`, it is no part of the member's type. */
function nameable<Member extends UnionMember>(member: Member): Member {
  return { ...member, config: member.config.safeExtend({ name: EntryName }) };
}

/** A model whose images may be scaled before it sees them, as imported weights want it. */
function scalable<Member extends UnionMember>(member: Member): Member {
  const normalize = Normalize.optional().describe(
    "scale of the images that imported weights expect: imagenet (torchvision's mean and deviation) or half ([−1, 1]); [0, 1] by default",
  );
  return { ...member, config: member.config.safeExtend({ normalize }) };
}

/** Name of the JSON Schema's definition of a defense without `with`. */
const DEFENSE_PART = "defense";

/** The JSON Schema of study files, for editors: what may be typed, before defaults are filled in. */
export function studyJsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    override({ jsonSchema }) {
      const kinds = bareKinds(jsonSchema.oneOf);
      if (kinds.length === 0) return;
      jsonSchema.anyOf = [{ enum: kinds }, { oneOf: jsonSchema.oneOf ?? [] }];
      delete jsonSchema.oneOf;
    },
  });
  return { $schema, title: "tl-dmi study", ...rest };
}

/** The kinds of a union that may be written as bare words: those whose members have no further required key. */
function bareKinds(members: readonly z.core.JSONSchema._JSONSchema[] | undefined): string[] {
  return (members ?? []).flatMap((member) => {
    if (typeof member === "boolean" || member.required?.length !== 1) return [];
    const kind = member.properties?.kind;
    return typeof kind === "object" && typeof kind.const === "string" ? [kind.const] : [];
  });
}

/** The same entry twice would be the same cell twice, whatever it is called. */
function distinct(list: z.core.ParsePayload<readonly unknown[]>): void {
  const seen = new Map<string, number>();
  list.value.forEach((entry, at) => {
    const text = canonicalJson((isObject(entry) ? withoutName(entry) : entry) as JsonValue);
    const first = seen.get(text);
    if (first === undefined) seen.set(text, at);
    else list.issues.push({ code: "custom", input: entry, path: [at], message: `is the same as entry ${first + 1}` });
  });
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
