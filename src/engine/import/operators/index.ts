import { activation } from "./activation.ts";
import { arithmetic } from "./arithmetic.ts";
import { convolution } from "./conv.ts";
import { linearAlgebra } from "./linear.ts";
import { movement } from "./movement.ts";
import { normalization } from "./norm.ts";
import type { Operators } from "./operator.ts";
import { paddings } from "./pad.ts";
import { pooling } from "./pool.ts";
import { quantization } from "./quantization.ts";
import { reductions } from "./reduce.ts";
import { resizing } from "./resize.ts";

/** Every operator that can stand in the graph, by its name in ONNX. */
export const operators: Operators = {
  ...activation,
  ...arithmetic,
  ...convolution,
  ...linearAlgebra,
  ...movement,
  ...normalization,
  ...paddings,
  ...pooling,
  ...quantization,
  ...reductions,
  ...resizing,
};
