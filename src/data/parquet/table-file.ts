import { type FileHandle, open } from "node:fs/promises";
import { type FileMetaData, parquetMetadata, parquetSchema, type SchemaTree } from "hyparquet";
import { refusal } from "../../engine/import/refusal.ts";
import { type ColumnValues, columnValues } from "./column.ts";

/** Bytes of a file's description of itself; a set of thousands of row groups has a few MB. */
const LARGEST_METADATA = 2 ** 26;
/** Bytes of one column in one row group. */
const LARGEST_CHUNK = 2 ** 29;
/** Rows of a row group; writers of images put a hundred or a thousand into one. */
const MOST_ROWS = 2 ** 24;
/** Length of the description, and the format's sign, at the end of a file. */
const FOOTER = 8;

/** One file of a table. */
export interface TableFile {
  /** The tree of its columns; the root has no name. */
  readonly schema: SchemaTree;
  /** Rows of each of its row groups. */
  readonly groups: readonly number[];
  /** What the program that wrote it says of it. */
  readonly notes: ReadonlyMap<string, string>;
  /** The values of a column, named from the root, in one row group. @throws UserError where they cannot be read. */
  column(group: number, path: readonly string[]): Promise<ColumnValues>;
  close(): Promise<void>;
}

/**
 * Opens a Parquet file. Of the table only what is asked for is read: one column of one row group at a time.
 * @throws UserError for a file that cannot be read, is damaged, or asks for more memory than images need; it names the file.
 */
export async function openTableFile(path: string): Promise<TableFile> {
  const refuse = (error: unknown): never => {
    throw refusal(`${path}: cannot be read as a parquet file: ${reasonOf(error)}; replace or remove the file`);
  };
  const file = await open(path).catch(refuse);
  try {
    const raw = await metadataOf(file);
    const groups = raw.row_groups.map(({ num_rows: rows }) => wholeNumber(rows, MOST_ROWS, "rows of a row group"));
    const table = { schema: parquetSchema(raw), groups };
    return {
      ...table,
      notes: new Map((raw.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? ""])),
      column: (group, column) => chunkValues(file, raw, table, group, column).catch(refuse),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    return refuse(error);
  }
}

/** Decoders say what is wrong in many ways; one line of it is enough. */
const reasonOf = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ").trim().slice(0, 200) || "damaged";

async function metadataOf(file: FileHandle): Promise<FileMetaData> {
  const { size } = await file.stat();
  const footer = await bytesOf(file, size - FOOTER, size);
  if (footer.subarray(4).toString("latin1") !== "PAR1") throw new Error("it does not end as one");
  const length = footer.readUInt32LE(0);
  const most = Math.min(LARGEST_METADATA, size - FOOTER);
  if (length > most) throw new Error(`its description has ${length} bytes, where ${most} are the most`);
  return parquetMetadata(await bytesOf(file, size - FOOTER - length, size), { geoparquet: false });
}

async function chunkValues(
  file: FileHandle,
  metadata: FileMetaData,
  { schema, groups }: Pick<TableFile, "schema" | "groups">,
  group: number,
  column: readonly string[],
): Promise<ColumnValues> {
  const name = column.join(".");
  const chunk = metadata.row_groups[group]!.columns.find(
    ({ meta_data: meta }) => meta?.path_in_schema.join("\0") === column.join("\0"),
  );
  if (chunk?.meta_data === undefined) throw new Error(`row group ${group} has no column ${name}`);
  if (chunk.file_path !== undefined) throw new Error(`its column ${name} lies in another file`);
  const { dictionary_page_offset: dictionary, data_page_offset: data, total_compressed_size: length } = chunk.meta_data;
  // Some writers say 0 where there is no dictionary.
  const start = wholeNumber(dictionary ? dictionary : data, Number.MAX_SAFE_INTEGER, "the place of a column");
  const end = start + wholeNumber(length, LARGEST_CHUNK, "bytes of a column in a row group");
  const path = [schema];
  for (const part of column) path.push(path.at(-1)!.children.find(({ element }) => element.name === part)!);
  try {
    return columnValues(await bytesOf(file, start, end), chunk.meta_data, path, groups[group]!);
  } catch (error) {
    throw new Error(`column ${name} of row group ${group}: ${reasonOf(error)}`);
  }
}

async function bytesOf(file: FileHandle, start: number, end: number): Promise<Buffer<ArrayBuffer>> {
  const { size } = await file.stat();
  if (start < 0 || end > size) throw new Error(`it has ${size} bytes, not the bytes ${start} to ${end}`);
  const bytes = Buffer.alloc(end - start);
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
    if (bytesRead === 0) throw new Error(`it ends at byte ${start + done}`);
    done += bytesRead;
  }
  return bytes;
}

function wholeNumber(value: number | bigint | undefined, most: number, what: string): number {
  const number = Number(value);
  if (number >= 0 && number <= most) return number;
  throw new Error(`${what}: ${value}, where ${most} are the most`);
}
