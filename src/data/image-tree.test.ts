import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../engine/errors.ts";
import { imageSuffixes, listImageTree } from "./image-tree.ts";

describe("listImageTree", () => {
  let root = "";
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "tldmi-tree-"));
  });
  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  /** Makes empty files: listing goes by names. */
  async function files(...paths: string[]): Promise<void> {
    for (const path of paths) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), "");
    }
  }

  test("knows the usual image suffixes", async () => {
    const suffixes = await imageSuffixes();
    for (const suffix of [".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".avif"]) {
      expect(suffixes).toContain(suffix);
    }
    expect(suffixes).not.toContain(".txt");
  });

  test("gives classes and files in the order of their names, nested ones too, and passes over other files", async () => {
    await files("zoe/1.png", "Ann/b.JPG", "Ann/a.webp", "ann/x/y/deep.tiff", "ann/2.jpeg", "ann/10.jpeg");
    await files("Ann/notes.txt", "Ann/.hidden.png", ".cache/1.png", "list.csv");
    const tree = await listImageTree(root, "private");
    expect(tree.classes).toEqual(["Ann", "ann", "zoe"]);
    expect(tree.files).toEqual([
      { path: join("Ann", "a.webp"), label: 0 },
      { path: join("Ann", "b.JPG"), label: 0 },
      { path: join("ann", "10.jpeg"), label: 1 },
      { path: join("ann", "2.jpeg"), label: 1 },
      { path: join("ann", "x", "y", "deep.tiff"), label: 1 },
      { path: join("zoe", "1.png"), label: 2 },
    ]);
  });

  test("follows links, and stops at one that leads back up", async () => {
    await files("elsewhere/pictures/1.png");
    await mkdir(join(root, "set", "ann"), { recursive: true });
    await symlink(join(root, "elsewhere", "pictures"), join(root, "set", "bob"));
    await symlink(join(root, "elsewhere", "pictures", "1.png"), join(root, "set", "ann", "linked.png"));
    await symlink(join(root, "set", "ann"), join(root, "set", "ann", "loop"));
    await symlink(join(root, "nowhere"), join(root, "set", "ann", "dead.png"));
    const tree = await listImageTree(join(root, "set"), "private");
    expect(tree.files.map((file) => file.path)).toEqual([join("ann", "linked.png"), join("bob", "1.png")]);
  });

  test("takes a flat folder as one class where that is allowed", async () => {
    await files("2.png", "1.png", "more/3.png");
    const tree = await listImageTree(root, "public", { className: "public" });
    expect(tree.classes).toEqual(["public"]);
    expect(tree.files.map((file) => file.path)).toEqual(["1.png", "2.png", join("more", "3.png")]);
    expect(tree.files.every((file) => file.label === 0)).toBe(true);
    await expect(listImageTree(root, "private")).rejects.toThrow(
      `private folder ${root} holds images outside of class folders (first: 1.png); put them into one folder a class`,
    );
  });

  test("says what is wrong with a folder", async () => {
    await files("file.png", "set/ann/1.png", "set/bob/readme.txt");
    await mkdir(join(root, "empty"));
    const cases: [string, string][] = [
      ["absent", "does not exist"],
      ["file.png", "is a file; give the folder that holds the images"],
      ["empty", "holds no images and no class folders"],
      ["set", "class 'bob' has no image; remove its folder or add images"],
    ];
    for (const [name, message] of cases) {
      const listing = listImageTree(join(root, name), "private");
      await expect(listing, name).rejects.toThrow(message);
      await expect(listing, name).rejects.toThrow(`private folder ${join(root, name)}`);
      await expect(listing, name).rejects.toBeInstanceOf(UserError);
    }
  });
});
