import { join } from "node:path";
import { z } from "zod";
import { type DataContext, defineData } from "./data.ts";
import type { AttributeData, ImageSet, StudyData } from "./dataset.ts";
import { attributeSpecs, attributeValues } from "./faces/attributes.ts";
import type { Recipe, Subject } from "./faces/draw.ts";
import { identityAt, type Population, type Range } from "./faces/identity.ts";
import { drawnSet } from "./faces/store.ts";

const count = (least: number) => z.number().int().min(least);

const variationSchema = z.number().min(0).max(1.5);

const config = z.strictObject({
  identities: count(2).default(50).describe("private people"),
  family: count(1)
    .default(5)
    .describe("members of a family of look-alikes among the private people, who share skin, hair, head and beard"),
  identityDistance: z
    .number()
    .positive()
    .max(1)
    .default(0.6)
    .describe("how far members of a family differ, in parts and in geometry"),
  variation: variationSchema.default(1).describe("strength of expression, pose, light and noise"),
  size: z.literal([32, 64]).default(64).describe("height and width of the images in pixels"),
  train: count(1).default(40).describe("training images of each private person"),
  validation: count(1).default(8).describe("validation images of each private person"),
  test: count(1).default(16).describe("test images of each private person"),
  public: z
    .strictObject({
      identities: count(1).default(2500).describe("people in the attacker's images"),
      images: count(1).default(4).describe("images of each"),
      variation: variationSchema
        .optional()
        .describe("variation of the attacker's images where it differs: small for posed portraits"),
    })
    .prefault({}),
  pretraining: z
    .strictObject({
      kind: z
        .enum(["faces", "style", "no-faces"])
        .default("no-faces")
        .describe("same style and other people; people in another drawing style; things that are no faces"),
      classes: count(2).default(200).describe("people or things"),
      images: count(2).default(40).describe("images of each; a fifth of them tests the start weights"),
    })
    .prefault({}),
  evaluation: count(1).default(120).describe("images of each private person that only the evaluation model sees"),
  attributes: z
    .strictObject({
      identities: count(5)
        .default(2500)
        .describe("people from whom attributes are learnt; a fifth of them are test people"),
      images: count(1).default(4).describe("images of each"),
    })
    .prefault({}),
});

/**
 * Drawn people: identity is the shape of every facial part and their geometry, variation is expression, pose, light, things
 * worn, background and noise. Private, public, pre-training and attribute people come from four disjoint ranges.
 */
export const faces = defineData({
  kind: "faces",
  summary: "drawn people with known identities, in families of look-alikes",
  config,
  load: async (settings, context) => facesData(settings, context),
});

function facesData(settings: z.output<typeof config>, context: DataContext): StudyData {
  const { identities, family, identityDistance, variation, size } = settings;
  const store = { folder: join(context.cacheDir, "faces"), progress: context.progress };
  const lookAlikes: Population = { seed: context.seed, family, identityDistance };
  // Look-alikes are a difficulty of the private task; elsewhere everybody is a family of their own, which is more variety.
  const strangers: Population = { seed: context.seed, family: 1, identityDistance: 1 };

  const draw = (
    name: string,
    population: Population,
    where: { range: Range; part: string; subject?: Subject; variation?: number },
    classes: readonly string[],
    images: number,
    labels?: readonly [number, number],
  ): ImageSet => {
    const recipe: Recipe = { ...population, subject: "faces", ...where, variation: where.variation ?? variation, size };
    return drawnSet({ name: `faces ${name}`, recipe, classes, images, ...(labels && { labels }) }, store);
  };

  const people = classNames("person", identities);
  const ofPrivate = (part: string, images: number) =>
    draw(`private ${part}`, lookAlikes, { range: "private", part }, people, images);
  const { pretraining } = settings;
  const start = classNames(pretraining.kind === "no-faces" ? "thing" : "start person", pretraining.classes);
  const held = Math.max(1, Math.round(pretraining.images / 5));
  const ofStart = (part: string, images: number) =>
    draw(`pre-training ${part}`, strangers, { range: "pretraining", part, subject: pretraining.kind }, start, images);
  const others = classNames("public person", settings.public.identities);

  return {
    private: {
      train: ofPrivate("train", settings.train),
      validation: ofPrivate("validation", settings.validation),
      test: ofPrivate("test", settings.test),
    },
    public: draw(
      "public",
      strangers,
      { range: "public", part: "public", variation: settings.public.variation ?? variation },
      others,
      settings.public.images,
    ),
    pretraining: { train: ofStart("train", pretraining.images - held), test: ofStart("test", held) },
    evaluation: ofPrivate("evaluation", settings.evaluation),
    attributes: attributeData(),
  };

  function attributeData(): AttributeData {
    const total = settings.attributes.identities;
    const split = Math.max(1, Math.floor(total * 0.8));
    const classes = classNames("attribute person", total);
    const of = (part: string, labels: readonly [number, number]) =>
      draw(`attributes ${part}`, strangers, { range: "attributes", part }, classes, settings.attributes.images, labels);
    const values = (population: Population, range: Range, n: number) =>
      Array.from({ length: n }, (_, i) => attributeValues(identityAt(population, range, i)));
    // Thousands of people are made up for these; a plan only asks for the names of the sets.
    let [owned, learnt]: (Float32Array[] | undefined)[] = [];
    return {
      specs: attributeSpecs,
      get private() {
        owned ??= values(lookAlikes, "private", identities);
        return owned;
      },
      get values() {
        learnt ??= values(strangers, "attributes", total);
        return learnt;
      },
      train: of("train", [0, split]),
      test: of("test", [split, total]),
    };
  }
}

function classNames(what: string, n: number): string[] {
  const digits = String(n - 1).length;
  return Array.from({ length: n }, (_, i) => `${what} ${String(i).padStart(digits, "0")}`);
}
