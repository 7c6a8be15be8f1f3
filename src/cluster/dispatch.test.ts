import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StudyEvent } from "../study/events.ts";
import { stepFolder } from "../study/step-record.ts";
import { openStepStore } from "../study/step-store.ts";
import { type PlannedStep, planStep, stepRunner } from "../study/steps/planned.ts";
import { type DispatchOptions, dispatch } from "./dispatch.ts";
import { folderStore } from "./folder-store.ts";
import type { QueuedState, QueueEvent, StepQueue } from "./queue.ts";
import { stepGraph } from "./step-graph.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "dispatch-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const step = (name: string, ...needs: PlannedStep[]): PlannedStep =>
  planStep(
    name,
    { kind: "step", version: 1, config: { name } },
    Object.fromEntries(needs.map((need) => [need.name, need])),
    async ({ dir }) => writeFileSync(join(dir, "out"), name),
  );
const idOf = ({ spec }: PlannedStep) => stepFolder(spec);

const start = step("start");
const target = step("target", start);
const prior = step("prior");
const attack = step("attack", target, prior);
const evaluation = step("evaluation", attack, target);
const alone = step("alone", start);
const all = [start, target, prior, attack, evaluation, alone];
const byId = new Map(all.map((s) => [idOf(s), s]));

const never = new AbortController().signal;

/** Computes a step into the store, as a worker would. */
async function compute(planned: PlannedStep): Promise<void> {
  await stepRunner(openStepStore({ root: join(root, "steps"), events: () => {}, signal: never }), () => {})(planned);
}

test("a graph begins where nothing is needed and goes on where everything needed is done", async () => {
  const graph = await stepGraph([[evaluation, alone]], async () => false);
  const names = (steps: readonly PlannedStep[]) => steps.map(({ name }) => name);
  expect([graph.size, graph.left(), names(graph.ready())]).toEqual([6, 6, ["start", "prior"]]);
  expect(
    ["start", "prior", "attack", "alone"].map((n) => graph.place(idOf(all.find((s) => s.name === n)!)).height),
  ).toEqual([4, 3, 2, 1]);
  expect(names(graph.finish(idOf(start)))).toEqual(["target", "alone"]);
  expect(names(graph.finish(idOf(start))), "once").toEqual([]);
  expect(names(graph.finish(idOf(target)))).toEqual([]);
  expect(names(graph.finish(idOf(prior)))).toEqual(["attack"]);
  graph.fail(idOf(attack));
  expect(graph.left()).toBe(1);
  expect(graph.isOpen(idOf(attack))).toBe(false);
  expect(graph.isOpen(idOf(evaluation))).toBe(false);
});

test("a step is of the first wave that wants it", async () => {
  const graph = await stepGraph([[alone], [evaluation]], async () => false);
  const waves = all.map((one) => `${one.name} ${graph.place(idOf(one)).wave}`);
  expect(waves).toEqual(["start 0", "target 1", "prior 1", "attack 1", "evaluation 1", "alone 0"]);
});

test("what a finished step rested on is not wanted", async () => {
  const graph = await stepGraph([[evaluation, alone]], async ({ name }) => name === "attack" || name === "start");
  expect(graph.ready().map(({ name }) => name)).toEqual(["target", "alone"]);
  expect(graph.size).toBe(3);
});

/** A queue in memory whose only worker does a step as soon as it is added; `lose` says which additions are lost. */
function memoryQueue(work: (planned: PlannedStep) => Promise<void>, lose: (id: string) => boolean = () => false) {
  const added: string[] = [];
  const states = new Map<string, QueuedState>();
  let listener: (event: QueueEvent) => void = () => {};
  const queue: StepQueue = {
    async add(steps) {
      for (const { id, priority } of steps) {
        if (states.has(id)) continue;
        const planned = byId.get(id)!;
        added.push(`${planned.name} ${priority}`);
        if (lose(id)) continue;
        states.set(id, { state: "active" });
        void work(planned).then(
          () => {
            states.delete(id);
            listener({ type: "done", id });
          },
          (error: Error) => {
            states.set(id, { state: "failed", message: error.message });
            listener({ type: "failed", id });
          },
        );
      }
    },
    look: async (id) => states.get(id) ?? { state: "absent" },
    remove: async (id) => void states.delete(id),
    counts: async () => ({ running: 0, waiting: 0, workers: 1 }),
    async watch(hear) {
      listener = hear;
      return async () => {};
    },
    work: () => Promise.reject(new Error("not needed by this test")),
    close: async () => {},
  };
  return { queue, added, states, tell: (event: QueueEvent) => listener(event) };
}

function options(queue: StepQueue, change: Partial<DispatchOptions> = {}): DispatchOptions {
  return {
    queue,
    steps: all,
    waves: [[evaluation, alone]],
    finished: folderStore(root).finished,
    grid: "g",
    priority: 7,
    events: () => {},
    signal: never,
    look: 100,
    ...change,
  };
}

test("steps are added once what they need is done, the longest chains first, and told of when the store has them", async () => {
  const { queue, added } = memoryQueue(compute);
  const events: StudyEvent[] = [];
  await dispatch(options(queue, { events: (e) => events.push(e) }));
  expect(added.slice(0, 2)).toEqual(["start 6006", "prior 6007"]);
  expect(added.at(-1)).toBe("evaluation 6009");
  expect(added).toHaveLength(6);
  expect(events.filter(({ type }) => type === "step-finished")).toHaveLength(6);

  const again: StudyEvent[] = [];
  await dispatch(options(queue, { events: (e) => again.push(e) }));
  expect(added, "nothing is done twice").toHaveLength(6);
  expect(again).toEqual(
    [evaluation, alone].map(({ name }) =>
      expect.objectContaining({ type: "step-finished", step: name, source: "store" }),
    ),
  );
});

test("a step of an earlier wave goes before a longer chain of a later one", async () => {
  const { queue, added } = memoryQueue(compute);
  await dispatch(options(queue, { waves: [[alone], [evaluation]] }));
  const priority = (name: string) => Number(added.find((line) => line.startsWith(`${name} `))!.split(" ")[1]);
  expect(priority("alone")).toBeLessThan(priority("target"));
  expect(priority("target")).toBeLessThan(priority("evaluation"));
});

test("what a queue has lost is added anew", async () => {
  const lost = new Set<string>();
  const once = (id: string) => !lost.has(id) && lost.add(id).size > 0;
  const { queue, added } = memoryQueue(compute, once);
  await dispatch(options(queue));
  expect(added).toHaveLength(12);
});

test("a step that a queue calls done and the store lacks is not done", async () => {
  let lies = 1;
  const { queue, added } = memoryQueue(async (planned) => {
    if (planned === prior && lies-- > 0) return;
    await compute(planned);
  });
  await dispatch(options(queue));
  expect(added.filter((line) => line.startsWith("prior"))).toHaveLength(2);
});

test("a failed step takes along what rests on it and nothing else; the next attempt begins it anew", async () => {
  let fails = true;
  const { queue } = memoryQueue(async (planned) => {
    if (planned === target && fails) throw new Error("the loss is NaN");
    await compute(planned);
  });
  const told: string[] = [];
  const outcome = {
    failed: ({ name }: PlannedStep, message: string) => told.push(`${name}: ${message}`),
    ended: ({ name }: PlannedStep) => told.push(name),
  };
  await dispatch(options(queue, { outcome }));
  expect(told.indexOf("target: the loss is NaN")).toBeLessThan(told.indexOf("evaluation"));
  expect(told.toSorted()).toEqual(["alone", "evaluation", "target: the loss is NaN"]);
  fails = false;
  told.length = 0;
  await dispatch(options(queue, { outcome }));
  expect(told.toSorted()).toEqual(["alone", "evaluation"]);
});

test("a server that answers with errors is asked again, and that is said", async () => {
  const { queue } = memoryQueue(compute);
  let answers = 0;
  const events: StudyEvent[] = [];
  const moody: StepQueue = {
    ...queue,
    async add(steps) {
      if (++answers < 3) throw new Error("connection terminated");
      await queue.add(steps);
    },
  };
  await dispatch(options(moody, { events: (e) => events.push(e) }));
  expect(events).toContainEqual({
    type: "warning",
    message: "the queue does not answer (connection terminated); trying again",
  });
});

test("a cancelled grid takes out what it added, though the server is away", async () => {
  const controller = new AbortController();
  const { queue, states } = memoryQueue(() => new Promise(() => {}));
  const cancelled = dispatch(options(queue, { signal: controller.signal }));
  setTimeout(() => controller.abort(), 50);
  await expect(cancelled).rejects.toMatchObject({ name: "Interrupted" });
  expect(states.size).toBe(0);

  const away = new AbortController();
  const silent = { ...queue, add: () => new Promise<void>(() => {}) };
  const waiting = dispatch(options(silent, { signal: away.signal }));
  setTimeout(() => away.abort(), 50);
  await expect(waiting).rejects.toMatchObject({ name: "Interrupted" });
});

test("another grid's steps on the same queue are nothing to this one", async () => {
  const { queue, tell } = memoryQueue(compute);
  const events: StudyEvent[] = [];
  const dispatched = dispatch(options(queue, { events: (e) => events.push(e) }));
  setTimeout(() => tell({ type: "progress", id: "other-1", event: { type: "warning", message: "theirs" } }), 5);
  await dispatched;
  expect(events.filter(({ type }) => type === "warning")).toEqual([]);
});
