import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryName } from "../engine/atomic-file.ts";
import { removeLeftBehind, signedTemporaryName } from "./left-behind.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tldmi-left-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Writes a file that was last changed so many hours ago. */
async function put(path: string, hours = 0): Promise<string> {
  await writeFile(path, "pixels");
  const then = Date.now() / 1000 - hours * 3600;
  await utimes(path, then, then);
  return basename(path);
}

/** A file's name as another process would have signed it. */
async function signedBy(change: { pid?: number; born?: string; place?: string }): Promise<string> {
  const path = await signedTemporaryName(join(folder, "images.u8"));
  const [, pid, born, place] = /\.(\d+)-(\d*)-([0-9a-f]{16})\./.exec(path)!;
  const to = { pid, born, place, ...change };
  return path.replace(`${pid}-${born}-${place}`, `${to.pid}-${to.born}-${to.place}`);
}

test("what a dead process was writing goes, whatever its age", async () => {
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  await put(await signedBy({ pid: dead }));
  // A process that has the number of a dead one, but began at another time.
  if (process.platform === "linux") await put(await signedBy({ born: "1" }));
  await removeLeftBehind(folder);
  expect(await readdir(folder)).toEqual([]);
});

test("what a living process is writing stays, however old, and so does all that is no temporary file", async () => {
  const living = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await once(living, "spawn");
  const kept = [
    await put(await signedTemporaryName(join(folder, "images.u8")), 1000),
    await put(await signedBy({ pid: living.pid!, born: "" }), 1000),
    await put(join(folder, "images-0123.u8"), 1000),
    await put(join(folder, "0123.u8.part"), 1000),
  ];
  await removeLeftBehind(folder);
  living.kill();
  expect((await readdir(folder)).sort()).toEqual(kept.sort());
});

test("of a writer elsewhere, or an unknown one, only the file's age tells", async () => {
  const elsewhere = { pid: 1, place: "0".repeat(16) };
  const kept = [
    await put(await signedBy(elsewhere), 23),
    await put(temporaryName(join(folder, "images.u8")), 23),
    await put(temporaryName(join(folder, "folder.json"))),
  ];
  await put(await signedBy(elsewhere), 25);
  await put(temporaryName(join(folder, "images.u8")), 25);
  await removeLeftBehind(folder);
  expect((await readdir(folder)).sort()).toEqual(kept.sort());
});

test("a folder that is not there has nothing left behind", async () => {
  await expect(removeLeftBehind(join(folder, "none"))).resolves.toBeUndefined();
});
