// Writes into FEATURES.md what each attack does by default, what its preset changes, and what that cost on the undefended target of
// examples/attacks.yaml, from the code and the records. Run it after `npm run build`.
// Usage: node scripts/attack-costs.mjs [--check]   with --check nothing is written: exit code 1 where the list is out of date
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { attacks } from "../dist/attacks/index.js";
import { count, duration } from "../dist/report/numbers.js";
import { between, formatted } from "./results-text.mjs";
import { writePage } from "./written-pages.mjs";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const FILE = at("FEATURES.md");
const RECORDS = at("docs/results/records/attacks");

/** Settings as `key value`, those of a group with its name before them; what is left out has no value. */
function settings(values, prefix = "") {
  return Object.entries(values).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const group = value !== null && typeof value === "object" && !Array.isArray(value);
    return group
      ? settings(value, `${prefix}${key}.`)
      : [`${prefix}${key} ${JSON.stringify(value).replaceAll('"', "")}`];
  });
}
const inWords = (values) => (values.length > 0 ? values.join(", ") : "–");

/** The result of an attack on the undefended target, in an entry that has no name of its own. */
const results = readdirSync(RECORDS).map((file) => JSON.parse(readFileSync(join(RECORDS, file), "utf8")).result);
const resultOf = (kind) =>
  results.find((r) => r.defense === "none" && r.attack === kind && (r.attackLabel ?? kind) === kind);

const items = attacks.map(({ kind, config, quick }) => {
  const { queries, cost } = resultOf(kind) ?? {};
  return [
    `- \`${kind}\` by default: ${inWords(settings(config.parse({})))}.`,
    `  By the preset: ${inWords(settings(quick ?? {}))}.`,
    queries === undefined || cost === undefined
      ? "  Not measured."
      : `  Asks ${count(queries.images)} images and ${count(queries.gradients)} gradients, ${duration(cost.seconds)}.`,
  ].join("\n");
});
const list = formatted(`${items.join("\n")}\n`).trim();

const text = readFileSync(FILE, "utf8");
const wanted = between(text, "attack-costs", list);
await writePage(FILE, wanted, "npm run schema");
