import { describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { checkGrads } from "../../test/support/check-grads.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { constant, input, type Value } from "../engine/graph.ts";
import { random } from "../engine/random.ts";
import { compile, setThreads } from "../engine/runtime.ts";
import { sizeOf } from "../engine/shape.ts";
import { createStore } from "../engine/store.ts";
import { tensor } from "../engine/tensor.ts";
import { type FlowSizes, flowed, flowWeights } from "./flow.ts";
import { flows, gaussians, type LatentDistributions } from "./latent-distributions.ts";

setThreads(1);

const sizes = (coupling: FlowSizes["coupling"], latent: number): FlowSizes => ({
  latent,
  layers: 3,
  hidden: 4,
  coupling,
  seed: 2,
});

/** Weights none of which is zero, for two distributions side by side. */
function vivid(of: FlowSizes): (name: string) => Value {
  const weights = new Map(
    flowWeights(of).map(({ name, shape }) => {
      const numbers = random(3, name).normals(2 * sizeOf(shape));
      return [
        name,
        constant(
          tensor(
            numbers.map((x) => 0.4 * x),
            [2, ...shape],
          ),
        ),
      ] as const;
    }),
  );
  return (name) => weights.get(name)!;
}

/** ln |det| by elimination with pivots. */
function logDeterminant(matrix: number[][]): number {
  const rows = matrix.map((row) => [...row]);
  let total = 0;
  for (let k = 0; k < rows.length; k++) {
    const pivot = rows
      .slice(k)
      .reduce((best, row, i) => (Math.abs(row[k]!) > Math.abs(rows[best]![k]!) ? k + i : best), k);
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    total += Math.log(Math.abs(rows[k]![k]!));
    for (let i = k + 1; i < rows.length; i++) {
      const factor = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j < rows.length; j++) rows[i]![j]! -= factor * rows[k]![j]!;
    }
  }
  return total;
}

describe.each([
  ["additive", 4],
  ["affine", 4],
  ["affine", 5],
] as const)("a flow with %s couplings over %i numbers", (coupling, latent) => {
  const of = sizes(coupling, latent);
  const noise = random(1, "noise").normals(2 * latent);
  const step = 1e-2;

  test("has the log-determinant of its Jacobian, by differences", async () => {
    // For each distribution the noise itself, and one number of it moved either way at a time.
    const n = 1 + 2 * latent;
    const fed = new Float32Array(2 * n * latent);
    for (let d = 0; d < 2; d++)
      for (let i = 0; i < n; i++)
        for (let j = 0; j < latent; j++) {
          const moved = i > 0 && Math.floor((i - 1) / 2) === j ? (i % 2 === 1 ? step : -step) : 0;
          fed[(d * n + i) * latent + j] = noise[d * latent + j]! + moved;
        }
    const made = flowed(input("noise", [2, n, latent]), of, vivid(of));
    const z = await evaluate(made.z, { noise: fed });
    const logs = await evaluate(made.logDeterminant, { noise: fed });
    for (let d = 0; d < 2; d++) {
      const at = (i: number, j: number) => z[(d * n + i) * latent + j]!;
      const jacobian = Array.from({ length: latent }, (_, from) =>
        Array.from({ length: latent }, (_, to) => (at(1 + 2 * from, to) - at(2 + 2 * from, to)) / (2 * step)),
      );
      const wanted = logDeterminant(jacobian);
      expect(Math.abs(wanted), "a determinant that is not 1").toBeGreaterThan(0.05);
      expect(logs[d * n]!).toBeCloseTo(wanted, 2);
    }
  });

  test("has gradients through draws and determinant", async () => {
    // The couplings' ELU has a slope at 0, but no curvature.
    const once = { order: 1 } as const;
    await checkGrads((x) => flowed(x!, of, vivid(of)).z, [[2, 1, latent]], once);
    if (coupling === "affine")
      await checkGrads((x) => flowed(x!, of, vivid(of)).logDeterminant, [[2, 1, latent]], once);
  });
});

describe("distributions over latents", () => {
  const latent = 3;
  const n = 4000;
  const noise = random(5, "noise").normals(n * latent);
  const given = input("noise", [1, n, latent]);
  /** A value of a distribution as it starts. */
  async function atStart(y: Value, q: LatentDistributions, around: number[], logOfVariance: number) {
    const store = createStore(q.start(Float32Array.from(around), logOfVariance));
    const program = await compile({ outputs: { y }, store });
    const { data } = (await program.run({ noise })).y!;
    await program.release();
    return data;
  }
  const means = [0.5, -1, 0.2];
  const logVariance = -0.8;
  /** ½ Σ (σ² + μ² − 1 − ln σ²) */
  const closed = means.reduce((sum, m) => sum + (Math.exp(logVariance) + m * m - 1 - logVariance) / 2, 0);

  test.each(["gaussian", "flow"] as const)("of kind %s have a Gaussian's KL where they start as one", async (kind) => {
    const q = kind === "gaussian" ? gaussians([1], latent) : flows([1], sizes("affine", latent));
    const [divergence] = await atStart(q.divergence(given), q, means, logVariance);
    // Closed for one, of 4000 draws for the other.
    expect(divergence!).toBeCloseTo(closed, kind === "gaussian" ? 5 : 1);
    const drawn = await atStart(q.drawn(given), q, means, logVariance);
    const column = (j: number) => Array.from({ length: n }, (_, i) => drawn[i * latent + j]!);
    for (const [j, wanted] of means.entries()) {
      const mean = column(j).reduce((a, b) => a + b, 0) / n;
      const variance = column(j).reduce((s, v) => s + (v - mean) ** 2, 0) / n;
      expect(mean).toBeCloseTo(wanted, 1);
      expect(Math.abs(Math.log(variance) - logVariance)).toBeLessThan(0.1);
    }
  });

  test.each(["gaussian", "flow"] as const)(
    "of kind %s are the prior, with a KL of 0, unless told otherwise",
    async (kind) => {
      const q = kind === "gaussian" ? gaussians([1], latent) : flows([1], sizes("additive", latent));
      expectAllClose(await atStart(q.divergence(given), q, [0, 0, 0], 0), [0], { absolute: 1e-5 });
    },
  );
});
