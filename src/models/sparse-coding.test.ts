import { describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { constant } from "../engine/graph.ts";
import { random } from "../engine/random.ts";
import { setThreads } from "../engine/runtime.ts";
import { tensor } from "../engine/tensor.ts";
import { sparseCode, standardized } from "./sparse-coding.ts";

setThreads(1);

const [SIDE, CHANNELS, FEATURES, KERNEL, LAMBDA] = [5, 2, 3, 3, 0.4] as const;
const x = random(1, "x").normals(CHANNELS * SIDE * SIDE);
const dictionary = random(1, "dictionary").normals(FEATURES * CHANNELS * KERNEL * KERNEL);
const PER_FEATURE = CHANNELS * KERNEL * KERNEL;

/** Every feature at every place, written out as an image of its own; what lies outside is cut off. */
const atoms = Array.from({ length: FEATURES * SIDE * SIDE }, (_, at) => {
  const [f, top, left] = [Math.floor(at / (SIDE * SIDE)), Math.floor(at / SIDE) % SIDE, at % SIDE];
  const own = dictionary.subarray(f * PER_FEATURE, (f + 1) * PER_FEATURE);
  const length = Math.hypot(...own);
  const atom = new Float64Array(x.length);
  for (let c = 0; c < CHANNELS; c++)
    for (let i = 0; i < KERNEL; i++)
      for (let j = 0; j < KERNEL; j++) {
        const [row, column] = [top + i - 1, left + j - 1];
        if (row < 0 || row >= SIDE || column < 0 || column >= SIDE) continue;
        atom[(c * SIDE + row) * SIDE + column] = own[(c * KERNEL + i) * KERNEL + j]! / length;
      }
  return atom;
});

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from({ length: a.length }, (_, i) => a[i]! * b[i]!).reduce((s, v) => s + v, 0);

/** The minimum of ½‖x − Φa‖² + λΣa over a ≥ 0, coefficient by coefficient. */
function coordinateDescent(): number[] {
  const code = atoms.map(() => 0);
  const left = Float64Array.from(x);
  for (let sweep = 0; sweep < 3000; sweep++)
    for (const [k, atom] of atoms.entries()) {
      const size = dot(atom, atom);
      const next = Math.max(0, code[k]! + (dot(atom, left) - LAMBDA) / size);
      for (let i = 0; i < left.length; i++) left[i]! += (code[k]! - next) * atom[i]!;
      code[k] = next;
    }
  return code;
}

const coded = (iterations: number) => {
  const image = constant(tensor(x, [1, CHANNELS, SIDE, SIDE]));
  const features = constant(tensor(dictionary, [FEATURES, CHANNELS, KERNEL, KERNEL]));
  return evaluate(sparseCode(image, features, { features: FEATURES, kernel: KERNEL, lambda: LAMBDA, iterations }));
};

const cost = (code: ArrayLike<number>) => {
  const left = Float64Array.from(x);
  for (const [k, atom] of atoms.entries()) for (let i = 0; i < left.length; i++) left[i]! -= code[k]! * atom[i]!;
  return (
    dot(left, left) / 2 + LAMBDA * Array.from({ length: code.length }, (_, k) => code[k]!).reduce((a, b) => a + b, 0)
  );
};

describe("a sparse code", () => {
  test("is the minimum that coordinate descent finds, where there are steps enough", async () => {
    const wanted = coordinateDescent();
    expect(wanted.filter((a) => a === 0).length).toBeGreaterThan(wanted.length / 4);
    expectAllClose(await coded(400), wanted, { relative: 1e-3, absolute: 2e-3 });
  });

  test("is near it after twenty steps, and costs less from step to step", async () => {
    const best = cost(coordinateDescent());
    const nothing = cost(atoms.map(() => 0));
    const costs = await Promise.all([1, 5, 20].map(async (n) => cost(await coded(n))));
    expect(costs[0]!).toBeLessThan(nothing);
    expect(costs[1]!).toBeLessThan(costs[0]!);
    expect((costs[2]! - best) / (nothing - best)).toBeLessThan(0.02);
  });
});

test("images are standardised each by itself", async () => {
  const images = Float32Array.from([...x, ...x.map((v) => 5 * v + 3)]);
  const found = Float32Array.from(await evaluate(standardized(constant(tensor(images, [2, CHANNELS, SIDE, SIDE])))));
  const own = found.slice(0, x.length);
  expectAllClose(found.slice(x.length), own, { relative: 1e-4, absolute: 1e-5 });
  expect(own.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 4);
  expect(dot(own, own) / own.length).toBeCloseTo(1, 4);
});
