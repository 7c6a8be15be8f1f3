import { createHash } from "node:crypto";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

/** A seeded stream of random numbers. Its state can be saved and restored, so that a resumed run draws the same numbers. */
export interface Rng {
  /** A number in [0, 1) with 32 random bits. */
  uniform(): number;
  /** A number of the standard normal distribution (Box–Muller; one draw a pair of uniforms, nothing kept back). */
  normal(): number;
  /** A whole number in [0, n). */
  int(n: number): number;
  /** A permutation of 0 … n−1 (Fisher–Yates). */
  permutation(n: number): Int32Array;
  /** Standard normal numbers of the given count. */
  normals(count: number): Float32Array;
  /** Numbers in [0, 1) of the given count. */
  uniforms(count: number): Float32Array;
  /** The state as plain numbers; `restoreRng` continues from it. */
  state(): readonly number[];
}

function fromGenerator(generator: ReturnType<typeof xoroshiro128plusFromState>): Rng {
  const uniform = () => (generator.next() >>> 0) / 4294967296;
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const int = (n: number) => Math.floor(uniform() * n);
  return {
    uniform,
    normal,
    int,
    permutation(n) {
      const order = Int32Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = int(i + 1);
        const kept = order[i]!;
        order[i] = order[j]!;
        order[j] = kept;
      }
      return order;
    },
    normals: (count) => Float32Array.from({ length: count }, normal),
    uniforms: (count) => Float32Array.from({ length: count }, uniform),
    state: () => [...generator.getState()],
  };
}

/**
 * The stream that belongs to a seed and a path of names, such as `random(42, "faces", "private", 17)`.
 * Streams of different paths are independent, so the order in which parts of a program draw does not matter.
 */
export function random(seed: number, ...path: readonly (string | number)[]): Rng {
  const digest = createHash("sha256")
    .update(JSON.stringify([seed, ...path]))
    .digest();
  return restoreRng([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
}

/** Continues a stream from what `state()` gave. */
export function restoreRng(state: readonly number[]): Rng {
  return fromGenerator(xoroshiro128plusFromState(state));
}

/** A whole number that serves as the seed of a part of a program, drawn from the stream of that seed and path. */
export function seedFor(seed: number, ...path: readonly (string | number)[]): number {
  return random(seed, "seed", ...path).int(2 ** 31);
}
