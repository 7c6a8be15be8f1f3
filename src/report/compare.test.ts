import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cell, metricsOf, rate, study } from "../../test/support/study-result.ts";
import type { CellResult, StudyResult } from "../study/result.ts";
import { compareRuns } from "./compare.ts";

const basis = { train: "a1", test: "b2", evaluationModel: "c3" };
const made = (overrides: Parameters<typeof cell>[0] = {}) => cell({ basis, ...overrides });
const none = made();
const defended = made({
  defense: "tl-dmi",
  attackAccuracy: rate(0.31),
  knnDistance: { value: 900, n: 250, low: 880, high: 920 },
});

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "compare-"));
});
afterAll(() => rm(root, { recursive: true }));

let places = 0;
async function place(cells: readonly CellResult[], overrides: Partial<StudyResult> = {}): Promise<string> {
  const dir = join(root, String(places++));
  await mkdir(dir);
  await writeFile(join(dir, "study.json"), JSON.stringify(study(cells, overrides)));
  return dir;
}

const compare = async (a: readonly CellResult[], b: readonly CellResult[]) =>
  compareRuns(await place(a), await place(b));

test("two single cells are compared whatever their settings, metric by metric", async () => {
  const { pairs } = await compare([none], [defended]);
  expect(pairs).toHaveLength(1);
  expect(pairs[0]!.settings).toEqual(["defense: none → tl-dmi", "boundary: none → layer2"]);
  const of = (name: string) => pairs[0]!.metrics.find((metric) => metric.name === name)!;
  expect(of("attack.top1")).toMatchObject({
    first: none.attackAccuracy,
    second: defended.attackAccuracy,
    apart: true,
    change: "better",
  });
  expect(of("attack.top1").difference.value).toBeCloseTo(0.31 - 0.71);
  // A distance is better where it is greater.
  expect(of("attack.knn").change).toBe("better");
  expect(of("natural")).toMatchObject({ apart: false });
  expect(of("natural")).not.toHaveProperty("change");
  expect(of("parameters.trainable")).toMatchObject({ apart: true });
  expect(of("parameters.trainable")).not.toHaveProperty("change");
  const back = await compare([defended], [none]);
  expect(back.pairs[0]!.metrics.find(({ name }) => name === "attack.top1")!.change).toBe("worse");
});

test("metrics that one side lacks are left out", async () => {
  const { pairs } = await compare([made({ metrics: metricsOf(0.2) })], [none]);
  expect(pairs[0]!.metrics.filter(({ name }) => name.startsWith("metric."))).toEqual([]);
});

test("cells of studies are set against those of the same setting; the others are named", async () => {
  const second = [made({ seed: 2 }), { ...defended, run: "elsewhere" }, none];
  const { pairs, unpaired } = await compare([none, defended], second);
  expect(pairs.map(({ first, second }) => `${first} ${second}`)).toEqual([
    `${none.run} ${none.run}`,
    `${defended.run} elsewhere`,
  ]);
  expect(pairs.flatMap(({ settings }) => settings)).toEqual([]);
  expect(unpaired).toEqual({ first: [], second: [second[0]!.run] });
});

test("settings that the grid does not span are named where they differ", async () => {
  const config = (epochs: number) => ({
    config: `name: n${epochs}\nseeds: [${epochs}]\ntraining: { epochs: ${epochs} }\ndataSeed: 1\n`,
  });
  const { differentKeys } = await compareRuns(await place([none], config(1)), await place([none], config(2)));
  expect(differentKeys).toEqual(["training"]);
});

describe("what is not comparable is refused", () => {
  const { basis: _, ...bare } = none;
  test.each([
    [
      "other training images",
      made({ basis: { ...basis, train: "x" } }),
      /not comparable:\n {2}other data: the private training images differ$/,
    ],
    ["other test images", made({ basis: { ...basis, test: "x" } }), /other data: the private test images differ/],
    [
      "another evaluation model",
      made({
        basis: { ...basis, evaluationModel: "x" },
        evaluationModel: { kind: "resnet18", naturalAccuracy: rate(0.9) },
      }),
      /another evaluation model \(vgg16_bn and resnet18\)/,
    ],
    [
      "an evaluation model trained otherwise",
      made({ basis: { ...basis, evaluationModel: "x" } }),
      /vgg16_bn both, trained differently/,
    ],
    ["other identities", made({ identityCount: 3 }), /other identities were attacked/],
    [
      "a result that does not say",
      bare,
      /does not say which images and evaluation model it rests on; run its study again/,
    ],
  ])("%s", async (_name, other, message) => {
    await expect(compare([none], [other])).rejects.toThrow(message);
    await expect(compare([none, defended], [other, defended])).rejects.toThrow(message);
  });

  test("nothing in common", async () => {
    await expect(compare([none, defended], [made({ seed: 2 })])).rejects.toThrow(
      /no cell of the same model, defense, .* name two cells/,
    );
    await expect(compare([none], [])).rejects.toThrow(/has no finished cell/);
  });
});
