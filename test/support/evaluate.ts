import type { Value } from "../../src/engine/graph.ts";
import { compile } from "../../src/engine/runtime.ts";
import type { TensorData } from "../../src/engine/tensor.ts";

/** Computes one value once. */
export async function evaluate(y: Value, feeds: Readonly<Record<string, TensorData>> = {}): Promise<TensorData> {
  const program = await compile({ outputs: { y } });
  try {
    return (await program.run(feeds)).y!.data;
  } finally {
    await program.release();
  }
}
