import { refusal } from "../../engine/import/refusal.ts";
import type { Layout } from "./preprocess.ts";

/** What an ONNX file says of the images that it takes and of the classes that it knows. */
export interface FileFacts {
  /** Numbers of black and white. */
  readonly range?: readonly [number, number];
  /** Subtracted from each channel, in units of the range. */
  readonly mean?: readonly number[];
  /** Divides each channel then. */
  readonly std?: readonly number[];
  readonly channels?: "rgb" | "bgr";
  /** Where the channels stand. */
  readonly layout?: Layout;
  /** Names of the classes in order. */
  readonly labels?: readonly string[];
}

/** ONNX's own words (MetadataProps) for the numbers of black and white. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  NominalRange_0_255: [0, 255],
  NominalRange_16_235: [16, 235],
  Normalized_0_1: [0, 1],
  Normalized_1_1: [-1, 1],
};

const LAYOUTS: readonly Layout[] = ["nchw", "nhwc"];

/** Keys under which exporters write the names of classes: ours, and those of widespread tools. */
const LABEL_KEYS = ["labels", "names", "classes", "class_names", "id2label"];

/** Reads the metadata of a file. What it does not say is left out. @throws UserError for what it says in a form that is not read. */
export function readFacts(metadata: Readonly<Record<string, string>>, file: string): FileFacts {
  const range = RANGES[metadata["Image.NominalPixelRange"] ?? ""];
  const format = metadata["Image.BitmapPixelFormat"] ?? "";
  const key = LABEL_KEYS.find((name) => Object.hasOwn(metadata, name));
  const labels = key === undefined ? undefined : namesIn(metadata[key]!);
  const mean = numbersIn(metadata.mean, "mean", file);
  const std = numbersIn(metadata.std, "std", file);
  const layout = LAYOUTS.find((known) => known === metadata.layout?.toLowerCase());
  return {
    ...(range && { range }),
    ...(mean && { mean }),
    ...(std && { std }),
    ...(/^bgr/i.test(format) && { channels: "bgr" as const }),
    ...(/^rgb/i.test(format) && { channels: "rgb" as const }),
    ...(layout && { layout }),
    ...(labels && { labels }),
  };
}

/**
 * The same facts as metadata, under the keys that are read back: a file that carries them needs no settings.
 * @param channels of the images: 1 (grey) or 3
 */
export function factsMetadata(facts: Required<FileFacts>, channels: number): Record<string, string> {
  const { range, mean, std, layout, labels } = facts;
  const named = Object.keys(RANGES).find((name) => RANGES[name]!.every((end, i) => end === range[i]));
  if (named === undefined) throw new RangeError(`the range ${range.join(" … ")} has no name in ONNX`);
  const colour = facts.channels === "rgb" ? "Rgb8" : "Bgr8";
  return {
    labels: JSON.stringify(labels),
    layout,
    "Image.BitmapPixelFormat": channels === 1 ? "Gray8" : colour,
    "Image.NominalPixelRange": named,
    mean: JSON.stringify(mean),
    std: JSON.stringify(std),
  };
}

function numbersIn(text: string | undefined, key: string, file: string): number[] | undefined {
  if (text === undefined) return undefined;
  const parsed = parsedJson(text);
  if (Array.isArray(parsed) && parsed.every((n) => typeof n === "number")) return parsed;
  throw refusal(`${file}: its metadata says ${key}: ${text}; a list of numbers such as [0.5, 0.5, 0.5] is read`);
}

/** Names as a JSON list, as a JSON or Python dictionary by number, or separated by commas or lines; undefined for anything else. */
function namesIn(text: string): string[] | undefined {
  const parsed = parsedJson(text) ?? parsedJson(asJsonDictionary(text));
  if (Array.isArray(parsed)) return parsed.map(String);
  if (typeof parsed === "object" && parsed !== null) {
    const entries = Object.entries(parsed).map(([k, v]) => [Number(k), String(v)] as const);
    entries.sort(([a], [b]) => a - b);
    return entries.every(([k], i) => k === i) ? entries.map(([, v]) => v) : undefined;
  }
  const parts = text.split(/[\n,]/).map((part) => part.trim());
  return parts.length > 1 ? parts : undefined;
}

/** `{0: 'a', 1: "it's"}` → `{"0": "a", "1": "it's"}` */
function asJsonDictionary(text: string): string {
  return text.replaceAll(/(\d+)\s*:\s*(?:'((?:[^'\\]|\\.)*)'|("(?:[^"\\]|\\.)*"))/g, (_, number, single, double) => {
    return `"${number}": ${double ?? JSON.stringify(String(single).replaceAll("\\'", "'"))}`;
  });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
