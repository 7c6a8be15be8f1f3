import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { models } from "../../src/models/index.ts";
import { type ModelFamily, weightsOf } from "../../src/models/model.ts";
import { classifierPredictor } from "../../src/models/predict.ts";
import { expectAllClose } from "../support/all-close.ts";
import { formulaImages, formulaWeights } from "../support/formula-weights.ts";

interface Golden {
  readonly kind: string;
  readonly config: object;
  readonly side: number;
  readonly classes: number;
  readonly tensors: number;
  /** SHA-256 of the tensors' names, sorted, one a line. */
  readonly names: string;
  readonly logits: readonly number[];
}

const golden = JSON.parse(await readFile(new URL("../golden/architectures.json", import.meta.url), "utf8")) as {
  models: readonly Golden[];
};

test.each(golden.models.map((g) => [g.kind, g] as const))(
  "%s agrees with PyTorch in names and logits",
  async (kind, g) => {
    const family = (models as readonly ModelFamily[]).find((m) => m.kind === kind)!;
    const shape = { input: [3, g.side, g.side], classes: g.classes } as const;
    const model = family.build(family.config.parse(g.config), shape);
    const names = weightsOf(model).map(({ name }) => name);
    expect(names.length).toBe(g.tensors);
    expect(createHash("sha256").update(names.sort().join("\n")).digest("hex")).toBe(g.names);
    const net = await classifierPredictor(model, formulaWeights(weightsOf(model)), 2);
    const { logits } = await net.predict(formulaImages([2, 3, g.side, g.side]).data, 2);
    await net.release();
    const size = Math.max(...g.logits.map(Math.abs));
    expectAllClose(logits, g.logits, { relative: 1e-4, absolute: 1e-4 * size });
  },
);
