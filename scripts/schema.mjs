// Writes schema/study.schema.json, with which editors complete and check study files, and schema/result.schema.json, which says what
// readers of a cell's result.json may count on. Run it after `npm run build`.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { writeFileAtomic } from "../dist/engine/atomic-file.js";
import { CellResultSchema } from "../dist/study/cell-result-schema.js";
import { studyJsonSchema } from "../dist/study/schema.js";
import { StudySchema } from "../dist/study/study-schema.js";

const biome = fileURLToPath(new URL("../node_modules/.bin/biome", import.meta.url));
const result = { title: "tl-dmi result of a cell", ...z.toJSONSchema(CellResultSchema) };
for (const [name, schema] of [
  ["study", studyJsonSchema(StudySchema)],
  ["result", result],
]) {
  const path = fileURLToPath(new URL(`../schema/${name}.schema.json`, import.meta.url));
  await writeFileAtomic(path, `${JSON.stringify(schema, undefined, 2)}\n`);
  execFileSync(biome, ["format", "--write", path], { stdio: "inherit" });
}
