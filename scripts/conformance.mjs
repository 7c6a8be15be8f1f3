// Runs the published tests of ONNX's operators (Debian: libonnx-testdata) through import, export and gradient, and writes docs/conformance.md.
// Usage: npm run conformance [-- FOLDER]   FOLDER holds node/, simple/, pytorch-operator/ and pytorch-converted/
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { TensorProto_DataType as DataType, ModelProtoSchema, TensorProtoSchema } from "onnx-buf";
import { grad } from "../dist/engine/autodiff.js";
import { UserError } from "../dist/engine/errors.js";
import { input } from "../dist/engine/graph.js";
import { toGraphTensor } from "../dist/engine/import/host.js";
import { importOnnx } from "../dist/engine/import/import-onnx.js";
import { isSupported } from "../dist/engine/import/interpret.js";
import { readTensor } from "../dist/engine/import/tensor-proto.js";
import { toOnnx } from "../dist/engine/lowering.js";
import { add, mul } from "../dist/engine/ops/elementwise.js";
import { sum } from "../dist/engine/ops/reduce.js";
import { random } from "../dist/engine/random.js";
import { compile, runOnnx, setThreads } from "../dist/engine/runtime.js";

const PUBLISHED = "/usr/share/libonnx-testdata/data";
const SUITES = ["node", "simple", "pytorch-operator", "pytorch-converted"];
const PAGE = fileURLToPath(new URL("../docs/conformance.md", import.meta.url));

/** How close results must be, as ONNX's own runner asks: |got − wanted| ≤ absolute + relative·|wanted|. */
const CLOSE = { relative: 1e-3, absolute: 1e-5 };
/** Largest difference of both derivatives, relative to the sum of the terms' sizes. */
const GRADIENT_TOLERANCE = 5e-3;
const STEPS = [2e-2, 5e-3, 1e-3, 2e-4, 5e-5];
/** Numbers beyond which float32 does not hold the steps. */
const LARGEST = 1000;

const folder = process.argv[2] ?? PUBLISHED;
if (!existsSync(join(folder, "node"))) {
  console.log(`skipped: no published tests in ${folder}; on Debian they come with "apt-get install libonnx-testdata"`);
  process.exit(0);
}
setThreads(1);

/** The tensors of a test's files `input_0.pb`, `input_1.pb`, … */
function readData(dir, kind, declared) {
  const files = readdirSync(dir).filter((file) => file.startsWith(kind));
  files.sort((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)));
  return files.map((file, i) => {
    const type = declared[i]?.type?.value;
    if (type?.case !== "tensorType") throw new UserError("sequences and optional values are not read");
    const proto = fromBinary(TensorProtoSchema, readFileSync(join(dir, file)));
    // Bits of bfloat16 are published as the whole numbers that they make.
    if (type.value.elemType === DataType.BFLOAT16) proto.dataType = DataType.BFLOAT16;
    // Import computes in float32 throughout: results that were rounded to eight bits of precision are that close and no closer.
    const rounded = type.value.elemType === DataType.BFLOAT16 ? { close: { relative: 1e-2, absolute: 1e-5 } } : {};
    return { ...readTensor(proto, noExternal), ...rounded };
  });
}

function noExternal(location) {
  throw new UserError(`weights in ${location}`);
}

/**
 * Which inputs are fed, and which are known on import: all real ones are fed; where that does not do (bounds, scales), the first alone.
 * Whole numbers and truth values are known, as shapes and indices are.
 */
const FEEDINGS = [(t) => t.type === "float", (t, i) => t.type === "float" && i === 0, () => false];

function close(got, wanted, what, { relative, absolute } = CLOSE) {
  const same = got.shape.length === wanted.shape.length && got.shape.every((n, i) => n === wanted.shape[i]);
  if (!same) throw new Error(`${what} has shape [${got.shape}], published is [${wanted.shape}]`);
  for (const [i, w] of wanted.data.entries()) {
    const g = Number(got.data[i]);
    if (Object.is(g, w) || g === w || (Number.isNaN(g) && Number.isNaN(w))) continue;
    if (!(Math.abs(g - w) <= absolute + relative * Math.abs(w)))
      throw new Error(`${what}: element ${i} is ${g}, published is ${w}`);
  }
}

function build(bytes, inputs) {
  let refusal;
  for (const feeding of FEEDINGS) {
    try {
      const graph = importOnnx(bytes);
      const fed = [];
      const given = graph.inputs.map(({ name }) => {
        const i = inputs.findIndex((x) => x.name === name);
        if (i < 0) throw new UserError(`input ${name} is not published`);
        const { tensor: t } = inputs[i];
        if (!feeding(t, i)) return [name, t];
        fed.push({ name, tensor: t, value: input(name, t.shape) });
        return [name, fed.at(-1).value];
      });
      return { graph, fed, held: graph.build(Object.fromEntries(given)) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

/** Import → export → run must give the published output. */
async function checkValues({ graph, fed, held }, outputs) {
  const computed = Object.entries(held).filter(([, h]) => h.known === undefined);
  const results =
    computed.length === 0
      ? {}
      : await runOnnx(
          toOnnx({ outputs: Object.fromEntries(computed.map(([name, h]) => [`result ${name}`, h.value()])) }),
          // An input that the results do not depend on is none of the exported file's.
          feedsOf(
            fed,
            computed.map(([, h]) => h.value()),
          ),
        );
  for (const [i, name] of graph.outputs.entries()) {
    if (outputs[i] === undefined) continue;
    const { known } = held[name];
    close(known === undefined ? results[`result ${name}`] : known(), outputs[i], name, outputs[i].close);
  }
}

function feedsOf(fed, values) {
  const reached = new Set();
  const visit = (v) => {
    if (reached.has(v)) return;
    reached.add(v);
    v.inputs.forEach(visit);
  };
  values.forEach(visit);
  return Object.fromEntries(fed.filter((f) => reached.has(f.value)).map((f) => [f.name, toGraphTensor(f.tensor)]));
}

/** Import → gradient must equal finite differences, in a direction in which no terms cancel. False where there is no gradient. */
async function checkGradient({ fed, held }, seed) {
  const real = Object.values(held).filter((h) => h.type === "float" && h.fed);
  if (fed.length === 0 || real.length === 0) return false;
  const rng = random(seed, "conformance");
  const weights = real.map((h, i) => ({
    value: input(`direction/${i}`, h.shape),
    data: rng.normals(h.shape.reduce((a, b) => a * b, 1)),
  }));
  const total = real.map((h, i) => sum(mul(h.value(), weights[i].value))).reduce((a, b) => add(a, b));
  const wrt = fed.filter(({ value }) => hasGradient(total, value));
  if (wrt.length === 0) return false;
  const gradients = grad(
    total,
    wrt.map((f) => f.value),
  );
  const program = await compile({ outputs: { total, ...Object.fromEntries(gradients.map((g, i) => [`g${i}`, g])) } });
  // A little off the published numbers, which stand on kinks more often than drawn ones.
  const at = Object.fromEntries(
    fed.map((f) => [f.name, Float32Array.from(f.tensor.data, (x) => (x === 0 ? 0.2 : x) * (1 + 0.2 * rng.uniform()))]),
  );
  if (Object.values(at).some((x) => x.some((v) => !(Math.abs(v) <= LARGEST)))) return false;
  const fixed = Object.fromEntries(weights.map((w, i) => [`direction/${i}`, w.data]));
  try {
    const found = await program.run({ ...at, ...fixed });
    if (!Number.isFinite(found.total.data[0])) return false;
    const analytic = wrt.map((_, i) => Float32Array.from(found[`g${i}`].data));
    for (const [i, { name }] of wrt.entries()) {
      const g = analytic[i];
      const direction = g.map((v) => (0.5 + rng.uniform()) * (v < 0 ? -1 : 1));
      const slope = g.reduce((t, v, j) => t + v * direction[j], 0);
      const value = async (shift) => {
        const moved = at[name].map((v, j) => v + shift * direction[j]);
        return Number((await program.run({ ...at, ...fixed, [name]: moved })).total.data[0]);
      };
      const differences = [];
      for (const h of STEPS) {
        const outer = (await value(2 * h)) - (await value(-2 * h));
        differences.push((8 * ((await value(h)) - (await value(-h))) - outer) / (12 * h));
      }
      const room = GRADIENT_TOLERANCE * Math.max(Math.abs(slope), 1e-2);
      if (!differences.some((d) => Math.abs(d - slope) <= room))
        throw new Error(`gradient for ${name}: ${slope}, finite differences ${differences.join(", ")}`);
    }
  } finally {
    await program.release();
  }
  return true;
}

function hasGradient(total, value) {
  try {
    grad(total, [value]);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Whether the runtime itself, given the file as it is, does not give the published output either. */
async function runtimeDeviates(bytes, inputs, names, outputs) {
  if (inputs.some(({ tensor: t }) => t.type !== "float")) return false;
  const results = await runOnnx(
    bytes,
    Object.fromEntries(inputs.map(({ name, tensor: t }) => [name, toGraphTensor(t)])),
  );
  try {
    for (const [i, name] of names.entries()) close(results[name], outputs[i], name);
    return false;
  } catch {
    return true;
  }
}

/** What became of a test: passed, failed or refused, and the same of its gradient. */
async function runTest(dir, name) {
  const bytes = readFileSync(join(dir, "model.onnx"));
  const ops = [...new Set(fromBinary(ModelProtoSchema, bytes).graph.node.map((n) => n.opType))].filter(
    (op) => op !== "Constant",
  );
  try {
    const data = join(dir, "test_data_set_0");
    const declared = fromBinary(ModelProtoSchema, bytes).graph;
    const initial = new Set(declared.initializer.map((t) => t.name));
    const wanted = declared.input.filter((i) => !initial.has(i.name));
    const inputs = readData(data, "input", wanted).map((t, i) => ({ name: wanted[i].name, tensor: t }));
    const outputs = readData(data, "output", declared.output);
    const built = build(bytes, inputs);
    try {
      await checkValues(built, outputs);
    } catch (error) {
      if (!(await runtimeDeviates(bytes, inputs, built.graph.outputs, outputs))) throw error;
      return { ops, state: "deviates", gradient: "none", why: error.message };
    }
    try {
      return { ops, state: "passed", gradient: (await checkGradient(built, name.length)) ? "passed" : "none" };
    } catch (error) {
      return { ops, state: "passed", gradient: "failed", why: error.message };
    }
  } catch (error) {
    return { ops, state: error instanceof UserError ? "refused" : "failed", gradient: "none", why: error.message };
  }
}

const table = new Map();
const unknown = new Set();
const failures = [];
const refusals = new Map();
const deviating = [];
const totals = { passed: 0, failed: 0, refused: 0, deviates: 0, gradients: 0, gradientsFailed: 0, unknown: 0 };
for (const suite of SUITES.filter((s) => existsSync(join(folder, s)))) {
  for (const name of readdirSync(join(folder, suite)).sort()) {
    const result = await runTest(join(folder, suite, name), name);
    const missing = result.ops.filter((op) => !isSupported(op));
    if (missing.length > 0) {
      for (const op of missing) unknown.add(op);
      totals.unknown++;
      continue;
    }
    totals[result.state]++;
    if (result.gradient === "passed") totals.gradients++;
    if (result.gradient === "failed") totals.gradientsFailed++;
    if (result.state === "failed" || result.gradient === "failed") failures.push(`${suite}/${name}: ${result.why}`);
    if (result.state === "deviates") deviating.push(`${suite}/${name}`);
    if (result.state === "refused") {
      const why = result.why.replace(/^.*?\): /, "").replace(/^ONNX model: /, "");
      refusals.set(`${suite}/${name}`, why);
    }
    for (const op of result.ops) {
      const row = table.get(op) ?? { passed: 0, failed: 0, refused: 0, deviates: 0, gradients: 0 };
      row[result.state]++;
      if (result.gradient === "passed") row.gradients++;
      if (result.gradient === "failed") row.failed++;
      table.set(op, row);
    }
  }
}

for (const failure of failures) console.log(`failed: ${failure}`);
const rows = [...table].sort(([a], [b]) => a.localeCompare(b));
for (const [op, { passed, failed, refused, gradients }] of rows)
  console.log(`${op.padEnd(28)} ${passed} passed, ${failed} failed, ${refused} not supported; ${gradients} gradients`);
console.log(
  `${totals.passed} passed, ${totals.failed + totals.gradientsFailed} failed, ${totals.refused} not supported; ${totals.gradients} gradients agree; ` +
    `${totals.unknown} tests of operators that are not imported`,
);

const page = `# Conformance

What the import makes of the tests that are published for ONNX's operators (Debian's package \`libonnx-testdata\`). A test passes when
import → export → run gives the published output (relative ${CLOSE.relative}, absolute ${CLOSE.absolute}). Where a result has a gradient for an input,
it is compared with finite differences, in a direction in which its terms do not cancel (relative ${GRADIENT_TOLERANCE}). A test of several operators
counts for each of them. Not supported: a form of the operator that the import refuses with a message.

This page is written by \`npm run conformance\`.

${totals.passed} passed, ${totals.failed + totals.gradientsFailed} failed, ${totals.refused} not supported; ${totals.gradients} gradients agree.

| operator | passed | failed | not supported | gradients |
| --- | ---: | ---: | ---: | ---: |
${rows.map(([op, r]) => `| \`${op}\` | ${r.passed} | ${r.failed} | ${r.refused} | ${r.gradients} |`).join("\n")}

${totals.unknown} more tests are of operators that are not imported: ${[...unknown]
  .sort()
  .map((op) => `\`${op}\``)
  .join(", ")}.

${
  deviating.length === 0
    ? ""
    : `ONNX Runtime itself, given the file as it is, does not give the published output of ${deviating.map((t) => `\`${t}\``).join(", ")}; these are not counted.
`
}
## Not supported

| test | why |
| --- | --- |
${[...refusals].map(([test, why]) => `| \`${test}\` | ${why.replaceAll("|", "\\|")} |`).join("\n")}
`;
const formatted = execFileSync(
  fileURLToPath(new URL("../node_modules/.bin/biome", import.meta.url)),
  ["format", "--stdin-file-path=docs/conformance.md"],
  { input: page, encoding: "utf8", cwd: fileURLToPath(new URL("../", import.meta.url)) },
);
writeFileSync(`${PAGE}.tmp`, formatted);
renameSync(`${PAGE}.tmp`, PAGE);
process.exitCode = failures.length > 0 ? 1 : 0;
