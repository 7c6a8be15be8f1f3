// Collects what is published of finished runs into artifacts/: models, priors, judges, reconstructions, hashes; `tldmi verify artifacts` checks it.
// `npm run artifacts -- RUN...` builds first. Usage: node scripts/artifacts.mjs [--out DIR] RUN...
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { UserError } from "../dist/engine/errors.js";
import { collectArtifacts } from "../dist/report/artifacts/index.js";
import { count } from "../dist/report/numbers.js";

const { values, positionals: runs } = parseArgs({ allowPositionals: true, options: { out: { type: "string" } } });
const out = values.out ?? fileURLToPath(new URL("../artifacts", import.meta.url));
if (runs.length === 0) {
  console.error("usage: node scripts/artifacts.mjs [--out DIR] RUN...   a RUN is the folder of a study or of a cell");
  process.exit(2);
}
try {
  const { files, bytes } = await collectArtifacts({ runs, out });
  console.log(`${out}: ${files} files, ${count(bytes)} bytes`);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exit(2);
}
