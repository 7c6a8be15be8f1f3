import { expect, test } from "vitest";
import { orRelease, releaseAll } from "./release.ts";

test("everything is let go of though one of it fails, and what was made before a failure too", async () => {
  const done: string[] = [];
  const release = (name: string, fails: boolean) => async () => {
    done.push(name);
    if (fails) throw new RangeError(name);
  };
  await expect(releaseAll([release("a", true), () => undefined, release("b", true)])).rejects.toThrow("a");
  await expect(orRelease(release("c", false), () => Promise.reject(new RangeError("made")))).rejects.toThrow("made");
  expect(await orRelease(release("d", false), async () => 4)).toBe(4);
  expect(done).toEqual(["a", "b", "c"]);
});
