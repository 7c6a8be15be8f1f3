import { z } from "zod";
import { defineData } from "./data.ts";
import type { StudyData } from "./dataset.ts";
import { readMnist } from "./mnist-files.ts";
import { splitByClass } from "./split.ts";
import { limitPerClass, selectClasses } from "./subset.ts";

const PRIVATE_DIGITS = [0, 1, 2, 3, 4];
const PUBLIC_DIGITS = [5, 6, 7, 8, 9];

const PerDigit = z.int().positive().optional();

/**
 * MNIST with the split that the model-inversion literature uses: digits 0–4 private (train from MNIST's training part, test
 * from its test part), digits 5–9 of both parts public (34,265 images) and, with their labels, for pre-training.
 */
export const mnist = defineData({
  kind: "mnist",
  summary: "handwritten digits: 0–4 private, 5–9 public; comes with the package",
  config: z.strictObject({
    size: z
      .union([z.literal(28), z.literal(32)])
      .default(32)
      .describe("side in pixels; 32 pads the original 28 with zeros"),
    validation: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.1)
      .describe("share of the private training images on which models are selected"),
    limit: z.int().min(2).optional().describe("private training images a digit, validation included; all by default"),
    test: PerDigit.describe("private test images a digit; all by default"),
    public: PerDigit.describe("public images a digit; all by default"),
    pretraining: PerDigit.describe("pre-training images a digit; all by default"),
    evaluation: PerDigit.describe("training images a digit for the evaluation model; all by default"),
  }),
  async load(config, { seed, progress }): Promise<StudyData> {
    progress?.(0, 1, "reading MNIST");
    const mnist = await readMnist(config.size);
    progress?.(1, 1, "reading MNIST");
    const digits = (part: keyof typeof mnist, keep: readonly number[], name: string, limit?: number) =>
      limitPerClass(selectClasses(mnist[part], keep, `mnist ${name}`), limit, seed);

    const seen = digits("train", PRIVATE_DIGITS, "private", config.limit);
    return {
      private: {
        ...splitByClass(seen, { validation: config.validation }, seed, 2),
        test: digits("test", PRIVATE_DIGITS, "private test", config.test),
      },
      public: digits("both", PUBLIC_DIGITS, "public", config.public),
      pretraining: {
        train: digits("train", PUBLIC_DIGITS, "pre-training train", config.pretraining),
        test: digits("test", PUBLIC_DIGITS, "pre-training test"),
      },
      evaluation: digits("train", PRIVATE_DIGITS, "evaluation", config.evaluation),
    };
  },
});
