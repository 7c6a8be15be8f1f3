import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { UserError } from "../engine/errors.ts";
import { takeLock, waitForLock } from "./lock.ts";

const lockPath = () => join(mkdtempSync(join(tmpdir(), "tldmi-")), "step.lock");

test("a lock names its process, keeps others out, and is gone once freed", async () => {
  const path = lockPath();
  const lock = await takeLock(path, "target none");
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: process.pid, host: hostname() });
  const second = takeLock(path, "target none");
  await expect(second).rejects.toBeInstanceOf(UserError);
  await expect(second).rejects.toThrow(`target none is being computed by process ${process.pid} on ${hostname()}`);
  await lock.free();
  expect(existsSync(path)).toBe(false);
  await (await takeLock(path, "target none")).free();
});

test("the lock of a dead process is taken over, and nothing is left beside it", async () => {
  const path = lockPath();
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  writeFileSync(path, JSON.stringify({ pid: dead, host: hostname(), born: null }));
  const lock = await takeLock(path, "target none");
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: process.pid });
  expect(readdirSync(dirname(path))).toEqual(["step.lock"]);
  await lock.free();
});

test("a lock whose process number now belongs to another process is taken over", async () => {
  const path = lockPath();
  writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname(), born: "1" }));
  if (!existsSync("/proc/self/stat")) return;
  await (await takeLock(path, "target none")).free();
});

test("the lock of another machine is left alone", async () => {
  const path = lockPath();
  writeFileSync(path, JSON.stringify({ pid: 1, host: "elsewhere.example", born: null }));
  await expect(takeLock(path, "target none")).rejects.toThrow(`on elsewhere.example; wait until it ends`);
  expect(existsSync(path)).toBe(true);
});

test("the lock of another running process is left alone", async () => {
  const path = lockPath();
  const other = spawn(process.execPath, ["-e", "setTimeout(() => {}, 20000)"]);
  try {
    await once(other, "spawn");
    writeFileSync(path, JSON.stringify({ pid: other.pid, host: hostname(), born: null }));
    await expect(takeLock(path, "target none")).rejects.toThrow(`process ${other.pid}`);
  } finally {
    other.kill();
  }
});

test("a lock file that was never filled is taken over", async () => {
  const path = lockPath();
  writeFileSync(path, "");
  await (await takeLock(path, "target none")).free();
});

test("of many that ask at once for a stale lock, one gets it", async () => {
  const path = lockPath();
  writeFileSync(
    path,
    JSON.stringify({ pid: spawnSync(process.execPath, ["-e", ""]).pid, host: hostname(), born: null }),
  );
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(path, "target none")));
  expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(readdirSync(dirname(path))).toEqual(["step.lock"]);
});

test("a guard that a process left behind while it took over a lock does not stay in the way", async () => {
  const path = lockPath();
  writeFileSync(path, "");
  writeFileSync(`${path}.breaking`, "");
  utimesSync(`${path}.breaking`, 0, 0);
  await (await takeLock(path, "target none")).free();
  expect(readdirSync(dirname(path))).toEqual([]);
});

const elsewhere = JSON.stringify({ pid: 7, host: "elsewhere.example", born: null });
const signal = () => new AbortController().signal;

test("who waits for a lock gets it once it is free, and is told once whom it waits for", async () => {
  const path = lockPath();
  const first = await takeLock(path, "target none");
  const told: number[] = [];
  const second = waitForLock(path, { signal: signal(), waiting: ({ pid }) => told.push(pid) });
  await setTimeout(1200);
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: process.pid });
  await first.free();
  expect(await (await second).isOurs()).toBe(true);
  expect(told).toEqual([process.pid]);
});

test("a lock of another machine that shows no sign of life is taken over; one that does is waited for, whatever its clock says", async () => {
  const path = lockPath();
  writeFileSync(path, elsewhere);
  const began = performance.now();
  let jump = 0;
  const beating = setInterval(() => {
    // The owner's clock is a century off, and runs back.
    const seconds = 5e9 - jump++ * 1000;
    if (performance.now() - began < 4000) utimesSync(path, seconds, seconds);
  }, 200);
  const lock = await waitForLock(path, { signal: signal(), waiting: () => {}, life: 1500 });
  clearInterval(beating);
  expect(performance.now() - began).toBeGreaterThan(5000);
  expect(await lock.isOurs()).toBe(true);
});

test("waiting for a lock ends with the signal, and leaves the lock alone", async () => {
  const path = lockPath();
  writeFileSync(path, elsewhere);
  const controller = new AbortController();
  const waits = waitForLock(path, { signal: controller.signal, waiting: () => controller.abort() });
  await expect(waits).rejects.toMatchObject({ name: "AbortError" });
  expect(readFileSync(path, "utf8")).toBe(elsewhere);
});

test("a lock that another has taken over is not removed by its first owner", async () => {
  const path = lockPath();
  const lock = await takeLock(path, "target none");
  writeFileSync(path, elsewhere);
  expect(await lock.isOurs()).toBe(false);
  await lock.free();
  expect(readFileSync(path, "utf8")).toBe(elsewhere);
});

test("process numbers of another container count for nothing, though its host bears the same name", async () => {
  const path = lockPath();
  writeFileSync(path, JSON.stringify({ pid: 1, host: hostname(), born: "1", space: "other boot", token: "" }));
  await expect(takeLock(path, "target none")).rejects.toThrow("is being computed by process 1");
});
