import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mnist } from "./mnist.ts";
import { mnistFolder, readMnist } from "./mnist-files.ts";
import { indicesByClass } from "./subset.ts";

const context = { cacheDir: "unused", seed: 3 };
const load = (config: object) => mnist.load(mnist.config.parse(config), context);

test("the installed MNIST files are the official ones", async () => {
  const sums = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
  };
  for (const [name, sum] of Object.entries(sums)) {
    const content = await readFile(join(mnistFolder(), name));
    expect(createHash("md5").update(content).digest("hex"), name).toBe(sum);
  }
});

describe("mnist", () => {
  test("has the literature's split: 30,596 and 5,139 private, 34,265 public images", async () => {
    const data = await load({});
    const { train, validation, test: held } = data.private;
    expect(train.size + validation.size).toBe(30_596);
    expect(validation.size).toBe(592 + 674 + 596 + 613 + 584);
    expect(held.size).toBe(5_139);
    expect(data.public.size).toBe(34_265);
    expect(data.pretraining.train.size).toBe(5421 + 5918 + 6265 + 5851 + 5949);
    expect(data.pretraining.test.size).toBe(892 + 958 + 1028 + 974 + 1009);
    expect(data.evaluation.size).toBe(30_596);
    for (const set of [train, validation, held, data.evaluation])
      expect(set.classes).toEqual(["0", "1", "2", "3", "4"]);
    for (const set of [data.public, data.pretraining.train]) expect(set.classes).toEqual(["5", "6", "7", "8", "9"]);
    expect(train.name).toBe("mnist private train");
    expect(train.width).toBe(32);
  });

  test("limits count images a digit, the private limit with validation", async () => {
    const data = await load({
      limit: 20,
      test: 7,
      public: 11,
      pretraining: 5,
      evaluation: 30,
      validation: 0.25,
      size: 28,
    });
    const counts = (set: typeof data.public) => indicesByClass(set).map((images) => images.length);
    expect(counts(data.private.train)).toEqual([15, 15, 15, 15, 15]);
    expect(counts(data.private.validation)).toEqual([5, 5, 5, 5, 5]);
    expect(counts(data.private.test)).toEqual([7, 7, 7, 7, 7]);
    expect(counts(data.public)).toEqual([11, 11, 11, 11, 11]);
    expect(counts(data.pretraining.train)).toEqual([5, 5, 5, 5, 5]);
    expect(counts(data.evaluation)).toEqual([30, 30, 30, 30, 30]);
    expect(data.public.width).toBe(28);
    const again = await load({ limit: 20, validation: 0.25, size: 28 });
    expect(again.private.train.hash).toBe(data.private.train.hash);
  });

  test("size 32 is size 28 with two rows and columns of black around it", async () => {
    const [small, large] = [await readMnist(28), await readMnist(32)];
    const inner = new Uint8Array(28 * 28);
    const outer = new Uint8Array(32 * 32);
    await small.test.read([9_999], inner);
    await large.test.read([9_999], outer);
    expect(inner.some((value) => value > 200)).toBe(true);
    const border = outer.filter((_, i) => !inside(i));
    expect(border).toHaveLength(32 * 32 - 28 * 28);
    expect(border.every((value) => value === 0)).toBe(true);
    expect(outer.filter((_, i) => inside(i))).toEqual(inner);
    expect(large.both.labels[69_999]).toBe(large.test.labels[9_999]);
  });

  test("refuses other sizes and keys", () => {
    expect(mnist.config.safeParse({ size: 64 }).success).toBe(false);
    expect(mnist.config.safeParse({ sizes: 32 }).success).toBe(false);
  });
});

function inside(at: number): boolean {
  const [row, column] = [Math.floor(at / 32), at % 32];
  return row >= 2 && row < 30 && column >= 2 && column < 30;
}
