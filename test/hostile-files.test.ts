import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UserError } from "../src/engine/errors.ts";
import { busy } from "./support/busy.ts";
import { READERS, SOURCES } from "./support/hostile-sources.ts";
import { MUTATIONS, mutated } from "./support/mutate.ts";

/** Mutated files of each of eight formats: 520 in all. */
const FILES = 65;
/** Of processor time, for one copy. */
const SECONDS = 5;
const GIBIBYTES = 2;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hostile-files-"));
});
afterAll(() => rm(folder, { recursive: true }));

test.each(Object.keys(SOURCES))(`${FILES} mutated copies of %s: read, or refused in one line, soon`, async (name) => {
  const sources = await SOURCES[name]!();
  const others = (await Promise.all(Object.values(SOURCES).map((make) => make()))).flat();
  const inside = join(folder, name);
  await mkdir(inside);
  const path = join(inside, name);
  for (const source of sources) {
    await writeFile(path, source);
    await READERS[name]!(path);
  }
  const refused = new Set<string>();
  for (let turn = 0; turn < FILES; turn++) {
    const other = turn % 2 === 0 ? sources.at(-1)! : others[turn % others.length]!;
    const mutation = Object.keys(MUTATIONS)[turn % 5]!;
    const bytes = mutated(sources[Math.floor(turn / 5) % sources.length]!, other, name, turn);
    await writeFile(path, bytes);
    const start = process.cpuUsage();
    try {
      await READERS[name]!(path);
    } catch (error) {
      if (!(error instanceof UserError))
        throw new Error(`copy ${turn} (${mutation}) breaks the reader`, { cause: error });
      // A study's mistakes are listed, one line each with its place.
      const lines = name === "study.yaml" ? /.{10}/s : /^[^\n]{10,620}$/;
      expect(error.message, `copy ${turn} (${mutation})`).toMatch(lines);
      expect(error.message, `copy ${turn} (${mutation}) names the file`).toContain(path);
      expect(error.exitCode, `copy ${turn} (${mutation})`).toBe(2);
      refused.add(mutation);
    }
    expect(busy(start), `seconds for copy ${turn} (${mutation})`).toBeLessThan(SECONDS);
  }
  expect(process.resourceUsage().maxRSS / 2 ** 20).toBeLessThan(GIBIBYTES);
  expect(await readdir(inside)).toEqual([name]);
  // Mutations do what they are for: none of them leaves every copy readable.
  expect([...refused].sort()).toEqual(Object.keys(MUTATIONS).sort());
});

test("names out of a file are shown short, in one line and without what a terminal obeys", async () => {
  const [source] = await SOURCES["legacy.pth"]!();
  const at = Buffer.from(source!).indexOf("DoubleStorage");
  const path = join(folder, "named.pth");
  const name = `\u001b[2J\r${"Doub".repeat(500)}`;
  await writeFile(path, Buffer.concat([source!.subarray(0, at), Buffer.from(name), source!.subarray(at)]));
  const refusal = Promise.resolve(READERS["legacy.pth"]!(path));
  await expect(refusal).rejects.toThrow(/^[^\p{Cc}]{50,620} …$/u);
  await expect(refusal).rejects.toThrow("it asks for the Python object torch.?[2J?DoubDoub");
});

/** CRC-32 as PNG has it. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

test("a small image that claims gigabytes of pixels is refused at once", async () => {
  const [source] = await SOURCES["image.png"]!();
  const bytes = Buffer.from(source!);
  // Width and height of the header, whose checksum then has to fit.
  bytes.writeUInt32BE(12_000, 16);
  bytes.writeUInt32BE(12_000, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  const path = join(folder, "wide.png");
  await writeFile(path, bytes);
  await expect(Promise.resolve(READERS["image.png"]!(path))).rejects.toThrow(
    /wide\.png: cannot be read as an image: .*pixel limit/,
  );
});
