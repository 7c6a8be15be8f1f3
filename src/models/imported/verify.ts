import { input } from "../../engine/graph.ts";
import { type ImportedGraph, importOnnx } from "../../engine/import/import-onnx.ts";
import { openOnnxFile } from "../../engine/import/open-file.ts";
import { refusal } from "../../engine/import/refusal.ts";
import { random } from "../../engine/random.ts";
import { compile, runOnnx } from "../../engine/runtime.ts";
import { type Shape, sizeOf } from "../../engine/shape.ts";
import { tensor } from "../../engine/tensor.ts";

/** ONNX's number of float32. */
const FLOAT = 1;

/** Images of the batch that is tried: more than one, since most files fix a batch of one and are built for any. */
const IMAGES = 2;

/** Largest difference that rounding explains, relative to the largest number. */
const TOLERANCE = 1e-3;

/**
 * Compares an imported graph with the runtime on the file as it is, on a batch of images of noise. Files with inputs of other types
 * than float32, and wanted tensors that are no outputs, cannot be compared and are taken as they are.
 * @param image shape of one image as the file takes it
 * @throws UserError where the results differ
 */
export async function verifyImport(path: string, output: string | undefined, image: Shape): Promise<void> {
  const { bytes, external } = openOnnxFile(path);
  const declared = importOnnx(bytes, { name: path, external, ...(output !== undefined && { outputs: [output] }) });
  const [from] = declared.inputs;
  const name = declared.outputs[0]!;
  if (from === undefined || from.dataType !== FLOAT || !declared.declaredOutputs.includes(name)) return;
  const numbers = random(1, "verify").uniforms(IMAGES * sizeOf(image));
  const got = await built(declared, from.name, [IMAGES, ...image], numbers);
  const [leading] = from.dims ?? [""];
  // A file of a fixed batch gets each image as often as it wants, and the first answer counts.
  const copies = typeof leading === "number" ? leading : 1;
  const length = sizeOf(image);
  for (let i = 0; i < IMAGES; i++) {
    const one = numbers.subarray(i * length, (i + 1) * length);
    const repeated = Float32Array.from({ length: copies * length }, (_, k) => one[k % length]!);
    const results = await runOnnx(path, { [from.name]: tensor(repeated, [copies, ...image]) });
    const answer = results[name]!.data;
    const width = got.length / IMAGES;
    compare(path, name, got.subarray(i * width, (i + 1) * width), answer.subarray(0, answer.length / copies));
  }
}

async function built(graph: ImportedGraph, from: string, shape: Shape, numbers: Float32Array): Promise<Float32Array> {
  const result = graph.build({ [from]: input("x", shape) })[graph.outputs[0]!]!;
  const program = await compile({ outputs: { y: result.value() } });
  try {
    return Float32Array.from((await program.run({ x: numbers })).y!.data);
  } finally {
    await program.release();
  }
}

function compare(path: string, name: string, got: ArrayLike<number>, wanted: ArrayLike<number>): void {
  let [worst, largest] = [0, 1e-3];
  for (let i = 0; i < wanted.length; i++) {
    worst = Math.max(worst, Math.abs(got[i]! - wanted[i]!));
    largest = Math.max(largest, Math.abs(wanted[i]!));
  }
  if (got.length === wanted.length && worst <= TOLERANCE * largest) return;
  throw refusal(
    `${path}: for a batch of ${IMAGES} images, "${name}" differs from what ONNX Runtime makes of the file (by ${(worst / largest).toPrecision(2)}); ` +
      "export the model with an open batch axis",
  );
}
