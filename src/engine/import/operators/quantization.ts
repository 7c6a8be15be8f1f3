import type { Call } from "../call.ts";
import { dequantized } from "../folding/dequantize.ts";
import { type Held, heldNumbers } from "../held.ts";
import type { Operators } from "./operator.ts";

/** A quantised weight as the real numbers that it stands for; it keeps its name and may be trained like any other. */
function dequantize(c: Call): Held {
  const name = c.node.inputs[0]!;
  return heldNumbers(dequantized(c), name);
}

/** Weights of few bits. Activations that are quantised on the way have no gradient and are not supported. */
export const quantization: Operators = { DequantizeLinear: dequantize };
