import type { SchemaTree } from "hyparquet";
import { refusal } from "../../engine/import/refusal.ts";
import { HUB_NOTE, hubFeatures } from "./hub-features.ts";
import type { TableFile } from "./table-file.ts";

/** Columns that the user names, where a table leaves a choice. */
export interface NamedColumns {
  readonly image?: string | undefined;
  readonly label?: string | undefined;
}

/** Where a table's images and labels are. */
export interface ImageColumns {
  /** Path to the encoded images. */
  readonly image: readonly string[];
  /** Path to the labels; undefined where there are none. */
  readonly label?: readonly string[];
  /** The names of classes 0, 1, … where labels are numbers of a list. */
  readonly names?: readonly string[];
}

/** Names that columns of labels have where nothing says which one it is. */
const LABELS: readonly string[] = ["label", "labels", "celeb_id", "identity"];

const isBytes = ({ element, children }: SchemaTree) => children.length === 0 && element.type === "BYTE_ARRAY";
const isLabel = ({ element, children }: SchemaTree) =>
  children.length === 0 && ["INT32", "INT64", "BYTE_ARRAY"].includes(element.type ?? "");
const bytesIn = ({ children }: SchemaTree) =>
  children.find((child) => child.element.name === "bytes" && isBytes(child));

/**
 * The columns of images and labels: the named ones, else those that the table's note names, else the one of `{bytes, path}` and one
 * that is called label.
 * @throws UserError where there is none, or more than one, naming the file and its columns
 */
export function imageColumns({ schema, notes }: TableFile, named: NamedColumns, file: string): ImageColumns {
  const features = hubFeatures(notes.get(HUB_NOTE), file);
  const columns = new Map(schema.children.map((child) => [child.element.name, child]));
  const there = `it has the columns ${[...columns.keys()].join(", ") || "(none)"}`;

  const only = (what: string, key: string, ...ways: (readonly string[])[]): string | undefined => {
    const found = ways.find((names) => names.length > 0) ?? [];
    if (found.length > 1)
      throw refusal(`${file}: has ${found.length} columns of ${what} (${found.join(", ")}); name one as ${key}`);
    return found[0];
  };
  const shown = features.images.filter((name) => columns.has(name));
  const structs = [...columns].filter(([, child]) => bytesIn(child) !== undefined).map(([name]) => name);
  const image = named.image ?? only("images", "image", shown, structs);
  const imageNode = columns.get(image ?? "");
  if (image === undefined || imageNode === undefined)
    throw refusal(`${file}: has no column ${image === undefined ? "of images" : `"${image}"`}; ${there}`);
  const inner = bytesIn(imageNode);
  if (inner === undefined && !isBytes(imageNode))
    throw refusal(`${file}: column "${image}" holds no encoded images; expected bytes, or bytes and path`);

  const listed = [...features.labels.keys()].filter((name) => columns.has(name));
  const called = [...columns].filter(([name, child]) => LABELS.includes(name) && isLabel(child)).map(([name]) => name);
  const label = named.label ?? only("classes", "label", listed, called);
  if (label === undefined) return { image: inner?.path ?? imageNode.path };
  const labelNode = columns.get(label);
  if (labelNode === undefined) throw refusal(`${file}: has no column "${label}"; ${there}`);
  if (!isLabel(labelNode)) throw refusal(`${file}: column "${label}" holds neither whole numbers nor text`);
  const names = features.labels.get(label);
  return { image: inner?.path ?? imageNode.path, label: labelNode.path, ...(names && { names }) };
}
