// Writes schema/study.schema.json, with which editors complete and check study files. Run it after `npm run build`.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../dist/engine/atomic-file.js";
import { studyJsonSchema } from "../dist/study/schema.js";
import { StudySchema } from "../dist/study/study-schema.js";

const path = fileURLToPath(new URL("../schema/study.schema.json", import.meta.url));
const biome = fileURLToPath(new URL("../node_modules/.bin/biome", import.meta.url));
await writeFileAtomic(path, `${JSON.stringify(studyJsonSchema(StudySchema), undefined, 2)}\n`);
execFileSync(biome, ["format", "--write", path], { stdio: "inherit" });
