import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UserError } from "../engine/errors.ts";
import { readStudy } from "./read-study.ts";

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
