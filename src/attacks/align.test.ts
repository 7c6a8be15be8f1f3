import { beforeAll, describe, expect, test } from "vitest";
import { expectAllClose } from "../../test/support/all-close.ts";
import { evaluate } from "../../test/support/evaluate.ts";
import { memoryWork } from "../../test/support/memory-work.ts";
import { tinyJudge } from "../../test/support/tiny-judge.ts";
import { IDENTITIES, IMAGE, type TinyWorld, tinyModel, tinyWorld } from "../../test/support/tiny-world.ts";
import { tlDmiTarget } from "../../test/support/tl-dmi-target.ts";
import { grad } from "../engine/autodiff.ts";
import { input } from "../engine/graph.ts";
import { sum } from "../engine/ops/reduce.ts";
import { random } from "../engine/random.ts";
import type { StateDict } from "../engine/store.ts";
import { unwatched, type Work } from "../engine/work.ts";
import { openTarget, type WhiteBox } from "./access.ts";
import { type Align, alignedRows } from "./align.ts";
import type { Attack } from "./attack.ts";
import { gmi } from "./gmi.ts";
import { identityLossRows } from "./identity-loss.ts";
import { queryMeter } from "./queries.ts";
import { runAttack } from "./run-attack.ts";

const model = tinyModel();
let world: TinyWorld;
let state: StateDict;

beforeAll(async () => {
  world = await tinyWorld();
  ({ state } = await tlDmiTarget(world));
});

const paa: Align = { kind: "paa", samples: 3, noise: 0.1, crop: 0.8, flip: 0.5, measured: 0 };
const taa: Align = { ...paa, kind: "taa" };

describe("an identity loss over copies", () => {
  const n = 2;
  const size = n * 3 * 16 * 16;
  const images = random(1, "images").uniforms(size);
  const wanted = Float32Array.from({ length: n * IDENTITIES }, (_, i) => (i === 3 || i === IDENTITIES + 1 ? 1 : 0));
  let target: WhiteBox;
  beforeAll(() => {
    const opened = openTarget("white-box", model, state, queryMeter());
    target = opened.target;
    return () => opened.release();
  });
  const slopeOf = (align: Align | undefined) => {
    const x = input("x", [n, ...IMAGE]);
    const aligned = alignedRows(align, x, input("wanted", [n, IDENTITIES]), (seen, classes, copies) =>
      identityLossRows("cross-entropy", target.judge(seen, copies).logits, classes),
    );
    const [slope] = grad(sum(aligned.rows), [x]);
    return { slope: slope!, draw: aligned.draw };
  };

  test("has the mean of the gradients at noisy images, as by hand", async () => {
    const { slope, draw } = slopeOf(paa);
    const fed = draw(random(2, "copies"));
    const averaged = (await evaluate(slope, { x: images, wanted, ...fed })) as Float32Array;
    const noise = fed["align/noise"]!;
    const byHand = new Float64Array(size);
    for (let k = 0; k < paa.samples; k++) {
      const noisy = images.map((x, i) => x + 0.1 * noise[k * size + i]!);
      const own = await evaluate(slopeOf(undefined).slope, { x: noisy, wanted });
      for (const [i, g] of own.entries()) byHand[i]! += g / paa.samples;
    }
    expectAllClose(averaged, byHand, { relative: 1e-3, absolute: 1e-5 });
  });

  test("differs from the image's own by no more than the crops' form where crops are of the whole image", async () => {
    const { slope, draw } = slopeOf({ ...taa, crop: 1, flip: 0 });
    const averaged = (await evaluate(slope, { x: images, wanted, ...draw(random(2, "copies")) })) as Float32Array;
    const own = await evaluate(slopeOf(undefined).slope, { x: images, wanted });
    // The ratio of the crops still varies by a tenth.
    expect(cosine(averaged, own)).toBeGreaterThan(0.5);
    expect(cosine(averaged, own)).toBeLessThan(0.9999);
  });
});

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

const identities = Array.from({ length: IDENTITIES }, (_, i) => i);
const attacked = (align: object | undefined, iterations = 80, work: Work = unwatched) =>
  runAttack({
    attack: gmi as unknown as Attack,
    model,
    state,
    prior: world.priors.dcgan,
    identities,
    perIdentity: 4,
    config: gmi.config.parse({ iterations, rate: 0.5, batch: 12, ...(align && { align }) }),
    seed: 4,
    work,
  });

describe("GMI on a TL-DMI target", () => {
  test.each([
    ["paa", { kind: "paa", samples: 16, noise: 0.1, measured: 12 }],
    ["taa", { kind: "taa", samples: 16, crop: 0.8, flip: 0, measured: 12 }],
  ])("%s: the averaged gradient lies nearer to what the generator draws than an image's own", async (kind, align) => {
    const work = memoryWork();
    await attacked(align, 20, work);
    const rows = work.rows.filter((row) => row.attack === "gmi, alignment");
    expect(rows.map((row) => row.iteration)).toEqual([0, 20]);
    const [first, last] = rows.map(({ aligned, plain }) => ({ aligned: Number(aligned), plain: Number(plain) }));
    expect(first!.plain).toBeGreaterThan(0);
    expect(first!.aligned).toBeLessThan(1);
    expect(first!.aligned).toBeGreaterThan(1.1 * first!.plain);
    // Where the target is sure of every copy, what is left of crops' gradients points anywhere.
    if (kind === "paa") expect(last!.aligned).toBeGreaterThan(1.03 * last!.plain);
  });

  test("counts every copy as a query", async () => {
    const { queries } = await attacked({ kind: "paa", samples: 5 }, 2);
    expect(queries).toEqual({ images: 5 * 2 * 32, gradients: 5 * 2 * 32 });
  });

  test("shows no fewer identities by averaged gradients than by plain ones", async () => {
    const judge = await tinyJudge(world);
    const accuracy = async (align: object | undefined) => {
      const { rows, labels } = await attacked(align);
      return judge.accuracy(rows, labels);
    };
    const plain = await accuracy(undefined);
    const byKind = [await accuracy({ kind: "paa", samples: 8 }), await accuracy({ kind: "taa", samples: 8, flip: 0 })];
    await judge.release();
    for (const found of byKind) expect(found).toBeGreaterThanOrEqual(plain);
  });
});
