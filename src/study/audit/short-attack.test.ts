import { expect, test } from "vitest";
import { shortAttack } from "./short-attack.ts";

const seen = (seconds: number, pace: number) => ({ seconds, pace, firstPace: pace });

test("a pool is cut down, and what it takes is counted in passes of the attack's own steps", () => {
  const { keys, whole } = shortAttack({ kind: "ppa", pool: 2056, candidates: 200, batch: 20, iterations: 50 }, 250, 5);
  expect(keys).toEqual({ kind: "ppa", pool: 256, candidates: 200, batch: 20, iterations: 50 });
  // 1,800 images at 6 s for 20 images forward and backward
  expect(whole(seen(1000, 6))).toBe(1000 + 180);
});

test("a pool stays large enough for what is chosen from it", () => {
  expect(shortAttack({ kind: "ppa", pool: 2000, candidates: 400 }, 250, 5).keys.pool).toBe(400);
  expect(shortAttack({ kind: "gmi", pool: 24, batch: 8 }, 250, 5).keys).toEqual({ kind: "gmi", pool: 24, batch: 8 });
});

test("generations are cut down too", () => {
  const { keys, whole } = shortAttack({ kind: "mirror-ga", population: 640, pool: 256 }, 250, 5);
  expect(keys.population).toBe(64);
  expect(whole(seen(100, 2))).toBe(1000);
  // but no smaller than what is chosen from them
  expect(shortAttack({ kind: "c2f", population: 200, pool: 0 }, 250, 80).keys.population).toBe(80);
});

test("an attack that may never move is priced by all images that it may ask for", () => {
  const { whole } = shortAttack({ kind: "brep-mi", draws: 2560, samples: 31, iterations: 10, batch: 16 }, 8, 2);
  // 10 turns of draws, and 8 · 10 · 32 images more
  expect(whole({ seconds: 1, pace: 0, firstPace: 0.5 })).toBe(10);
});
