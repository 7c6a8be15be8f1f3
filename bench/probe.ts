import { input } from "../src/engine/graph.ts";
import { matmul } from "../src/engine/ops/linear.ts";
import { random } from "../src/engine/random.ts";
import { compile } from "../src/engine/runtime.ts";

/**
 * GFLOP/s of the fastest of several products of two `size × size` matrices through the runtime, on all threads: a lower bound of the
 * machine's peak rate of fused multiply-adds. A convolution may come out above it.
 */
export async function measurePeak(size: number, seconds: number): Promise<number> {
  const [a, b] = [input("a", [size, size]), input("b", [size, size])];
  const program = await compile({ outputs: { product: matmul(a, b) } });
  const rng = random(1, "probe");
  const feeds = { a: rng.uniforms(size * size), b: rng.uniforms(size * size) };
  await program.run(feeds);
  let best = Number.POSITIVE_INFINITY;
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    const start = performance.now();
    await program.run(feeds);
    best = Math.min(best, performance.now() - start);
  }
  await program.release();
  return (2 * size ** 3) / (best * 1e6);
}
