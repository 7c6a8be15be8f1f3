import type { ColumnMetaData, PageHeader, SchemaTree } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { convert, convertWithDictionary, DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { decompressPage, readDataPage, readDataPageV2 } from "hyparquet/src/datapage.js";
import { readPlain } from "hyparquet/src/plain.js";
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from "hyparquet/src/schema.js";
import { codecs } from "./codecs.ts";
import { checkRuns } from "./runs.ts";

/** Bytes of a page, unpacked. Sets of images have pages of one to a few hundred MB. */
const LARGEST_PAGE = 2 ** 29;

/** Encodings of values. Those that are left out can claim far more than the file holds, and writers of images do not use them. */
const DICTIONARY: readonly string[] = ["PLAIN_DICTIONARY", "RLE_DICTIONARY"];
const DIRECT: readonly string[] = ["PLAIN", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY"];

/** A column's values in order, one a row; undefined where the row has none. */
export type ColumnValues = readonly unknown[];

type Pages = ArrayLike<unknown>;

/**
 * The values of one column in one row group. The library decodes; what it believes of a file unseen is checked first: sizes of pages,
 * numbers of values, lengths of runs.
 * @param bytes the column's chunk
 * @param schemaPath from the root to the column
 * @param rows rows of the row group
 * @throws Error with what is wrong with the chunk
 */
export function columnValues(
  bytes: Uint8Array<ArrayBuffer>,
  chunk: ColumnMetaData,
  schemaPath: SchemaTree[],
  rows: number,
): ColumnValues {
  if (getMaxRepetitionLevel(schemaPath) > 0) throw new Error("a column of lists, where each row has one value");
  const deepest = getMaxDefinitionLevel(schemaPath);
  const { element } = schemaPath.at(-1)!;
  const { type, codec } = chunk;
  if (element.type !== type) throw new Error(`a column of ${type} in a schema that says ${element.type}`);
  const decoder = { pathInSchema: chunk.path_in_schema, element, schemaPath, type, codec, parsers: DEFAULT_PARSERS };
  const decoding = { ...decoder, compressors: codecs, utf8: false };
  const values: unknown[] = [];
  let dictionary: ReturnType<typeof readPlain> | undefined;

  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  while (values.length < rows) {
    const header = parquetHeader(reader);
    const packed = bytes.subarray(reader.offset, reader.offset + checkedSize(header, bytes.length - reader.offset));
    reader.offset += packed.length;
    if (header.type === "INDEX_PAGE") continue;
    if (header.type === "DICTIONARY_PAGE") {
      const page = decompressPage(packed, header.uncompressed_page_size, codec, codecs);
      const count = counted(header.dictionary_page_header?.num_values, page.length * 8);
      dictionary = convert(readPlain({ view: viewOf(page), offset: 0 }, type, count, element.type_length), decoding);
      continue;
    }
    const { levels, found } = dataPage(header, packed, rows - values.length, deepest, decoding, dictionary);
    if (levels.length === 0) for (let i = 0; i < found.length; i++) values.push(found[i]);
    else for (let i = 0, at = 0; i < levels.length; i++) values.push(levels[i] === deepest ? found[at++] : undefined);
  }
  if (values.length !== rows) throw new Error(`a column of ${values.length} values in a group of ${rows} rows`);
  return values;
}

type Decoding = Parameters<typeof readDataPage>[2];

/** One page's values, and how much of each row's path there is; no levels where no row lacks a value. */
function dataPage(
  header: PageHeader,
  packed: Uint8Array,
  left: number,
  deepest: number,
  decoding: Decoding,
  dictionary: ReturnType<typeof readPlain> | undefined,
): { levels: ArrayLike<number>; found: Pages } {
  const own = header.data_page_header ?? header.data_page_header_v2;
  if (own === undefined) throw new Error(`a page of the type ${header.type ?? "unknown"}`);
  const count = counted(own.num_values, left);
  const { encoding } = own;
  if (!DIRECT.includes(encoding) && !DICTIONARY.includes(encoding))
    throw new Error(
      `values in the encoding ${encoding ?? "unknown"}; read are ${[...DIRECT, ...DICTIONARY].join(", ")}`,
    );
  if (DICTIONARY.includes(encoding) && dictionary === undefined) throw new Error("a page without its dictionary");
  const width = 32 - Math.clz32(deepest);
  const second = header.data_page_header_v2;
  const read = () => {
    if (second === undefined) {
      const page = decompressPage(packed, header.uncompressed_page_size, decoding.codec, codecs);
      const start = deepest === 0 ? 0 : checkedLevels(page, width, count);
      checkIndices(page.subarray(start), encoding, count);
      return readDataPage(page, header.data_page_header!, decoding);
    }
    const before = second.repetition_levels_byte_length + second.definition_levels_byte_length;
    const unpacked = header.uncompressed_page_size - before;
    if (!(second.repetition_levels_byte_length === 0 && before >= 0 && unpacked >= 0 && before <= packed.length))
      throw new Error("a page whose levels are longer than it is");
    checkRuns(packed.subarray(0, before), width, count);
    const compressed = second.is_compressed !== false && unpacked > 0;
    const body = packed.subarray(before);
    const page = compressed ? decompressPage(body, unpacked, decoding.codec, codecs) : body;
    checkIndices(page, encoding, count);
    const whole = new Uint8Array(before + page.length);
    whole.set(packed.subarray(0, before));
    whole.set(page, before);
    const plain = { ...header, data_page_header_v2: { ...second, is_compressed: false } };
    return readDataPageV2(whole, plain, decoding);
  };
  const { definitionLevels: levels, dataPage: raw } = read();
  const found = convertWithDictionary(raw, dictionary, encoding, decoding);
  const there =
    levels === undefined || levels.length === 0 ? count : levels.filter((level) => level === deepest).length;
  if (found.length !== there) throw new Error(`${found.length} values, where ${there} were said to be`);
  return { levels: levels ?? [], found };
}

/** The place behind a page's levels, which begin with their length. */
function checkedLevels(page: Uint8Array, width: number, count: number): number {
  const length = viewOf(page).getUint32(0, true);
  if (length > page.length - 4) throw new Error("a page whose levels are longer than it is");
  checkRuns(page.subarray(4, 4 + length), width, count);
  return 4 + length;
}

/** Numbers of dictionary entries begin with their width. */
function checkIndices(values: Uint8Array, encoding: string, count: number): void {
  if (DICTIONARY.includes(encoding) && values.length > 0) checkRuns(values.subarray(1), values[0]!, count);
}

/** The bytes that a page takes up. */
function checkedSize(
  { compressed_page_size: size, uncompressed_page_size: unpacked }: PageHeader,
  left: number,
): number {
  if (!(size >= 0 && size <= left)) throw new Error(`a page of ${size} bytes, where ${left} are left`);
  if (!(unpacked >= 0 && unpacked <= LARGEST_PAGE))
    throw new Error(`a page of ${unpacked} bytes unpacked, where ${LARGEST_PAGE} are the most`);
  return size;
}

function counted(values: number | undefined, most: number): number {
  if (values !== undefined && values >= 0 && values <= most) return values;
  throw new Error(`a page of ${values} values, where ${most} are the most`);
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
