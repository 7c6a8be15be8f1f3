import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { imageTable, type TableRow } from "../../test/support/image-table.ts";
import { UserError } from "../engine/errors.ts";
import type { ImageSet, StudyData } from "./dataset.ts";
import { checkRuns } from "./parquet/runs.ts";
import { openTableFile } from "./parquet/table-file.ts";
import { parquet } from "./parquet.ts";
import { indicesByClass } from "./subset.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tldmi-parquet-"));
});
afterEach(() => rm(root, { recursive: true }));

const at = (...path: string[]) => join(root, ...path);

async function put(path: string, content: Uint8Array): Promise<void> {
  await mkdir(dirname(at(path)), { recursive: true });
  await writeFile(at(path), content);
}

/** A PNG of one grey of its own. */
const picture = (grey: number) =>
  sharp({ create: { width: 9, height: 9, channels: 3, background: { r: grey, g: grey, b: grey } } })
    .png()
    .toBuffer();

/** Rows whose image's grey says label and number: 20 × label + number. */
const rowsOf = (labels: readonly (number | string)[], first = 0): Promise<TableRow[]> =>
  Promise.all(
    labels.map(async (label, i) => ({
      label,
      bytes: await picture(20 * (typeof label === "number" ? label : label.length) + first + i),
    })),
  );

const load = (keys: object): Promise<StudyData> =>
  parquet.load(parquet.config.parse({ root, size: 8, ...keys }), { cacheDir: at("cache"), seed: 3 });

/** The grey of each image. */
async function greys(set: ImageSet): Promise<number[]> {
  const length = set.channels * set.height * set.width;
  const out = new Uint8Array(set.size * length);
  await set.read(
    Array.from({ length: set.size }, (_, i) => i),
    out,
  );
  return Array.from({ length: set.size }, (_, i) => out[i * length]!);
}

const NAMES = ["Ann", "Bob", "Cid", "Dan"];

async function twoShards(): Promise<void> {
  const first = [0, 1, 2, 3, 0, 1, 2, 3, 0];
  await put("data/train-00000-of-00002.parquet", imageTable(await rowsOf(first), { names: NAMES }));
  const second = await rowsOf([1, 2, 3, 3], first.length);
  await put("data/train-00001-of-00002.parquet", imageTable(second, { names: NAMES }));
}

describe("a set of the Hub", () => {
  test("classes have the names in the file's note; every row is an image of its label, over shards and row groups", async () => {
    await twoShards();
    const data = await load({});
    const owned = [data.private.train, data.private.validation, data.private.test];
    expect(data.private.train.classes.length).toBe(2);
    expect([...data.private.train.classes, ...data.public.classes].sort()).toEqual(NAMES);
    expect(owned.reduce((sum, set) => sum + set.size, data.public.size)).toBe(13);
    for (const set of [...owned, data.public]) {
      const labels = Array.from(set.labels, (label) => NAMES.indexOf(set.classes[label]!));
      const rest = (await greys(set)).map((grey, i) => grey - 20 * labels[i]!);
      expect(rest.every((row) => row >= 0 && row < 13)).toBe(true);
      expect(new Set(rest).size).toBe(set.size);
    }
    expect(indicesByClass(data.public).every((list) => list.length >= 3)).toBe(true);
  });

  test("pyarrow's files of every codec and page version hold the same images", async () => {
    const golden = fileURLToPath(new URL("../../test/golden/parquet/", import.meta.url));
    const files = (await readdir(golden)).filter((name) => name.endsWith(".parquet"));
    expect(files.length).toBe(13);
    const hashes = new Set<string>();
    for (const file of files) {
      const { private: owned, public: others } = await load({ root: join(golden, file), channels: 1 });
      hashes.add(`${owned.train.hash} ${others.hash}`);
      for (const [i, grey] of (await greys(others)).entries()) {
        const label = NAMES.indexOf(others.classes[others.labels[i]!]!);
        // The table's images have the greys 20 × label + row, and rows have the labels 0, 1, 2, 3, 0, …
        expect((grey - 20 * label) % 4).toBe(label);
      }
    }
    expect(hashes.size).toBe(1);
  });

  test("text and bare numbers are labels too, in columns that are named", async () => {
    await put(
      "a.parquet",
      imageTable(await rowsOf(["x", "x", "yy", "yy", "x", "yy", "zzz"]), { label: "who", image: "img" }),
    );
    const text = await load({ label: "who", image: "img", identities: 2 });
    expect(text.private.train.classes).toEqual(["x", "yy"]);
    expect(text.public.classes).toEqual(["zzz"]);
    await put("a.parquet", imageTable(await rowsOf([10, 10, 10, 9, 9, 9, 2]), { label: "celeb_id" }));
    const numbers = await load({});
    expect(numbers.private.train.classes).toEqual(["9", "10"]);
  });

  test("a part is one of several; another table is the attacker's", async () => {
    await put(
      "d/train-00000-of-00001.parquet",
      imageTable(await rowsOf([0, 0, 0, 1, 1, 1]), { names: NAMES.slice(0, 2) }),
    );
    await put("d/test-00000-of-00001.parquet", imageTable(await rowsOf([-1]), { names: NAMES.slice(0, 2) }));
    await put("others/0000.parquet", imageTable(await rowsOf([5, 6, 7], 30), { label: "whatever" }));
    const keys = { root: at("d"), part: "train", public: at("others") };
    const data = await load(keys);
    expect(data.private.train.classes).toEqual(["Ann", "Bob"]);
    expect([data.public.classes, data.public.size]).toEqual([["public"], 3]);
    await expect(load({ ...keys, part: "valid" })).rejects.toThrow('no parquet file of the part "valid"');
    await expect(load({ ...keys, part: undefined })).rejects.toThrow(
      "test-00000-of-00001.parquet: row 0 has the label -1",
    );
  });

  test("reads the same images again from the cache, and anew where a shard has changed", async () => {
    await twoShards();
    const first = (await load({ identities: 2 })).private.train.hash;
    expect((await load({ identities: 2 })).private.train.hash).toBe(first);
    await put(
      "data/train-00000-of-00002.parquet",
      imageTable(await rowsOf([0, 1, 2, 3, 0, 1, 2, 3, 0], 60), { names: NAMES }),
    );
    expect((await load({ identities: 2 })).private.train.hash).not.toBe(first);
  });

  test("another column of the same file has its own images", async () => {
    const rows = await rowsOf([0, 0, 0, 1, 1, 1]);
    const blurred = await Promise.all(rows.map((_, i) => picture(200 + i)));
    await put("d/a.parquet", imageTable(rows, { names: NAMES.slice(0, 2), image: "sharp", others: { blurred } }));
    await put("p/b.parquet", imageTable(await rowsOf([0, 0], 90)));
    const keys = { root: at("d"), public: at("p") };
    const clear = await load({ ...keys, image: "sharp" });
    const other = await load({ ...keys, image: "blurred" });
    expect((await greys(clear.private.train)).every((grey) => grey < 100)).toBe(true);
    expect((await greys(other.private.train)).every((grey) => grey >= 200)).toBe(true);
    expect(other.private.train.hash).not.toBe(clear.private.train.hash);
  });
});

describe("mistakes", () => {
  const refused = async (table: Uint8Array, keys: object, message: string) => {
    await put("a.parquet", table);
    const loading = load(keys);
    await expect(loading).rejects.toBeInstanceOf(UserError);
    await expect(loading).rejects.toThrow(message);
  };

  test("are told with the file, and where there is one with the row", async () => {
    const rows = await rowsOf([0, 0, 0, 1, 1, 1]);
    const names = ["a", "b"];
    await refused(imageTable(rows, { label: "who" }), {}, "a.parquet: has no column of classes; name one as label");
    await refused(imageTable(rows), { label: "who" }, 'has no column "who"; it has the columns image, label');
    await refused(imageTable(rows), { image: "label" }, 'column "label" holds no encoded images');
    await refused(imageTable(rows, { names: ["a"] }), {}, "a.parquet: row 3 has the label 1; expected 0 to 0");
    await refused(imageTable(rows, { names }), {}, "all 2 classes");
    const publicFolder = { public: at("none") };
    await refused(imageTable(rows, { names }), publicFolder, "none does not exist");
    const hollow = rows.map((row, i) => (i === 2 ? { ...row, bytes: null } : row));
    await put("p/b.parquet", imageTable(await rowsOf([1], 90)));
    const others = { root: at("a.parquet"), public: at("p") };
    await refused(imageTable(hollow, { names }), others, "a.parquet row 2: holds no image");
    const unlabelled = rows.map((row, i) => (i === 1 ? { ...row, label: null } : row));
    await refused(imageTable(unlabelled, { names }), others, "a.parquet: row 1 has no label");
    const broken = rows.map((row, i) => (i === 4 ? { ...row, bytes: Buffer.from("no picture") } : row));
    await refused(imageTable(broken, { names }), others, "a.parquet row 4: cannot be read as an image");
    await refused(Buffer.from("PAR1 and nothing else PAR1"), {}, "a.parquet: cannot be read as a parquet file");
    await expect(load({ root: at("p", "..", "cache") })).rejects.toThrow("holds no parquet file");
  });

  test("an image that is private and public is found", async () => {
    await put("d/a.parquet", imageTable(await rowsOf([0, 0, 0, 1, 1, 1])));
    await put("p/b.parquet", imageTable((await rowsOf([0, 0, 0, 1, 1, 1])).slice(4)));
    await expect(load({ root: at("d"), public: at("p") })).rejects.toThrow(
      `b.parquet row 0 shows the same as ${at("d", "a.parquet")} row 4`,
    );
  });

  test("a run of more values than a page has is refused before it is written out", () => {
    const run = (values: number) => Uint8Array.of(((values << 1) & 0x7f) | 0x80, values >> 6, 1);
    expect(() => checkRuns(run(100), 1, 100)).not.toThrow();
    expect(() => checkRuns(run(101), 1, 100)).toThrow("a run of 101 values, where 100 are left");
    expect(() => checkRuns(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x01), 1, 9)).toThrow("does not end");
    expect(() => checkRuns(Uint8Array.of(2, 0), 33, 9)).toThrow("33 bits");
  });
});

test("of a table one column of one row group is read at a time: damage elsewhere does not matter to it", async () => {
  const rows = await rowsOf([0, 1, 2, 0, 1, 2, 0, 1, 2]);
  const bytes = imageTable(rows, { rows: 3, codec: "UNCOMPRESSED" });
  // The last image's bytes, in the last row group, are overwritten together with the page that they are in.
  const last = Buffer.from(bytes).lastIndexOf(Buffer.from(rows[6]!.bytes!).subarray(0, 60));
  await put("a.parquet", bytes.fill(0xff, last - 60, last));
  const table = await openTableFile(at("a.parquet"));
  expect((await table.column(1, ["image", "bytes"])).map((image) => (image as Uint8Array).length)).toEqual(
    rows.slice(3, 6).map(({ bytes: image }) => image!.length),
  );
  expect(await table.column(2, ["label"])).toEqual([0n, 1n, 2n]);
  await expect(table.column(2, ["image", "bytes"])).rejects.toThrow("column image.bytes of row group 2");
  await table.close();
});
