// Writes docs/study-file.md, all keys of a study file, from schema/study.schema.json.
// Usage: node scripts/study-file.mjs [--check]   with --check nothing is written: exit code 1 where the page is out of date
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { writePage } from "./written-pages.mjs";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const PAGE = at("docs/study-file.md");
const schema = JSON.parse(readFileSync(at("schema/study.schema.json"), "utf8"));

/** Sections of their own, by the key under which their choices first appear. */
const CHOICES = { data: "Data", model: "Models", priors: "Priors", defenses: "Defenses", attacks: "Attacks" };
const TRAINING = "Training settings";

const INTRO = `# Study files

A study is one YAML file. \`tldmi validate FILE\` checks it and shows what a run would do, \`tldmi run FILE\` runs it.
Unknown keys are errors, with file, line and column. Paths start at the study file. An editor with YAML support
completes and checks the keys after this first line (in a checkout the path is that of its \`schema\`):

\`\`\`yaml
# yaml-language-server: $schema=./node_modules/tl-dmi/schema/study.schema.json
\`\`\`

The grid is every entry of \`defenses\` × every entry of \`attacks\` × every seed. Steps that several cells share are done
once, and steps that are finished are never done again: changing a key repeats what depends on it, and nothing else.

\`preset: quick\` in an entry of \`attacks\` or \`priors\` gives its keys other defaults, for a first look at
64×64 images: its row below says which. An attack then takes minutes of two cores; the public prior that it searches in takes longer,
once: \`tldmi validate FILE --estimate\` says how long on this machine. A key that is written wins over the preset. An attack with the
preset brings its prior's preset along, unless the study lists that prior, or another attack searches in it without the preset.

\`name\` in an entry of \`defenses\` or \`attacks\` is what tables, plots, folders and \`tldmi gate\` call it: two entries of one kind are
told apart by it. Without names the second is called by its kind and a 2. A name changes nothing that is computed.

This page is made from the schema by \`npm run schema\`.`;

/** The schema that a node stands for: itself, or the definition that it names. */
const resolved = (node) => (node.$ref ? schema.$defs[node.$ref.replace("#/$defs/", "")] : node);
const membersOf = (reference) => {
  const node = resolved(reference);
  const members = node.oneOf ?? node.anyOf?.find((option) => option.oneOf)?.oneOf ?? [];
  return members.every((member) => member.properties?.kind?.const) ? members : [];
};
const isTraining = (node) => node.properties?.epochs !== undefined && node.properties?.rate !== undefined;
const anchor = (title) => `[${title.toLowerCase()}](#${title.toLowerCase().replaceAll(" ", "-")})`;
const code = (value) => `\`${typeof value === "string" ? value : JSON.stringify(value).replaceAll(",", ", ")}\``;

/** The section that describes a choice, found by the kinds that it offers: all of the section's, or some. */
const kindsOf = (members) => members.map((member) => member.properties.kind.const);
const sections = Object.entries(CHOICES).map(([key, title]) => {
  const node = schema.properties[key];
  const members = membersOf(node.items ?? node);
  return { title, members, kinds: kindsOf(members) };
});
const sectionOf = (members) => {
  const found = sections.find(({ kinds }) => kindsOf(members).every((kind) => kinds.includes(kind)));
  if (found === undefined) throw new Error(`no section for the choice of ${kindsOf(members).join(" ")}`);
  return found.title;
};

function limits({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }) {
  const bounds = [
    minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? undefined : `≥ ${minimum}`,
    exclusiveMinimum === undefined ? undefined : `> ${exclusiveMinimum}`,
    maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? undefined : `≤ ${maximum}`,
    exclusiveMaximum === undefined ? undefined : `< ${exclusiveMaximum}`,
  ].filter((bound) => bound !== undefined);
  return bounds.length === 0 ? "" : ` ${bounds.join(", ")}`;
}

function typeOf(node) {
  const members = membersOf(node);
  if (members.length > 0) return `one of the ${anchor(sectionOf(members))}`;
  if (isTraining(node)) return anchor(TRAINING);
  if (node.enum) return node.enum.map(code).join(", ");
  if (node.const !== undefined) return code(node.const);
  if (node.anyOf) return node.anyOf.map(typeOf).join(" or ");
  switch (node.type) {
    case "integer":
      return `whole number${limits(node)}`;
    case "number":
      return `number${limits(node)}`;
    case "boolean":
      return "`true`, `false`";
    case "string":
      return "text";
    case "array":
      return `list: ${typeOf(node.items)}`;
    case "object":
      if (node.properties === undefined) return `mapping of names to ${typeOf(node.additionalProperties)}`;
      return `{ ${Object.entries(node.properties)
        .map(([key, value]) => `${key}: ${typeOf(value)}`)
        .join(", ")} }`;
    default:
      throw new Error(`no words for ${JSON.stringify(node)}`);
  }
}

/** Rows of an object's keys; groups of keys are written out with dots. */
function rowsOf(object, prefix = "") {
  const required = object.required ?? [];
  return Object.entries(object.properties).flatMap(([key, node]) => {
    if (key === "kind" && node.const !== undefined) return [];
    const group = node.properties !== undefined && !isTraining(node);
    const none = node.default === undefined || JSON.stringify(node.default) === "{}";
    const standard = required.includes(key) ? "required" : none ? "–" : code(node.default);
    const row = (value) => `| \`${prefix}${key}\` | ${value} | ${standard} | ${node.description ?? ""} |`;
    if (isTraining(node)) {
      const shared = schema.properties.training.properties;
      const own = Object.keys(node.properties).filter((name) => shared[name] === undefined);
      const properties = Object.fromEntries(own.map((name) => [name, node.properties[name]]));
      return [row(typeOf(node)), ...rowsOf({ properties }, `${prefix}${key}.`)];
    }
    if (!group) return [row(typeOf(node))];
    return [...(node.description ? [row("group")] : []), ...rowsOf(node, `${prefix}${key}.`)];
  });
}

function table(object) {
  const rows = rowsOf(object);
  if (rows.length === 0) return "No keys of its own.";
  return ["| key | value | default | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

const parts = [INTRO, "## The file", table(schema)];
parts.push(
  `## ${TRAINING}`,
  "Keys of every network that is trained on labelled images.",
  table(schema.properties.training),
);
for (const { title, members } of sections) {
  parts.push(`## ${title}`);
  for (const member of members) parts.push(`### \`${member.properties.kind.const}\``, table(member));
}
const formatted = ["format", "--stdin-file-path=docs/study-file.md"];
const page = execFileSync(at("node_modules/.bin/biome"), formatted, {
  cwd: at("."),
  input: `${parts.join("\n\n")}\n`,
  encoding: "utf8",
});

await writePage(PAGE, page, "npm run schema");
