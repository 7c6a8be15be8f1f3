import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryName } from "../engine/atomic-file.ts";
import { UserError } from "../engine/errors.ts";
import { Interrupted } from "./interrupted.ts";
import { loadData, readStudy } from "./read-study.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "read-study-"));
  await writeFile(join(folder, "g.safetensors"), "weights");
});
afterAll(() => rm(folder, { recursive: true }));

const read = async (checkpoint: string) => {
  const file = join(folder, "study.yaml");
  await writeFile(
    file,
    `name: s
data: { kind: mnist }
model: resnet10
evaluation: { model: resnet10 }
defenses: [none]
attacks: [ppa]
priors: [{ kind: stylegan, checkpoint: ${checkpoint} }]
`,
  );
  return readStudy(file);
};
const sha256 = createHash("sha256").update("weights").digest("hex");

test("a checkpoint's path starts at the study file, and its digest is written down", async () => {
  const { study } = await read("{ file: g.safetensors, side: 1024 }");
  expect(study.priors[0]).toMatchObject({
    checkpoint: { file: join(folder, "g.safetensors"), sha256, side: 1024 },
  });
});

test("a checkpoint that is missing, or another one than the study says, is the user's mistake", async () => {
  await expect(read("{ file: h.safetensors, side: 1024 }")).rejects.toThrow(UserError);
  await expect(read("{ file: h.safetensors, side: 1024 }")).rejects.toThrow(/h\.safetensors cannot be read \(ENOENT\)/);
  const other = "0".repeat(64);
  await expect(read(`{ file: g.safetensors, side: 1024, sha256: "${other}" }`)).rejects.toThrow(`has ${sha256}, not`);
});

test("data that are being decoded can be interrupted, and what was left half-written in the cache long ago is gone", async () => {
  for (const name of ["private/ada", "private/bea", "public/cy"]) {
    await mkdir(join(folder, name), { recursive: true });
    for (let i = 0; i < 3; i++) {
      const background = { r: name.length, g: 40 * i, b: name.charCodeAt(name.length - 1) };
      await sharp({ create: { width: 8, height: 8, channels: 3, background } }).toFile(join(folder, name, `${i}.png`));
    }
  }
  const cache = join(folder, "cache");
  await mkdir(cache);
  const left = temporaryName(join(cache, "images.u8"));
  await writeFile(left, "private pixels");
  await utimes(left, 1, 1);
  const file = join(folder, "folders.yaml");
  await writeFile(
    file,
    `name: s
data: { kind: folder, private: private, public: public, size: 8 }
model: resnet10
evaluation: { model: resnet10 }
defenses: [none]
attacks: [ppa]
`,
  );
  const read = await readStudy(file);
  const stop = new AbortController();
  const loading = loadData(read, cache, () => stop.abort(), stop.signal);
  await expect(loading).rejects.toBeInstanceOf(Interrupted);
  expect(await readdir(cache)).toEqual([]);
  expect((await loadData(read, cache, () => {})).public.size).toBe(3);
});
