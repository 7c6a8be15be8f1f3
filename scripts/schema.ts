/** Writes schema/study.schema.json, the JSON Schema with which editors complete and check study files. */
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../src/engine/atomic-file.ts";
import { studyJsonSchema } from "../src/study/schema.ts";
import { StudySchema } from "../src/study/study-schema.ts";

const path = fileURLToPath(new URL("../schema/study.schema.json", import.meta.url));
await writeFileAtomic(path, `${JSON.stringify(studyJsonSchema(StudySchema), undefined, 2)}\n`);
