import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, suggest, suggestion } from "./suggest.ts";

test("a swap of neighbours, a missing and a wrong letter each count one", () => {
  expect(editDistance("freeze", "freeez")).toBe(1);
  expect(editDistance("freeze", "freze")).toBe(1);
  expect(editDistance("freeze", "freexe")).toBe(1);
  expect(editDistance("", "abc")).toBe(3);
});

test("the distance is symmetric, and zero for equal words alone", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
    }),
  );
});

test("the nearest allowed word is suggested, whatever its case and hyphens", () => {
  expect(suggest("TL_DMI", ["none", "tl-dmi"])).toBe("tl-dmi");
  expect(suggest("kedmy", ["gmi", "kedmi"])).toBe("kedmi");
});

test("nothing is suggested for a word that is far from all", () => {
  expect(suggest("colour", ["freeze", "epochs"])).toBeUndefined();
  expect(suggest("", ["freeze"])).toBeUndefined();
});

test("without a near word the allowed ones are listed", () => {
  expect(suggestion("colour", ["freeze", "epochs"])).toBe("; allowed: freeze, epochs");
  expect(suggestion("freze", ["freeze", "epochs"])).toBe('; did you mean "freeze"?');
  expect(suggestion("x", [])).toBe("");
});
