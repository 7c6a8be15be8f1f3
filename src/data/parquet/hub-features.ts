import { z } from "zod";
import { refusal } from "../../engine/import/refusal.ts";

/** The note under which the Hub's `datasets` library describes a table's columns. */
export const HUB_NOTE = "huggingface";

const Feature = z.looseObject({ _type: z.string().optional(), names: z.array(z.string()).optional() });
const Note = z.looseObject({ info: z.looseObject({ features: z.record(z.string(), z.unknown()) }) });

/** What a table's own description says of its columns. */
export interface HubFeatures {
  /** Columns of images. */
  readonly images: readonly string[];
  /** Columns of classes, with the classes' names in order. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

/**
 * The columns of a Hugging Face table that are images and classes (`Image`, `ClassLabel`), as its note says; nothing without a note.
 * @throws UserError for a note in another form, naming the file
 */
export function hubFeatures(note: string | undefined, file: string): HubFeatures {
  if (note === undefined) return { images: [], labels: new Map() };
  const parsed = Note.safeParse(asJson(note));
  if (!parsed.success)
    throw refusal(`${file}: its note "${HUB_NOTE}" is not the JSON object with info.features that it should be`);
  const features = Object.entries(parsed.data.info.features).flatMap(([name, value]) => {
    const feature = Feature.safeParse(value).data;
    return feature === undefined ? [] : [{ name, ...feature }];
  });
  return {
    images: features.filter(({ _type: type }) => type === "Image").map(({ name }) => name),
    labels: new Map(
      features.flatMap(({ name, names, _type: type }) =>
        type === "ClassLabel" && names !== undefined ? [[name, names] as const] : [],
      ),
    ),
  };
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
