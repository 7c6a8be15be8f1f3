import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { random } from "../engine/random.ts";
import { celeba } from "./celeba.ts";
import { facescrub, pubfig, stanfordDogs, vggface2 } from "./class-folders.ts";
import { csv } from "./csv.ts";
import type { DataSource } from "./data.ts";
import type { ImageSet, StudyData } from "./dataset.ts";
import { ffhq } from "./ffhq.ts";
import { cifar10, emnist, fashionMnist } from "./small-images.ts";
import { indicesByClass } from "./subset.ts";

// Small trees with the published sets' layouts, names, sizes and quirks.

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tldmi-sets-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const at = (...path: string[]) => join(root, ...path);

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(at(path)), { recursive: true });
  await writeFile(at(path), content);
}

/** Random pixels, or dark ones with a square of one bright colour of its own in the middle. */
async function image(path: string, width: number, height: number, middle?: number): Promise<void> {
  await mkdir(dirname(at(path)), { recursive: true });
  const rng = random(1, path);
  const bright = [0, 1, 2].map(() => 180 + rng.int(60));
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    if (middle === undefined) return rng.int(256);
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const [left, top] = [Math.floor((width - middle) / 2), Math.floor((height - middle) / 2)];
    return x >= left && x < left + middle && y >= top && y < top + middle ? bright[i % 3]! : 20;
  });
  await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(at(path));
}

const load = <S extends z.ZodObject>(source: DataSource<string, S>, keys: object) =>
  source.load(source.config.parse(keys), { cacheDir: at("cache"), seed: 3 });

async function pixels(set: ImageSet, index = 0): Promise<Uint8Array> {
  const out = new Uint8Array(set.channels * set.height * set.width);
  await set.read([index], out);
  return out;
}

const sizes = (set: ImageSet) => indicesByClass(set).map((list) => list.length);

describe("celeba", () => {
  /** Six people with 6, 5, 5, 4, 2 and 1 images, in mixed order, 178×218. */
  async function tree(format = "jpg"): Promise<void> {
    const people = [
      2880, 7, 15, 7, 2880, 15, 15, 7, 900, 2880, 900, 7, 2880, 15, 33, 900, 7, 2880, 15, 33, 900, 2880, 1,
    ];
    const rows: string[] = [];
    for (const [i, person] of people.entries()) {
      const name = String(i + 1).padStart(6, "0");
      await image(`img_align_celeba/${name}.${format}`, 178, 218);
      rows.push(`${name}.jpg ${person}`);
    }
    await put("identity_CelebA.txt", `${rows.join("\r\n")}\r\n`);
  }

  test("private people have enough images, the attacker has other people's", async () => {
    await tree();
    const data = await load(celeba, { root, identities: 3, minimum: 5, size: 16 });
    expect(data.private.train.classes).toEqual(["7", "15", "2880"]);
    expect(data.public.classes).toEqual(["1", "33", "900"]);
    expect([...sizes(data.private.train), ...sizes(data.private.test)]).toEqual([3, 3, 4, 1, 1, 1]);
    expect(data.public.size).toBe(7);
  });

  test("PPA's choice is the people with most images; a smaller public set is drawn", async () => {
    await tree("png");
    const data = await load(celeba, {
      root,
      identities: 2,
      minimum: 3,
      choose: "most-images",
      publicImages: 4,
      size: 16,
    });
    expect(data.private.train.classes).toContain("2880");
    expect(data.public.size).toBe(4);
  });

  test("keeps the 108 pixels in the middle that the field keeps", async () => {
    for (let i = 1; i <= 8; i++) await image(`img_align_celeba/00000${i}.png`, 178, 218, i < 8 ? 108 : 106);
    await put("identity_CelebA.txt", [1, 1, 1, 2, 2, 2, 3, 3].map((p, i) => `00000${i + 1}.jpg ${p}`).join("\n"));
    const data = load(celeba, { root, identities: 2, minimum: 3, size: 108, lists: undefined });
    expect((await pixels((await data).private.train)).every((b) => b >= 180)).toBe(true);
  });

  test("the field's split files say who is private", async () => {
    await tree();
    await put("lists/train.txt", "000001.jpg 0\n000005.jpg 0\n000010.jpg 0\n000002.jpg 1\n000004.jpg 1\n");
    await put("lists/test.txt", "000013.jpg 0\n000008.jpg 1\n");
    await put("lists/ganset.txt", "000009.jpg 4\n000011.jpg 4\n000015.jpg 5\n");
    const lists = { train: at("lists/train.txt"), test: at("lists/test.txt"), public: at("lists/ganset.txt") };
    const data = await load(celeba, { root, size: 16, lists });
    expect([sizes(data.private.train), sizes(data.private.validation), sizes(data.private.test)]).toEqual([
      [2, 1],
      [1, 1],
      [1, 1],
    ]);
    expect(data.public.size).toBe(3);
    // A test image that was trained on, or that the attacker has, makes numbers worthless.
    const first = at("img_align_celeba", "000001.jpg");
    await put("lists/test.txt", "000013.jpg 0\n000008.jpg 1\n000001.jpg 0\n");
    await expect(load(celeba, { root, size: 16, lists })).rejects.toThrow(
      `the private test set holds 1 of the private training images (first: 000001.jpg shows the same as ${first})`,
    );
    await put("lists/test.txt", "000013.jpg 0\n000008.jpg 1\n");
    await put("lists/ganset.txt", "000009.jpg 4\n000013.jpg 4\n000015.jpg 5\n");
    await expect(load(celeba, { root, size: 16, lists })).rejects.toThrow(
      `the public set holds 1 of the private test images (first: 000013.jpg shows the same as ${at("img_align_celeba", "000013.jpg")})`,
    );
  });

  test.each([
    ["too few people", { identities: 4, minimum: 5 }, "celeba: 3 of 6 classes under"],
    ["nobody left for the attacker", { identities: 6, minimum: 3 }, "celeba: 4 of 6 classes under"],
    [
      "a crop that images do not have",
      { identities: 2, minimum: 5, crop: 200 },
      "it has 178×218 pixels, the crop asks for 200×200",
    ],
  ])("%s", async (_what, keys, message) => {
    await tree();
    const loading = load(celeba, { root, ...keys });
    await expect(loading).rejects.toBeInstanceOf(UserError);
    await expect(loading).rejects.toThrow(message);
  });

  test("a list's mistakes are told with their line, and missing images with their number", async () => {
    await put("identity_CelebA.txt", "000001.jpg 1\n000002.jpg one\n");
    await expect(load(celeba, { root })).rejects.toThrow(
      `${at("identity_CelebA.txt")}:2: expected an image and a number`,
    );
    await put("identity_CelebA.txt", "000001.jpg 1\n000002.jpg 2\n");
    await expect(load(celeba, { root })).rejects.toThrow("img_align_celeba does not exist");
    await image("img_align_celeba/000001.jpg", 178, 218);
    await expect(load(celeba, { root })).rejects.toThrow("lacks 1 of the 2 images");
  });
});

describe("one directory a class", () => {
  const folders = async (names: readonly string[], count = 3) => {
    for (const name of names) for (let i = 0; i < count; i++) await image(`${name}/${i}.jpg`, 24, 24);
  };

  test("facescrub: actors before actresses, from faces/", async () => {
    await folders(["actors/faces/Zed Ax", "actors/faces/Al B", "actresses/faces/Amy C", "actresses/faces/Eve D"]);
    await folders(["actors/images/Zed Ax"]);
    const data = await load(facescrub, { root, identities: 2, size: 8 });
    const all = [...data.private.train.classes, ...data.public.classes].sort();
    expect(all).toEqual(["Al B", "Amy C", "Eve D", "Zed Ax"]);
    expect(data.public.size).toBe(6);
  });

  test("facescrub: all private, with FFHQ's thumbnails for the attacker", async () => {
    await folders(["Al B", "Amy C"]);
    for (const name of ["00000/00000", "00000/00001", "01000/01000"])
      await image(`../${root.split("/").at(-1)}-ffhq/${name}.png`, 128, 128, 88);
    const data = await load(facescrub, { root, identities: 2, size: 88, public: `${root}-ffhq`, publicCrop: 88 });
    expect(data.public.classes).toEqual(["public"]);
    expect(data.public.size).toBe(3);
    expect((await pixels(data.public)).every((b) => b >= 180)).toBe(true);
    await rm(`${root}-ffhq`, { recursive: true });
  });

  test("facescrub: nobody left for the attacker is a mistake", async () => {
    await folders(["Al B", "Amy C"]);
    await expect(load(facescrub, { root, identities: 2 })).rejects.toThrow(
      "none is left for the attacker; lower identities",
    );
  });

  test("vggface2: the test part's people are the attacker's", async () => {
    await folders(["train/n000002", "train/n000003", "train/n000004", "test/n000001", "test/n000009"]);
    const data = await load(vggface2, { root, identities: 2, size: 8 });
    expect(data.private.train.classes.every((name) => /^n00000[234]$/.test(name))).toBe(true);
    expect(data.public.classes).toEqual(["n000001", "n000009"]);
  });

  test("pubfig: the 67 pixels in the middle of 100", async () => {
    for (const name of ["Ann", "Bob", "Cid"])
      for (let i = 0; i < 3; i++) await image(`${name}/${i}.png`, 100, 100, i === 0 ? 67 : undefined);
    const data = await load(pubfig, { root, identities: 2, size: 67 });
    const all = await Promise.all(
      [data.private.train, data.private.validation, data.private.test].map(async (set) => {
        return Promise.all(Array.from({ length: set.size }, (_, i) => pixels(set, i)));
      }),
    );
    expect(all.flat().filter((bytes) => bytes.every((b) => b >= 180)).length).toBe(2);
  });

  test("stanford-dogs: breeds after the first hyphen, cut to their boxes", async () => {
    for (const breed of [
      "n02085620-Chihuahua",
      "n02113799-standard_poodle",
      "n02110806-basenji",
      "n02111889-Samoyed",
    ]) {
      for (let i = 0; i < 3; i++) {
        const [id] = breed.split("-");
        await image(`Images/${breed}/${id}_${i}.jpg`, 40, 30, i === 0 ? 10 : undefined);
        const box = "<bndbox><xmin>16</xmin><ymin>11</ymin><xmax>24</xmax><ymax>19</ymax></bndbox>";
        await put(`Annotation/${breed}/${id}_${i}`, `<annotation><object>\n${box}</object></annotation>`);
      }
    }
    const data = await load(stanfordDogs, { root, identities: 2, size: 8 });
    const names = [...data.private.train.classes, ...data.public.classes];
    expect(names.sort()).toEqual(["Chihuahua", "Samoyed", "basenji", "standard_poodle"]);
    const first = await pixels(data.public);
    expect(first.every((b) => b >= 165)).toBe(true);
    await put("Annotation/n02085620-Chihuahua/n02085620_1", "<annotation/>");
    await expect(load(stanfordDogs, { root, identities: 2 })).rejects.toThrow("has no bounding box");
    expect((await load(stanfordDogs, { root, identities: 2, boxes: false, size: 8 })).public.size).toBe(6);
  });
});

describe("ffhq", () => {
  const people = async () => {
    for (const name of ["Ann", "Bob"]) for (let i = 0; i < 3; i++) await image(`own/${name}/${i}.png`, 16, 16);
  };

  test("numbered folders are no people; the 88 pixels in the middle of a thumbnail count, all of your own", async () => {
    await people();
    for (const name of ["00000/00000", "00000/00999", "69000/69999"])
      await image(`ffhq/thumbnails128x128/${name}.png`, 128, 128, 88);
    // Beside the thumbnails lie the same people in full size, which are not the attacker's second set.
    await image("ffhq/images1024x1024/00000/00000.png", 128, 128);
    await put("ffhq/ffhq-dataset-v2.json", "{}");
    const data = await load(ffhq, { root: at("ffhq"), private: at("own"), size: 88 });
    expect([data.public.classes, data.public.size]).toEqual([["ffhq"], 3]);
    for (let i = 0; i < 3; i++) expect((await pixels(data.public, i)).every((b) => b >= 180)).toBe(true);
    expect(data.private.train.classes).toEqual(["Ann", "Bob"]);
    const drawn = await load(ffhq, { root: at("ffhq"), private: at("own"), size: 8, publicImages: 2 });
    expect(drawn.public.size).toBe(2);
  });

  test("full-size images keep 704 of 1024; a flat copy and other people for the start weights are read too", async () => {
    await people();
    await image("images1024x1024/00000/00007.png", 1024, 1024, 704);
    const full = await load(ffhq, { root: at("images1024x1024"), private: at("own"), size: 704 });
    expect((await pixels(full.public)).every((b) => b >= 180)).toBe(true);
    for (const i of [1, 2, 3]) await image(`flat/0000${i}.png`, 128, 128);
    for (const name of ["Cid", "Dan"]) for (let i = 0; i < 3; i++) await image(`more/${name}/${i}.png`, 100, 100);
    const data = await load(ffhq, { root: at("flat"), private: at("own"), pretraining: at("more"), size: 8 });
    expect(data.public.size).toBe(3);
    expect(data.pretraining.train.classes).toEqual(["Cid", "Dan"]);
  });

  test("folders that are not FFHQ's are told apart", async () => {
    await people();
    await expect(load(ffhq, { root: at("own"), private: at("own") })).rejects.toThrow(
      `${at("own", "Ann", "0.png")} is no image of FFHQ`,
    );
    await expect(load(ffhq, { root: at("none"), private: at("own") })).rejects.toThrow("none does not exist");
  });
});

describe("sets in few files", () => {
  /** `count` images of each label; pixel p of image i is (7i + p) mod 251. */
  const idx = (labels: readonly number[]) => {
    const header = (magic: number, ...dims: number[]) => {
      const out = Buffer.alloc(4 + 4 * dims.length);
      out.writeUInt32BE(magic);
      for (const [i, n] of dims.entries()) out.writeUInt32BE(n, 4 + 4 * i);
      return out;
    };
    const bytes = Buffer.from(
      Uint8Array.from({ length: labels.length * 784 }, (_, p) => (7 * Math.floor(p / 784) + (p % 784)) % 251),
    );
    return {
      images: Buffer.concat([header(2051, labels.length, 28, 28), bytes]),
      labels: Buffer.concat([header(2049, labels.length), Buffer.from(labels)]),
    };
  };
  const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

  test("fashion-mnist: gzipped files, five classes private", async () => {
    const [train, held] = [idx([...upTo(10), ...upTo(10)]), idx(upTo(10))];
    await put("train-images-idx3-ubyte.gz", gzipSync(train.images));
    await put("train-labels-idx1-ubyte.gz", gzipSync(train.labels));
    await put("t10k-images.idx3-ubyte", held.images);
    await put("t10k-labels.idx1-ubyte", held.labels);
    const data = await load(fashionMnist, { root });
    expect(data.private.train.classes).toEqual(["t-shirt", "trouser", "pullover", "dress", "coat"]);
    expect(data.public.classes).toEqual(["sandal", "shirt", "sneaker", "bag", "ankle boot"]);
    expect([data.private.train.size, data.private.validation.size, data.private.test.size, data.public.size]).toEqual([
      5, 5, 5, 10,
    ]);
    expect([data.public.height, data.public.channels]).toEqual([32, 1]);
    await put("t10k-labels.idx1-ubyte", idx(upTo(9)).labels);
    await expect(load(fashionMnist, { root })).rejects.toThrow("9 labels for the 10 images");
    await expect(load(fashionMnist, { root: at("no") })).rejects.toThrow("does not exist");
  });

  test("emnist: letters from 1, transposed back", async () => {
    const letters = idx([...upTo(26), ...upTo(26)].map((i) => i + 1));
    for (const part of ["train", "test"]) {
      await put(`emnist-letters-${part}-images-idx3-ubyte`, letters.images);
      await put(`emnist-letters-${part}-labels-idx1-ubyte`, letters.labels);
    }
    const data = await load(emnist, { root, target: "letters", size: 28 });
    expect(data.private.train.classes.join("")).toBe("ABCDEFGHIJKLM");
    expect(data.public.classes.join("")).toBe("NOPQRSTUVWXYZ");
    // Image 13 is the first N: the file's row 2, column 5 is the letter's row 5, column 2.
    expect((await pixels(data.public))[5 * 28 + 2]).toBe((7 * 13 + 2 * 28 + 5) % 251);
    await put("emnist-letters-test-labels-idx1-ubyte", idx([0, ...upTo(51)]).labels);
    await expect(load(emnist, { root, target: "letters" })).rejects.toThrow("label 0; expected 1 to 26");
  });

  test("cifar10: records of a label and three planes", async () => {
    const batch = (n: number) =>
      Buffer.concat(
        upTo(20).map((i) =>
          Buffer.concat([Buffer.of(i % 10), Buffer.alloc(1024, i), Buffer.alloc(1024, n), Buffer.alloc(1024, 99)]),
        ),
      );
    for (let i = 1; i <= 5; i++) await put(`data_batch_${i}.bin`, batch(i));
    await put("test_batch.bin", batch(6));
    const data = await load(cifar10, { root });
    expect(data.private.train.classes).toEqual(["airplane", "automobile", "bird", "cat", "deer"]);
    expect(sizes(data.public)).toEqual([10, 10, 10, 10, 10]);
    const first = await pixels(data.public);
    expect([first[0], first[1024], first[2048]]).toEqual([5, 1, 99]);
    await put("data_batch_3.bin", batch(3).subarray(1));
    await expect(load(cifar10, { root })).rejects.toThrow(
      "data_batch_3.bin: 61459 bytes are no whole number of records of 3073",
    );
  });
});

describe("csv", () => {
  const table = async (text: string) => {
    for (const name of ["a b", "c", "d", "e"]) for (let i = 0; i < 3; i++) await image(`img/${name}/${i}.png`, 12, 12);
    await put("list.csv", text);
    return load(csv, { file: at("list.csv"), size: 8 });
  };
  const rows = (name: string, label: string, set: string) =>
    [0, 1, 2].map((i) => `${set},"img/${name}/${i}.png","${label}"`);

  test("columns in any order, quoted fields, sets by name", async () => {
    const lines = [
      "set,path,label",
      ...rows("a b", 'Ann ""A"", x', "private"),
      ...rows("c", "Bob", "private"),
      ...rows("d", "z", "public"),
      ...rows("e", "y", "pretraining"),
    ];
    const data = await table(`\uFEFF${lines.join("\r\n")}\r\n`);
    expect(data.private.train.classes).toEqual(['Ann "A", x', "Bob"]);
    expect([data.public.size, data.pretraining.train.classes]).toEqual([3, ["y"]]);
  });

  test("whole numbers are sorted by value, as everybody counts classes; another order is said by name", async () => {
    const lines = [
      "path,label,set",
      ...["a b,2", "c,10", "d,1"].flatMap((named) => {
        const [name, label] = named.split(",");
        return [0, 1, 2].map((i) => `img/${name}/${i}.png,${label},private`);
      }),
      ...[0, 1, 2].map((i) => `img/e/${i}.png,x,public`),
    ];
    const numbered = await table(lines.join("\n"));
    expect(numbered.private.train.classes).toEqual(["1", "2", "10"]);
    const found = await load(csv, { file: at("list.csv"), size: 8, classes: ["10", "1", "2"] });
    expect(found.private.train.classes).toEqual(["10", "1", "2"]);
    const ten = async ({ private: { test: held } }: StudyData) =>
      pixels(held, held.labels.indexOf(held.classes.indexOf("10")));
    expect(await ten(found)).toEqual(await ten(numbered));
    await expect(load(csv, { file: at("list.csv"), classes: ["10", "1"] })).rejects.toThrow(
      `data.classes must name each private label of ${at("list.csv")} once: private label '2' is not named`,
    );
  });

  test.each([
    ["file,label\n", ':1: has no column "path"; expected a first line path,label,set'],
    [
      "path,label,set\nimg/c/0.png,Bob,secret\n",
      ':2: set is "secret"; expected one of private, public, pretraining, evaluation',
    ],
    ["path,label,set\nimg/c/0.png,,private\n", ":2: has no label"],
    ['path,label,set\n"img/c/0.png,a,private\n', ":2: a quote is not closed"],
    ["path,label,set\nimg/c/0.png,Bob,private\n", ': lists no image of the set "public"'],
    ["path,label,set\nimg/c/0.png,Bob,private\nimg/d/0.png,x,public\n", ": the private images have one label"],
  ])("%j is a mistake", async (text, message) => {
    const loading = table(text);
    await expect(loading).rejects.toBeInstanceOf(UserError);
    await expect(loading).rejects.toThrow(`${at("list.csv")}${message}`);
  });
});
