import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { studyJsonSchema } from "./schema.ts";
import { StudySchema } from "./study-schema.ts";

test("the JSON Schema that ships is the schema of this code (else: npm run build && node scripts/schema.mjs)", () => {
  const shipped: unknown = JSON.parse(readFileSync(new URL("../../schema/study.schema.json", import.meta.url), "utf8"));
  expect(shipped).toEqual(studyJsonSchema(StudySchema));
});
