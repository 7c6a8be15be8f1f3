import { describe, expect, test } from "vitest";
import { expectAllClose } from "../../../test/support/all-close.ts";
import { evaluate } from "../../../test/support/evaluate.ts";
import { grad } from "../autodiff.ts";
import { input } from "../graph.ts";
import { setThreads } from "../runtime.ts";
import { poincareRows } from "./loss.ts";
import { sum } from "./reduce.ts";

// Test files share the cores.
setThreads(1);

const SHIFT = 1e-4;
const CLASSES = 4;

/** The distance and its slope by the logits in double precision, by the chain rule from arcosh's argument down. */
function byHand(row: readonly number[], label: number): { value: number; slope: number[] } {
  const total = row.reduce((s, x) => s + Math.abs(x), 0);
  const u = row.map((x) => x / total);
  const v = row.map((_, k) => (k === label ? 1 - SHIFT : 0));
  const room = 1 - u.reduce((s, x) => s + x * x, 0);
  const apart = u.reduce((s, x, k) => s + (x - v[k]!) ** 2, 0);
  const scale = 2 / (1 - (1 - SHIFT) ** 2);
  const excess = (scale * apart) / room;
  // arcosh(1 + d) has the slope 1/√(d(d + 2)).
  const outer = 1 / Math.sqrt(excess * (excess + 2));
  const byU = u.map((x, k) => outer * scale * ((2 * (x - v[k]!)) / room + (2 * x * apart) / room ** 2));
  // u_k = l_k/Σ|l|
  const along = byU.reduce((s, g, k) => s + g * u[k]!, 0);
  const slope = byU.map((g, k) => (g - Math.sign(row[k]!) * along) / total);
  return { value: Math.log1p(excess + Math.sqrt(excess * (excess + 2))), slope };
}

/** The value and slope that the graph gives for one row. */
async function graph(row: readonly number[], label: number): Promise<{ value: number; slope: number[] }> {
  const logits = input("logits", [1, CLASSES]);
  const wanted = input("wanted", [1, CLASSES]);
  const feeds = {
    logits: Float32Array.from(row),
    wanted: Float32Array.from(row, (_, k) => (k === label ? 1 : 0)),
  };
  const rows = poincareRows(logits, wanted);
  const [slope] = grad(sum(rows), [logits]);
  return { value: (await evaluate(rows, feeds))[0]!, slope: [...(await evaluate(slope!, feeds))] };
}

describe("the Poincaré distance near the rim, ‖u‖ → 1", () => {
  // 1 − ‖u‖² is about 2·rest; float32 keeps log₂(rest) of its 24 binary digits fewer.
  const near = (rest: number, sign = 1) => [sign * (1 - rest), rest / 2, rest / 4, rest / 4].map((x) => 8 * x);

  test.each([
    [0.3, 1e-4],
    [0.1, 1e-4],
    [1e-2, 1e-3],
    [1e-3, 1e-2],
    [1e-4, 5e-2],
  ])(
    "is as in double precision with its slope, away from the class's own point: what is left is %d",
    async (rest, relative) => {
      for (const row of [near(rest), near(rest, -1)]) {
        // The class is one of the small numbers: the row lies on another side of the ball.
        const [got, wanted] = [await graph(row, 2), byHand(row, 2)];
        expectAllClose([got.value], [wanted.value], { relative });
        expectAllClose(got.slope, wanted.slope, { relative, absolute: relative }, "slope");
      }
    },
  );

  test("grows towards the rim, and stops growing where float32 keeps no digit of the room", async () => {
    const values: number[] = [];
    for (const rest of [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 0]) {
      const { value, slope } = await graph(near(rest), 2);
      expect([value, ...slope].filter((x) => !Number.isFinite(x))).toEqual([]);
      values.push(value);
    }
    for (const [i, value] of values.slice(1).entries()) expect(value).toBeGreaterThanOrEqual(values[i]!);
    // At a room of 1e-5: arcosh(1 + 4·10⁹·…) is about ln(2·2‖u − v‖²·scale/room).
    expect(values.at(-1)!).toBeCloseTo(Math.log((2 * (1 + (1 - SHIFT) ** 2) * (2 / (1 - (1 - SHIFT) ** 2))) / 1e-5), 1);
    expect(values.at(-1)!).toBeCloseTo(values.at(-2)!, 4);
  });

  test("a step against the slope comes nearer to the class from wherever a slope is left", async () => {
    for (const rest of [0.5, 1e-1, 1e-2, 1e-3]) {
      const row = near(rest);
      const { value, slope } = await graph(row, 2);
      const steepest = Math.max(...slope.map(Math.abs));
      const moved = row.map((x, k) => x - (1e-3 * rest * slope[k]!) / steepest);
      expect((await graph(moved, 2)).value, `what is left is ${rest}`).toBeLessThan(value);
    }
  });
});
