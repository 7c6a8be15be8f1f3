import { refusal } from "../../engine/import/refusal.ts";

/** What an ONNX file says of the images that it takes and of the classes that it knows. */
export interface FileFacts {
  /** Numbers of black and white. */
  readonly range?: readonly [number, number];
  /** Subtracted from each channel, in units of the range. */
  readonly mean?: readonly number[];
  /** Divides each channel then. */
  readonly std?: readonly number[];
  readonly channels?: "rgb" | "bgr";
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
  return {
    ...(range && { range }),
    ...(mean && { mean }),
    ...(std && { std }),
    ...(/^bgr/i.test(format) && { channels: "bgr" as const }),
    ...(/^rgb/i.test(format) && { channels: "rgb" as const }),
    ...(labels && { labels }),
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
