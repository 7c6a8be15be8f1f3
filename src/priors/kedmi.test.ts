import { test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { constant } from "../engine/graph.ts";
import { random } from "../engine/random.ts";
import { filled, tensor } from "../engine/tensor.ts";
import { kedmi } from "./kedmi.ts";
import { kedmiGeneratorLoss } from "./train-kedmi.ts";

test("by default the fakes' entropy weighs what the released code makes of it: 1e-4 times a sum over the batch", async () => {
  const { batch, entropy } = kedmi.config.parse({});
  const classes = 3;
  const logits = random(1).normals(batch * classes);
  const features = constant(filled([batch, 2], 1));
  const loss = kedmiGeneratorLoss(features, features, constant(tensor(logits, [batch, classes])), entropy);
  let sum = 0;
  for (let row = 0; row < batch; row++) {
    const powers = [...logits.subarray(row * classes, (row + 1) * classes)].map(Math.exp);
    const total = powers.reduce((a, b) => a + b);
    sum -= powers.reduce((a, power) => a + (power / total) * Math.log(power / total), 0);
  }
  expectAllClose((await evaluate(loss, {})) as Float32Array, [1e-4 * sum], { relative: 1e-4 });
});
