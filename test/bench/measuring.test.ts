import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cases, quickCases, selectCases } from "../../bench/cases.ts";
import { evaluationFlops, graphFlops } from "../../bench/flops.ts";
import { findPeer, formsOf, type Peer } from "../../bench/peer.ts";
import { allot, COMPILING_BUDGET, DEFAULT_BUDGET, planned, planText } from "../../bench/plan.ts";
import { prepare } from "../../bench/prepare.ts";
import { profileOf, readProfile } from "../../bench/profile.ts";
import { checkAgreement, MismatchError } from "../../bench/run-case.ts";
import { withSide } from "../../bench/side.ts";
import { quantile, spreadOf } from "../../bench/statistics.ts";
import { buildStep } from "../../bench/steps/index.ts";
import { roundRatios, takeTurns } from "../../bench/turns.ts";
import { grad } from "../../src/engine/autodiff.ts";
import { input, parameter } from "../../src/engine/graph.ts";
import { conv2d } from "../../src/engine/ops/conv.ts";
import { matmul } from "../../src/engine/ops/linear.ts";
import { sum } from "../../src/engine/ops/reduce.ts";
import { compile } from "../../src/engine/runtime.ts";

test("quantiles are NumPy's", () => {
  expect([0, 0.25, 0.5, 0.75, 1].map((q) => quantile([4, 1, 3, 2], q))).toEqual([1, 1.75, 2.5, 3.25, 4]);
  expect(spreadOf([7])).toEqual({ median: 7, low: 7, high: 7 });
  expect(() => quantile([], 0.5)).toThrow(RangeError);
});

describe("turns", () => {
  /** A runner that says how long each run took, and notes who ran. */
  function runner(name: string, ms: (call: number) => number, log: string[]) {
    let call = 0;
    return {
      async run(count: number) {
        log.push(`${name}${count}`);
        return Array.from({ length: count }, () => ms(call++));
      },
    };
  }

  test("go round by round after one run of each that does not count, and fill the time", async () => {
    const log: string[] = [];
    const runners = [runner("a", (call) => (call === 0 ? 100 : 50), log), runner("b", () => 400, log)];
    const times = await takeTurns(runners, { seconds: 1.3, least: 1, most: 9 });
    // A turn lasts at least 200 ms: two runs of what took 100, one of what took 400. A round is 640 ms with its rests.
    expect(log).toEqual(["a1", "b1", "a2", "b1", "a2", "b1"]);
    expect(times).toEqual([
      [
        [50, 50],
        [50, 50],
      ],
      [[400], [400]],
    ]);
  });

  test("are neither fewer nor more than asked for", async () => {
    for (const [seconds, rounds] of [
      [0, 3],
      [1000, 5],
    ] as const) {
      const [times] = await takeTurns([runner("a", () => 300, [])], { seconds, least: 3, most: 5 });
      expect(times!.length).toBe(rounds);
    }
  });

  test("are compared within each round, so that a slow spell of the machine cancels", () => {
    expect(roundRatios([[10, 10, 30], [100]], [[20], [200, 200]])).toEqual([2, 2]);
  });
});

test("floating-point operations are those of the mathematics, whatever the lowering", () => {
  const x = input("x", [2, 3, 8, 8]);
  const w = parameter("w", [5, 3, 3, 3]);
  const y = conv2d(x, w, { stride: 2, padding: 1 });
  // 2 · 5 · 4 · 4 outputs of 27 products each, a product and a sum counting two.
  const once = 2 * (2 * 5 * 4 * 4) * 27;
  expect(graphFlops([y])).toBe(once);
  expect(graphFlops([y, ...grad(sum(y), [x])])).toBe(2 * once);
  expect(graphFlops([y, ...grad(sum(y), [x, w])])).toBe(3 * once);
  expect(graphFlops([matmul(input("a", [7, 11]), input("b", [11, 13]))])).toBe(2 * 7 * 11 * 13);
});

test("a training step costs three times an evaluation but for the images' gradient, a step with a frozen prefix less", () => {
  const classifier = { model: "resnet10", width: 8, side: 32, classes: 10 } as const;
  const cost = (boundary: string | null) => {
    const spec = { kind: "train", ...classifier, batch: 4, boundary } as const;
    const { outputs, updates } = buildStep(spec, prepare(spec));
    return graphFlops([...Object.values(outputs), ...Object.values(updates)]);
  };
  const forward = evaluationFlops({ kind: "evaluate", ...classifier, batch: 2, images: 4 });
  // Backward costs twice the forward pass, but nobody asks for the gradient at the images: 8 maps of 27 products at each of 32×32 places.
  expect(cost(null)).toBe(3 * forward - 4 * 2 * 8 * 27 * 32 ** 2);
  expect(cost("layer3")).toBeLessThan(cost("layer1"));
  expect(cost("layer3")).toBeGreaterThan(forward);
});

describe("a profile", () => {
  const run = (ts: number, dur: number) => ({ cat: "Session", name: "model_run", ts, dur, args: {} });
  const node = (kind: string, ts: number, dur: number) => ({
    cat: "Node",
    name: `${kind}_${ts}_kernel_time`,
    ts,
    dur,
    args: { op_name: kind },
  });
  /** The nodes of a run that begins at `ts`: 60 µs of products, 40 of others. */
  const nodes = (ts: number) => [
    node("Conv", ts + 1, 30),
    node("Conv", ts + 40, 20),
    node("FusedMatMul", ts + 60, 10),
    ...["Add", "Mul", "Sub", "Slice", "Concat", "Pad"].map((kind, i) => node(kind, ts + 70 + i, 10 - i)),
  ];

  test("sums the time of nodes by their kind, a run, without the first runs", () => {
    const starts = [0, 1000, 2000, 3000];
    const warm = (ts: number) => (ts < 2000 ? [node("Conv", ts + 2, 900)] : nodes(ts));
    // The trace has nodes before the run that they belong to.
    const trace = [...starts.flatMap(warm), ...starts.map((ts) => run(ts, ts < 2000 ? 990 : ts / 10))];
    const found = profileOf([{ cat: "Session", name: "session_initialization", ts: 0, dur: 5 }, ...trace]);
    expect(found.ms).toBeCloseTo(0.25);
    expect([found.products, found.others].map((ms) => Math.round(ms * 1000))).toEqual([60, 45]);
    expect(found.kinds.map(({ kind, ms, calls }) => [kind, Math.round(ms * 1000), calls])).toEqual([
      ["Conv", 50, 2],
      ["FusedMatMul", 10, 1],
      ["Add", 10, 1],
      ["Mul", 9, 1],
      ["Sub", 8, 1],
      ["Slice", 7, 1],
    ]);
    expect(found.rest).toEqual({ kinds: 2, ms: expect.closeTo(0.011), calls: 2 });
  });

  test("of too few runs is an error and not a profile of nothing", () => {
    expect(() => profileOf([run(0, 10), run(20, 10)])).toThrow("the runtime's profile has 2 runs; more are needed");
  });

  test("of a step holds what its graph is made of, as the runtime writes it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bench-profile-"));
    const spec = {
      kind: "train",
      model: "resnet10",
      width: 8,
      side: 32,
      classes: 10,
      batch: 4,
      boundary: null,
    } as const;
    const step = buildStep(spec, prepare(spec));
    const program = await compile({ ...step, profile: join(folder, "profile") });
    for (let i = 0; i < 3; i++) await program.run(step.feeds);
    await program.release();
    const { ms, products, others, kinds, rest } = await readProfile(folder);
    await rm(folder, { recursive: true });
    // Which kinds take longest is the machine's; that every run has the same nodes is not.
    expect(kinds.length).toBe(6);
    expect([...kinds, rest].filter(({ calls }) => !Number.isInteger(calls) || calls < 1)).toEqual([]);
    expect(Math.min(products, others)).toBeGreaterThan(0);
    expect(products + others).toBeLessThanOrEqual(ms);
  });
});

describe("cases", () => {
  test("have names of their own, and goals or a curve or neither for a reason", () => {
    const ids = [...cases, ...quickCases].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, goals, peer } of cases)
      if (goals.tuned !== undefined) expect(peer, `${id} is measured against a peer`).toBe(true);
  });

  test("cover every kind in the standard selection and in the quick one", () => {
    const kinds = [
      "critic",
      "epoch",
      "evaluate",
      "fisher",
      "generator",
      "gmi",
      "kedmi",
      "load",
      "plg-critic",
      "plg-generator",
      "plg-mi",
      "start",
      "train",
    ];
    for (const quick of [false, true]) {
      const found = selectCases({ quick }).map(({ spec }) => spec.kind);
      expect([...new Set(found)].sort()).toEqual(kinds);
    }
  });

  test("are chosen by a part of their name, standard or not", () => {
    const found = selectCases({ pattern: "KEDMI/resnet18", quick: false });
    expect(found.map(({ id }) => id)).toEqual([16, 64, 256].map((b) => `kedmi/resnet18/64px/b${b}`));
    expect(found.every(({ standard }) => !standard)).toBe(true);
  });
});

describe("a plan", () => {
  const peer: Peer = { file: "python", python: "3.11", torch: "2.13", compiler: true };
  const standard = selectCases({ quick: false });
  const total = (budget: number, of = peer) => {
    const allotment = allot(standard, of, budget * 60);
    const seconds = planned(standard, of, allotment).reduce((sum, p) => sum + p.seconds, 0);
    return { ...allotment, minutes: seconds / 60 };
  };

  test("of all standard cases keeps to its minutes, and longer ones do for torch.compile in every case that is compiled", () => {
    expect(total(DEFAULT_BUDGET).minutes).toBeLessThanOrEqual(DEFAULT_BUDGET);
    expect(total(COMPILING_BUDGET).minutes).toBeLessThanOrEqual(COMPILING_BUDGET);
    expect(total(COMPILING_BUDGET).compile).toBe(standard.filter(({ compiled }) => compiled).length);
  });

  test("gives longer measurements where there is more time, and gives torch.compile up first where there is less", () => {
    const [little, enough, much] = [total(15), total(25), total(90)];
    expect([little.compile, enough.compile < much.compile]).toEqual([0, true]);
    expect(much.seconds).toBeGreaterThan(little.seconds);
    expect(much.minutes).toBeLessThan(90);
  });

  test("compiles nothing where there is no compiler, and is shorter for it", () => {
    const without = planned(standard, { ...peer, compiler: false }, { seconds: 5, compile: 99 });
    expect(without.every(({ compiled }) => compiled === 0)).toBe(true);
    const once = planned(standard, peer, { seconds: 5, compile: 99 }).filter(({ compiled }) => compiled > 0);
    expect(once.length).toBeGreaterThan(3);
    expect(once.length).toBeLessThan(8);
  });

  test("says so where it does not fit, and a form that is not tried says why", () => {
    const allotment = allot(standard, peer, 60);
    expect(planText(planned(standard, peer, allotment), allotment, 1)).toMatch(/of 1 minutes; more than the budget/);
    const reasons = (id: string, of: Peer, time: boolean) =>
      formsOf(cases.find((c) => c.id === id)!, of, time).flatMap(([, reason]) => reason ?? []);
    expect(reasons("train/resnet18/64px/b64", peer, true)).toEqual([]);
    expect(reasons("train/resnet18/64px/b64", peer, false)).toEqual([expect.stringContaining("no time")]);
    expect(reasons("train/resnet18/64px/b64", { ...peer, compiler: false }, true)).toEqual([
      expect.stringContaining("needs a C++ compiler"),
    ]);
    expect(reasons("train/resnet18/64px/b16", peer, true)).toEqual([expect.stringContaining("one case of each kind")]);
  });
});

test.each([
  [{ loss: 5, norm: 2 }, { loss: 5.0004, norm: 2.009 }, undefined],
  [{ loss: 5, norm: 2 }, { loss: 5.001, norm: 2 }, /peer has loss 5\.001, tl-dmi 5/],
  [{ loss: 5, norm: 2 }, { loss: 5, norm: 2.02 }, /peer has gradient norm 2\.02, tl-dmi 2/],
  [{ loss: -5, norm: 2 }, { loss: 5, norm: 2 }, /loss/],
  [{ loss: 5, norm: 2 }, { loss: Number.NaN, norm: 2 }, /loss NaN/],
])("%j and %j: agreement %s", (ours, theirs, message) => {
  const check = () => checkAgreement("peer", ours, theirs);
  if (message === undefined) expect(check).not.toThrow();
  else {
    expect(check).toThrow(MismatchError);
    expect(check).toThrow(message);
  }
});

test("a Python that is not there is said, with the variable that names another", async () => {
  const found = await findPeer({ ...process.env, TLDMI_BENCH_PYTHON: "/nowhere/python" });
  expect(found).toEqual({
    missing: "no PyTorch peer: /nowhere/python is not there; set TLDMI_BENCH_PYTHON to a Python that has torch",
  });
});

describe("a side", () => {
  const script = (code: string) => ({ what: "the side", file: process.execPath, args: ["-e", code] });
  const talk = (rest: string) => `
    const say = (x) => console.log(JSON.stringify(x));
    say({ loss: 1, norm: 2 });
    require("node:readline").createInterface({ input: process.stdin })
      .on("line", (line) => { ${rest} })
      .on("close", () => say({ peakBytes: 77 }));`;

  test("is checked, run and ended by lines of JSON", async () => {
    const answer = await withSide(script(talk("say({ ms: Array(JSON.parse(line).run).fill(3) })")), async (side) => [
      side.check,
      await side.run(2),
      await side.end(),
      await side.end(),
    ]);
    expect(answer).toEqual([{ loss: 1, norm: 2 }, [3, 3], 77, 77]);
  });

  test.each([
    ["process.exit(3)", "the side: ended with code 3"],
    ["throw new RangeError('too large')", "the side: RangeError: too large"],
    ["console.log('hello')", 'the side: said "hello"'],
  ])("that fails says why: %s", async (code, message) => {
    await expect(withSide(script(code), async () => undefined)).rejects.toThrow(message);
  });

  test("that dies while it is used is an error and not a wait", async () => {
    const dying = withSide(script(talk("process.exit(9)")), (side) => side.run(1));
    await expect(dying).rejects.toThrow("the side: ended with code 9");
  });

  test("that cannot be started says why", async () => {
    const missing = withSide({ what: "the side", file: "/nowhere/x", args: [] }, async () => undefined);
    await expect(missing).rejects.toThrow(/the side: .*ENOENT/);
  });
});
