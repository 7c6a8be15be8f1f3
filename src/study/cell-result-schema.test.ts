import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { cell } from "../../test/support/study-result.ts";
import { CellResultSchema } from "./cell-result-schema.ts";
import type { CellResult } from "./result.ts";

/** Compiles only where the schema takes whatever the type allows. */
const asInput = (result: CellResult): z.input<typeof CellResultSchema> => result;

const written = (result: CellResult): unknown => JSON.parse(JSON.stringify(asInput(result)));

test("results keep to their published schema, numbers that are none included", () => {
  const odd = cell({ knnDistance: { value: Number.NaN, n: 0, low: Number.NaN, high: Number.POSITIVE_INFINITY } });
  for (const result of [cell(), odd]) {
    expect(CellResultSchema.safeParse(written(result)).error?.issues).toBe(undefined);
  }
});

test("the published schema is this one (else: npm run schema)", () => {
  const file = new URL("../../schema/result.schema.json", import.meta.url);
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
    title: "tl-dmi result of a cell",
    ...(JSON.parse(JSON.stringify(z.toJSONSchema(CellResultSchema))) as object),
  });
});

test.each([
  ["a key that is none", { speed: 1 }],
  ["another version", { schemaVersion: 2 }],
  ["a number without its interval", { attackAccuracy: 0.5 }],
])("%s is refused", (_, change) => {
  expect(CellResultSchema.safeParse({ ...(written(cell()) as object), ...change }).success).toBe(false);
});
