import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, contentId, type JsonValue } from "./canonical.ts";

describe("canonical JSON", () => {
  test("sorts keys at every depth and leaves arrays in their order", () => {
    expect(canonicalJson({ b: [2, 1, { z: null, a: "é" }], a: true })).toBe('{"a":true,"b":[2,1,{"a":"é","z":null}]}');
  });

  test("treats an undefined property as absent and minus zero as zero", () => {
    expect(canonicalJson({ a: undefined, b: -0 })).toBe('{"b":0}');
  });

  test("refuses numbers that JSON would turn into null, and says where", () => {
    expect(() => canonicalJson({ a: [1, Number.NaN] })).toThrow("value.a[1]: NaN");
  });

  test("refuses objects that are not plain", () => {
    const date: unknown = new Date(0);
    expect(() => canonicalJson({ at: date as JsonValue })).toThrow("value.at");
  });

  test("reads back as the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as JsonValue;
        expect(JSON.parse(canonicalJson(plain))).toEqual(plain);
      }),
    );
  });
});

describe("contentId", () => {
  test("does not depend on the order of keys", () => {
    expect(contentId({ a: 1, b: { c: 2, d: 3 } })).toBe(contentId({ b: { d: 3, c: 2 }, a: 1 }));
  });

  test("tells a number from its text and an absent key from null", () => {
    expect(contentId({ a: 1 })).not.toBe(contentId({ a: "1" }));
    expect(contentId({ a: null })).not.toBe(contentId({}));
  });

  test("is sixteen hexadecimal digits of SHA-256", () => {
    // sha256("{}") = 44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
    expect(contentId({})).toBe("44136fa355b3678a");
  });
});
