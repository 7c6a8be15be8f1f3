import type { Value } from "../../graph.ts";
import { add, mul } from "../../ops/elementwise.ts";
import { matmul } from "../../ops/linear.ts";
import { reshape, transpose } from "../../ops/movement.ts";
import type { Call } from "../call.ts";
import type { Operators } from "./operator.ts";

/** α·A′·B′ + β·C */
function gemm(c: Call): Value {
  const matrix = (i: number, flag: string) => {
    const x = c.value(i);
    if (x.shape.length !== 2) c.fail(`input ${i + 1} has shape [${x.shape}], a matrix is needed`);
    return c.int(flag, 0) === 1 ? transpose(x) : x;
  };
  const y = mul(matmul(matrix(0, "transA"), matrix(1, "transB")), c.float("alpha", 1));
  return c.has(2) ? add(y, mul(c.value(2), c.float("beta", 1))) : y;
}

/** NumPy's `matmul`: a vector on the left is a row, one on the right a column, whose axis is taken away again. */
function matMul(c: Call): Value {
  const [a, b] = [c.value(0), c.value(1)];
  if (a.shape.length === 0 || b.shape.length === 0) c.fail("a single number is no matrix");
  const [row, column] = [a.shape.length === 1, b.shape.length === 1];
  const y = matmul(row ? reshape(a, [1, ...a.shape]) : a, column ? reshape(b, [...b.shape, 1]) : b);
  const shape = y.shape.filter((_, i) => !(row && i === y.shape.length - 2) && !(column && i === y.shape.length - 1));
  return reshape(y, shape);
}

/** Matrix products. */
export const linearAlgebra: Operators = {
  Gemm: gemm,
  MatMul: matMul,
};
