import { extname, resolve } from "node:path";
import { UserError } from "../../engine/errors.ts";
import { readClassifierFile } from "../../models/imported/file.ts";
import { readFacts } from "../../models/imported/metadata.ts";
import { declaredImage, type Layout } from "../../models/imported/preprocess.ts";
import { onnx } from "../../models/onnx.ts";
import type { Keys } from "./settings.ts";

/** A trained classifier as somebody brings it, and how its images are to be read where its file does not say. */
export interface BroughtModel {
  /** An ONNX file, or weights of `architecture`: .pth, .pt, .bin, .tar or safetensors. */
  readonly file: string;
  /** Of a file of weights: the architecture and its keys, as a study file has them. */
  readonly architecture?: Keys;
  readonly normalize?: string;
  /** Names of its classes in order. */
  readonly labels?: readonly string[];
  readonly layout?: Layout;
  readonly channels?: "rgb" | "bgr";
  readonly range?: readonly number[];
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly output?: string;
}

/** What a brought file says of itself. */
export interface ModelFacts {
  /** How many classes it knows; undefined for weights, which are fitted to the data. */
  readonly classes?: number;
  /** Names of its classes in order, given or from its metadata. */
  readonly labels?: readonly string[];
  /** Whether the user gave them. */
  readonly labelsGiven?: boolean;
  /** Side of the images that it takes; undefined where it takes any. */
  readonly side?: number;
  /** Channels of the images that it takes. */
  readonly channels: 1 | 3;
  readonly architecture?: string;
}

const WEIGHT_FILES = [".pth", ".pt", ".bin", ".tar", ".safetensors"];

/** Side with which a file that takes any is looked at. */
const TRIED = 64;

/** Keys of an ONNX file that say how its images are read. */
function readingKeys({ layout, channels, range, mean, std, output }: BroughtModel) {
  return {
    ...(output !== undefined && { output }),
    ...(layout && { layout }),
    ...(channels && { channels }),
    ...(range && { range }),
    ...(mean && { mean }),
    ...(std && { std }),
  };
}

const isOnnx = ({ file }: BroughtModel) => extname(file).toLowerCase() === ".onnx";

/** @throws UserError for a file that is neither, for weights without an architecture, and for options that do not go with the file. */
function checkKind(model: BroughtModel): void {
  const { file, architecture } = model;
  if (isOnnx(model)) {
    if (architecture !== undefined)
      throw new UserError(`${file}: an ONNX file has its architecture in it; leave --architecture out`);
    return;
  }
  if (!WEIGHT_FILES.includes(extname(file).toLowerCase()))
    throw new UserError(`${file}: expected a classifier as .onnx, or weights as ${WEIGHT_FILES.join(", ")}`);
  if (architecture === undefined)
    throw new UserError(
      `${file}: weights alone do not say what they belong to; name it, such as --architecture resnet18`,
    );
  const [key] = Object.keys(readingKeys(model));
  if (key !== undefined)
    throw new UserError(`--${key} is for ONNX files; images of an architecture are scaled by --normalize`);
}

/**
 * Reads what a brought classifier says of itself.
 * @param folders how many classes the private images have
 * @throws UserError for a file that cannot be read, or that options do not go with
 */
export function readModelFacts(model: BroughtModel, folders: number): ModelFacts {
  checkKind(model);
  const { file, labels, architecture } = model;
  const given = labels === undefined ? {} : { labels, labelsGiven: true };
  if (!isOnnx(model)) return { channels: 3, ...given, ...(architecture && { architecture: architecture.kind }) };
  const { graph } = readClassifierFile(file, model.output);
  // Where the file leaves its sides open, they are those of the images: none here.
  const { channels, height } = declaredImage(graph.inputs[0]?.dims, [1, 0, 0], model.layout, file);
  const side = height > 0 ? height : undefined;
  const settings = onnx.config.parse({ file, ...readingKeys(model) });
  const { imported } = onnx.build(settings, { input: [1, side ?? TRIED, side ?? TRIED], classes: folders });
  const known = labels ?? readFacts(graph.metadata, file).labels;
  const { architecture: built } = graph.metadata;
  return {
    channels: channels === 1 ? 1 : 3,
    ...(imported?.classes !== undefined && { classes: imported.classes }),
    ...(known && { labels: known }),
    ...given,
    ...(side !== undefined && { side }),
    ...(built !== undefined && { architecture: built }),
  };
}

/** The keys of a study whose target is the brought classifier as it is, or whose targets start from its weights. */
export function studyKeysOf(
  model: BroughtModel,
  as: "target" | "start",
  labels?: readonly string[],
): Record<string, unknown> {
  const file = resolve(model.file);
  const scale = model.normalize === undefined ? {} : { normalize: model.normalize };
  if (isOnnx(model)) {
    const named = labels === undefined ? {} : { labels };
    return { model: { kind: "onnx", file, weights: as, ...named, ...readingKeys(model), ...scale } };
  }
  const weights = as === "target" ? { target: { weights: file } } : { pretraining: { weights: file } };
  return { model: { ...model.architecture, ...scale }, ...weights };
}
