import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { refusal } from "../../engine/import/refusal.ts";
import type { EncodedImages, ImageTree, ListedImage } from "../image-tree.ts";
import { imageColumns, type NamedColumns } from "./image-columns.ts";
import { openTableFile } from "./table-file.ts";

const SUFFIX = ".parquet";

/** Which of a folder's tables are read, and which of their columns. */
export interface TableOptions extends NamedColumns {
  /** `train`: tables named `train-….parquet`, or in a folder `train`. */
  readonly part?: string | undefined;
}

/** Whether a path is a table, or a folder with tables at any depth. */
export async function holdsTables(path: string): Promise<boolean> {
  return (await tablesUnder(path)).length > 0;
}

/**
 * The images of Parquet tables (one file, or a folder with the shards of a set), labelled by class. Only labels are read here; images
 * are read row group by row group when they are asked for.
 * @param className of all images, where the tables have no labels; undefined where they must have
 * @throws UserError for a path without tables, a damaged file, columns that cannot be told, a row without a label
 */
export async function listImageTable(
  path: string,
  role: string,
  options: TableOptions,
  className?: string,
): Promise<ImageTree> {
  const all = await tablesUnder(path);
  const { part } = options;
  const tables = part === undefined ? all : all.filter((table) => isOfPart(table, part));
  if (tables.length === 0) {
    const what = part === undefined || all.length === 0 ? "no parquet file" : `no parquet file of the part "${part}"`;
    throw refusal(`${role}: ${path} holds ${what}${all.length > 0 ? `; it has ${all[0]}` : ""}`);
  }
  const isFile = (await stat(path)).isFile();
  const root = isFile ? dirname(path) : path;
  const rows: LabelledRow[] = [];
  const columns = new Set<string>();
  let known: { readonly names: readonly string[] | undefined; readonly table: string } | undefined;
  for (const table of tables) {
    const { names, labels, image } = await labelsOf(join(root, table), options, className);
    columns.add(JSON.stringify(image));
    known ??= { names, table };
    if (known.names?.join("\n") !== names?.join("\n"))
      throw refusal(`${join(root, table)}: its list of classes is not that of ${known.table}`);
    for (const [row, label] of labels.entries()) rows.push({ path: table, row, label });
  }
  if (rows.length === 0) throw refusal(`${role}: ${path} holds no rows`);
  const listed = known?.names;
  const distinct = [...new Set(rows.map(({ label }) => label))].sort(byValue);
  const classes = listed ?? distinct.map(String);
  const place = new Map(distinct.map((label, at) => [label, listed === undefined ? at : Number(label)]));
  const files = rows.map(({ path, row, label }): ListedImage => ({ path, row, label: place.get(label)! }));
  return { root, classes, files, columns: [...columns], encoded: (wanted) => encodedRows(root, options, wanted) };
}

type Label = string | number;

interface LabelledRow {
  readonly path: string;
  readonly row: number;
  readonly label: Label;
}

/** The label of each row of a table, the names of classes that it lists, and the path of its column of images. */
async function labelsOf(
  file: string,
  options: TableOptions,
  className: string | undefined,
): Promise<{
  readonly names: readonly string[] | undefined;
  readonly labels: readonly Label[];
  readonly image: readonly string[];
}> {
  const table = await openTableFile(file);
  try {
    const { label: column, names, image } = imageColumns(table, options, file);
    if (column === undefined && className === undefined)
      throw refusal(`${file}: has no column of classes; name one as label`);
    const labels: Label[] = [];
    for (const [group, rows] of table.groups.entries()) {
      const values = column === undefined ? undefined : await table.column(group, column);
      for (let i = 0; i < rows; i++)
        labels.push(values === undefined ? className! : labelOf(values[i], names?.length, file, labels.length));
    }
    return { names, labels, image };
  } finally {
    await table.close();
  }
}

const byValue = (a: Label, b: Label) =>
  typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : 1;

/** Tables in the order of their paths' code units, as paths under the folder. */
async function tablesUnder(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => {
    throw refusal(`${path} does not exist`);
  });
  if (found.isFile()) return path.endsWith(SUFFIX) ? [basename(path)] : [];
  const names = await readdir(path, { recursive: true });
  return names.filter((name) => name.endsWith(SUFFIX) && !name.split(sep).some((one) => one.startsWith("."))).sort();
}

const isOfPart = (table: string, part: string) => {
  const folders = table.split(sep);
  const name = folders.pop()!;
  return folders.includes(part) || name.startsWith(`${part}-`) || name === `${part}${SUFFIX}`;
};

function labelOf(value: unknown, classes: number | undefined, file: string, row: number): Label {
  const read = typeof value === "bigint" ? Number(value) : value instanceof Uint8Array ? utf8(value) : value;
  if (typeof read === "string" && read !== "" && classes === undefined) return read;
  if (typeof read === "number" && Number.isSafeInteger(read) && read >= 0 && read < (classes ?? Infinity)) return read;
  const shown = read === undefined || read === null ? "no label" : `the label ${String(read).slice(0, 40)}`;
  const expected = classes === undefined ? "a whole number from 0, or text" : `0 to ${classes - 1}`;
  throw refusal(
    `${file}: row ${row} has ${shown}; expected ${expected}. Tables without labels can be left out by part, or the column chosen by label`,
  );
}

const utf8 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");

/** The images of the given rows, in that order; rows of one table stand together and go up. One row group is held at a time. */
async function* encodedRows(root: string, options: TableOptions, wanted: readonly ListedImage[]): EncodedImages {
  for (let next = 0; next < wanted.length; ) {
    const { path } = wanted[next]!;
    const start = next;
    while (wanted[next]?.path === path) next++;
    const rows = wanted.slice(start, next);
    const file = join(root, path);
    const table = await openTableFile(file);
    try {
      const { image } = imageColumns(table, options, file);
      let first = 0;
      let at = 0;
      for (const [group, count] of table.groups.entries()) {
        const from = at;
        while (at < rows.length && rows[at]!.row! < first + count) at++;
        const images = at === from ? [] : await table.column(group, image);
        for (const { row } of rows.slice(from, at)) yield { name: `${file} row ${row}`, content: images[row! - first] };
        first += count;
      }
      if (at < rows.length) throw refusal(`${file}: has ${first} rows and no row ${rows[at]!.row}`);
    } finally {
      await table.close();
    }
  }
}
