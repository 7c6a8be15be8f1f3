import { describe, expect, it } from "vitest";
import { createArtist, type Recipe } from "./draw.ts";

const recipe: Recipe = {
  subject: "faces",
  range: "private",
  part: "train",
  seed: 3,
  family: 5,
  identityDistance: 0.6,
  variation: 1,
  size: 32,
};

const artist = createArtist();

function image(of: Recipe, label: number, k: number, by = artist): Uint8Array {
  const out = new Uint8Array(3 * of.size * of.size);
  by.draw(of, label, k, out, 0);
  return out;
}

/** Mean absolute difference in steps of 255. */
function difference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
}

/** Mean difference of pictures 0 and 1 of some classes. */
function spread(of: Recipe): number {
  const labels = Array.from({ length: 12 }, (_, label) => label);
  return labels.reduce((sum, label) => sum + difference(image(of, label, 0), image(of, label, 1)), 0) / 12;
}

describe("drawing", () => {
  it.each(["faces", "style", "no-faces"] as const)(
    "gives the same bytes for the same %s, whatever was drawn before",
    (subject) => {
      const of = { ...recipe, subject };
      const first = image(of, 4, 2);
      image(of, 9, 0);
      expect(image(of, 4, 2)).toEqual(first);
      expect(image(of, 4, 2, createArtist())).toEqual(first);
    },
  );

  it("differs by seed, range, part, class and number", () => {
    const first = image(recipe, 4, 2);
    const others = [
      image({ ...recipe, seed: 4 }, 4, 2),
      image({ ...recipe, range: "public" }, 4, 2),
      image({ ...recipe, part: "test" }, 4, 2),
      image(recipe, 5, 2),
      image(recipe, 4, 3),
    ];
    for (const other of others) expect(difference(first, other)).toBeGreaterThan(3);
  });

  it("writes at the offset and nowhere else", () => {
    const bytes = 3 * 32 * 32;
    const out = new Uint8Array(3 * bytes).fill(77);
    artist.draw(recipe, 0, 0, out, bytes);
    expect(out.subarray(bytes, 2 * bytes)).toEqual(image(recipe, 0, 0));
    expect(out.subarray(0, bytes).every((v) => v === 77)).toBe(true);
    expect(out.subarray(2 * bytes).every((v) => v === 77)).toBe(true);
  });

  it("varies the pictures of a person more with a stronger variation", () => {
    const [still, some, much] = [0, 0.5, 1.5].map((variation) => spread({ ...recipe, variation }));
    expect(some!).toBeGreaterThan(still!);
    expect(much!).toBeGreaterThan(some! * 1.1);
  });

  it("fills the head's place with the person: without variation two pictures agree there", () => {
    const of = { ...recipe, variation: 0, size: 64 };
    const a = image(of, 3, 0);
    const b = image(of, 3, 1);
    // The middle of the frame is the inner face; clothes and background, which always change, lie outside of it.
    for (let y = 26; y < 46; y++) {
      for (let x = 24; x < 40; x++) expect(a[y * 64 + x]).toBe(b[y * 64 + x]);
    }
  });

  it("tells the members of a family apart in the inner face", () => {
    const of = { ...recipe, variation: 0, size: 64 };
    const inner = (label: number) => {
      const all = image(of, label, 0);
      return Uint8Array.from({ length: 20 * 16 }, (_, i) => all[(26 + Math.floor(i / 16)) * 64 + 24 + (i % 16)]!);
    };
    for (let a = 0; a < 5; a++) {
      for (let b = a + 1; b < 5; b++) expect(difference(inner(a), inner(b))).toBeGreaterThan(2);
    }
  });
});
