import { fork } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, expect, test } from "vitest";
import { openProcessQueue, startStepProcess } from "./process-queue.ts";
import type { QueuedStep, QueueEvent, StepDispatch } from "./queue.ts";

const HAND = fileURLToPath(new URL("../../test/support/hand.mjs", import.meta.url));

const opened: StepDispatch[] = [];
afterEach(async () => {
  for (const queue of opened.splice(0)) await queue.close();
});

/** A queue of real processes that do what the names of steps say. */
async function queueOf(count: number, start = () => fork(HAND, { execArgv: [] })) {
  let begun = 0;
  const queue = openProcessQueue({
    count,
    start: () => {
      begun++;
      return start();
    },
  });
  opened.push(queue);
  const told: QueueEvent[] = [];
  let wake = () => {};
  await queue.watch((event) => {
    told.push(event);
    wake();
  });
  /** Waits until so many steps have ended. */
  const ended = async (steps: number) => {
    while (told.filter(({ type }) => type !== "progress").length < steps) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const order = () => told.flatMap((event) => (event.type === "progress" ? [event.id] : []));
  const processes = () =>
    new Set(
      told.flatMap((e) =>
        e.type === "progress" && e.event.type === "warning" ? [e.event.message.split(" by ")[1]] : [],
      ),
    );
  return { queue, told, ended, order, processes, begun: () => begun };
}

const step = (id: string, name: string, priority = 100): QueuedStep => ({ id, name, grid: "g", priority });

test("steps go to no more processes than there may be, the lowest number first, and processes are kept", async () => {
  const { queue, ended, order, processes, begun } = await queueOf(1);
  await queue.add([step("a", "works"), step("b", "works", 7), step("c", "works", 50), step("c", "works", 50)]);
  expect([await queue.look("b"), await queue.look("a")]).toEqual([{ state: "active" }, { state: "waiting" }]);
  expect(await queue.counts()).toEqual({ running: 1, waiting: 2, workers: 1 });
  await ended(3);
  expect(order()).toEqual(["b", "c", "a"]);
  expect([begun(), processes().size]).toEqual([1, 1]);
  expect([await queue.look("a"), await queue.counts()]).toEqual([
    { state: "absent" },
    { running: 0, waiting: 0, workers: 1 },
  ]);
  await queue.add([step("d", "works")]);
  await ended(4);
  expect(begun()).toBe(1);
});

test("two are at work at once", async () => {
  const { queue } = await queueOf(2);
  await queue.add(["a", "b", "c"].map((id) => step(id, "waits")));
  expect(await queue.counts()).toEqual({ running: 2, waiting: 1, workers: 2 });
  await queue.remove("c");
  expect(await queue.look("c")).toEqual({ state: "absent" });
  await queue.remove("a");
  expect(await queue.look("a"), "one that is under way stays").toEqual({ state: "active" });
});

test("a step that fails stays failed until it is taken out; the process goes on", async () => {
  const { queue, ended, begun } = await queueOf(1);
  await queue.add([step("a", "fails NaN"), step("b", "works")]);
  await ended(2);
  expect(await queue.look("a")).toEqual({ state: "failed", message: "NaN" });
  await queue.add([step("a", "works")]);
  expect((await queue.look("a")).state).toBe("failed");
  await queue.remove("a");
  await queue.add([step("a", "works")]);
  await ended(3);
  expect([(await queue.look("a")).state, begun()]).toEqual(["absent", 1]);
});

test("a process that dies takes its step along and nothing else", async () => {
  const { queue, ended, begun } = await queueOf(1);
  await queue.add([step("a", "dies"), step("b", "exits 3"), step("c", "works")]);
  await ended(3);
  expect(await queue.look("a")).toEqual({ state: "failed", message: expect.stringMatching(/SIGKILL.*memory/) });
  expect(await queue.look("b")).toEqual({ state: "failed", message: "its process ended: exit code 3" });
  expect([(await queue.look("c")).state, begun()]).toEqual(["absent", 3]);
});

test("a step whose process was told to end goes on in another", async () => {
  const { queue, told, begun } = await queueOf(1);
  await queue.add([step("a", "stops")]);
  while (begun() < 3) await new Promise((later) => setTimeout(later, 20));
  expect(told.filter(({ type }) => type !== "progress")).toEqual([]);
  expect((await queue.look("a")).state).toMatch(/active|waiting/);
});

test("a process that cannot be begun fails its step", async () => {
  const { queue, ended } = await queueOf(1, () => fork(HAND, { execArgv: [], cwd: "/no/such/folder" }));
  await queue.add([step("a", "works")]);
  await ended(1);
  expect(await queue.look("a")).toEqual({ state: "failed", message: expect.stringMatching(/ended: .*ENOENT/) });
});

test("a process of steps collects garbage on one thread and asks for large pages, unless the user says otherwise", async () => {
  const settings = { runsDir: "/runs", threads: 1, device: "cpu" } as const;
  const { queue, ended } = await queueOf(1, () => startStepProcess(settings, pathToFileURL(HAND)));
  const { env } = process;
  process.env = { ...env, GLIBC_TUNABLES: "glibc.malloc.hugetlb=0" };
  try {
    await queue.add([step("a", "tells")]);
  } finally {
    process.env = env;
  }
  await ended(1);
  const state = await queue.look("a");
  if (state.state !== "failed") throw new Error(state.state);
  const begun = JSON.parse(state.message) as { execArgv: string[]; tunables: string; settings: string };
  expect(begun.execArgv).toContain("--single-threaded-gc");
  expect(begun.tunables, "glibc goes by the last").toBe("glibc.malloc.hugetlb=1:glibc.malloc.hugetlb=0");
  expect(JSON.parse(begun.settings)).toEqual(settings);
});
