import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { UserError } from "../engine/errors.ts";
import type { FolderStudyOptions } from "../study/audit/folder-study.ts";
import type { Program } from "./globals.ts";
import { positiveWhole } from "./globals.ts";

/** `resnet18`, or an architecture with its keys as a study file has them: `{ kind: resnet18, width: 32 }`. */
export function architecture(text: string): { readonly kind: string } & Record<string, unknown> {
  const value: unknown = yaml(text);
  if (typeof value === "string") return { kind: value };
  if (isKeys(value) && typeof value.kind === "string") return { ...value, kind: value.kind };
  throw new InvalidArgumentError("expected a kind such as resnet18, or its keys: '{ kind: resnet18, width: 32 }'.");
}

/** `0.5` or `0.49,0.46,0.41` */
export function numbers(text: string): readonly number[] {
  const list = text.split(",").map(Number);
  if (text.trim() !== "" && list.every(Number.isFinite)) return list;
  throw new InvalidArgumentError("expected numbers separated by commas, such as 0.49,0.46,0.41.");
}

/** Names separated by commas, or those of a file with one a line. */
export function names(text: string): readonly string[] {
  const list = text.startsWith("@") ? lines(text.slice(1)) : text.split(",");
  const found = list.map((name) => name.trim()).filter((name) => name !== "");
  if (found.length > 0) return found;
  throw new InvalidArgumentError("expected names separated by commas, or @FILE with one a line.");
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    throw new InvalidArgumentError(`${file} cannot be read.`);
  }
}

function yaml(text: string): unknown {
  // Commander wants an option's value at once, and the parser takes longer to load than a help text may take.
  const { parse } = createRequire(import.meta.url)("yaml") as typeof import("yaml");
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

const isKeys = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reads a file with keys of a study. @throws UserError where it is none */
export function settingsFile(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new UserError(`--settings: ${file} cannot be read`);
  }
  const value = yaml(text);
  if (isKeys(value)) return value;
  throw new UserError(`--settings: ${file}: expected keys of a study file, such as priors: and attacks:`);
}

/** A command about a classifier that somebody brings, with the options that say what it is and on which images. */
export function broughtModelCommand(program: Program, name: string, description: string) {
  return program
    .command(name)
    .description(description)
    .requiredOption(
      "--model <file>",
      "the classifier: .onnx, or weights as .pth, .pt or .safetensors with --architecture",
    )
    .requiredOption("--private <folder>", "its private images, one folder a person or class")
    .requiredOption("--public <folder>", "other people's images: what the attacker has")
    .option("--out <dir>", "folder of the results; runs/<command>-<model> by default")
    .option(
      "--architecture <kind>",
      "what weights belong to: resnet18, or '{ kind: resnet18, width: 32 }'",
      architecture,
    )
    .option("--labels <names>", "names of its classes in order, by commas, or @FILE with one a line", names)
    .addOption(new Option("--normalize <scale>", "scale of its images").choices(["imagenet", "half"] as const))
    .addOption(new Option("--layout <order>", "where an ONNX file's channels stand").choices(["nchw", "nhwc"] as const))
    .addOption(new Option("--channels <order>", "order of an ONNX file's channels").choices(["rgb", "bgr"] as const))
    .option("--range <low,high>", "numbers of black and white that an ONNX file expects", numbers)
    .option("--mean <numbers>", "subtracted from each channel of an ONNX file's images", numbers)
    .option("--std <numbers>", "divides each channel then", numbers)
    .option("--output <name>", "output of an ONNX file that has several")
    .option("--size <pixels>", "side of the images that are attacked; the model's, up to 64, by default", positiveWhole)
    .addOption(new Option("--crop <how>", "how images become squares").choices(["center", "none"] as const))
    .option("--evaluation <kind>", "architecture of the evaluation model", architecture)
    .option("--evaluation-images <folder>", "further images of the private people, for the evaluation model alone")
    .option("--evaluation-weights <file>", "a trained evaluation model, of the architecture of --evaluation")
    .option(
      "--settings <file>",
      "keys of a study file (priors, attacks, training, …) in place of the usual ones",
      settingsFile,
    );
}

type Given = ReturnType<ReturnType<typeof broughtModelCommand>["opts"]>;

/** What the options of such a command say. */
export function broughtOptions(given: Given): FolderStudyOptions {
  const { model: file, private: owned, public: others, architecture, normalize, labels, layout, channels } = given;
  const { range, mean, std, output, size, crop, evaluation, evaluationImages, evaluationWeights, settings } = given;
  return {
    model: {
      file,
      ...(architecture && { architecture }),
      ...(normalize && { normalize }),
      ...(labels && { labels }),
      ...(layout && { layout }),
      ...(channels && { channels }),
      ...(range && { range }),
      ...(mean && { mean }),
      ...(std && { std }),
      ...(output !== undefined && { output }),
    },
    private: owned,
    public: others,
    ...(size !== undefined && { size }),
    ...(crop && { crop }),
    ...(evaluation && { evaluation }),
    ...(evaluationImages !== undefined && { evaluationImages }),
    ...(evaluationWeights !== undefined && { evaluationWeights }),
    ...(settings && { settings }),
  };
}
