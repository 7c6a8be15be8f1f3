import { EventEmitter } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, expect, test } from "vitest";
import { random } from "../engine/random.ts";
import { modules } from "./modules.ts";
import { runCli } from "./program.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tldmi-check-"));
  for (const folder of ["private/ann", "private/bob", "public/eve"]) {
    await mkdir(join(root, folder), { recursive: true });
    for (let i = 0; i < 3; i++) {
      const rng = random(1, folder, i);
      const pixels = Uint8Array.from({ length: 300 }, () => rng.int(256));
      await sharp(pixels, { raw: { width: 10, height: 10, channels: 3 } }).toFile(join(root, folder, `${i}.png`));
    }
  }
});
afterEach(() => rm(root, { recursive: true }));

async function call(...args: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const io = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    env: {},
    signals: new EventEmitter(),
    exitNow: () => {},
  };
  const code = await runCli(["data", "check", ...args], io, modules);
  return { code, out: out.join(""), err: err.join("") };
}

test("sound folders are counted", async () => {
  const { code, out } = await call(join(root, "private"), "--public", join(root, "public"));
  expect(out.split("\n").map((line) => line.trim().split(/\s{2,}/))).toEqual([
    ["images", "classes", "unreadable", "repeated", "under 3"],
    ["private", "6", "2", "0", "0", "0"],
    ["public", "3", "1", "0", "0", "0"],
    [""],
  ]);
  expect(code).toBe(0);
});

test("what a study would refuse is found, and leaves with 2", async () => {
  await writeFile(join(root, "private/bob/0.png"), "no image");
  await cp(join(root, "private/ann/1.png"), join(root, "public/eve/copy.png"));
  await cp(join(root, "public/eve/2.png"), join(root, "public/eve/twice.png"));
  const { code, out } = await call(join(root, "private"), "--public", join(root, "public"));
  expect(code).toBe(2);
  expect(out).toContain(`unreadable: ${join(root, "private/bob/0.png")}: cannot be read as an image`);
  expect(out).toContain("too few: bob has 2\n");
  expect(out).toContain("repeated: eve/twice.png is eve/2.png\n");
  expect(out).toContain("private and public: ann/1.png is eve/copy.png\n");
  const json = JSON.parse((await call(join(root, "private"), "--public", join(root, "public"), "--json")).out);
  expect(json).toMatchObject({
    private: { images: 6, classes: 2, small: [{ name: "bob", images: 2 }] },
    public: { images: 5, repeated: [{ path: "eve/twice.png", as: "eve/2.png" }] },
    shared: [{ private: "ann/1.png", public: "eve/copy.png" }],
  });
});

test("a folder that is not there, and a minimum that is none, are mistakes", async () => {
  expect(await call(join(root, "no"))).toMatchObject({ code: 2, err: expect.stringContaining("does not exist") });
  expect(await call(root, "--minimum", "1")).toMatchObject({ code: 2, err: expect.stringContaining("at least 3") });
});
