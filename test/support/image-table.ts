import { brotliCompressSync, gzipSync } from "node:zlib";
import type { CompressionCodec } from "hyparquet";
import { parquetWriteBuffer, type SchemaElement } from "hyparquet-writer";

const gzip = (bytes: Uint8Array) => gzipSync(bytes);
const brotli = (bytes: Uint8Array) => brotliCompressSync(bytes);
const COMPRESSORS = { GZIP: gzip, BROTLI: brotli };

/** A row: an encoded image (null: only its path), and a label. */
export interface TableRow {
  readonly bytes: Uint8Array | null;
  readonly label: number | string | null;
}

/** How a table is written. */
export interface TableForm {
  /** Names of the classes, as the Hub's library notes them. */
  readonly names?: readonly string[];
  /** Name of the column of images. */
  readonly image?: string;
  /** Further columns of encoded images. */
  readonly others?: Readonly<Record<string, readonly Uint8Array[]>>;
  /** Name of the column of labels. */
  readonly label?: string;
  readonly codec?: CompressionCodec;
  /** Rows of each row group. */
  readonly rows?: number;
}

/** A Parquet table as `datasets` writes it: a struct of bytes and path, labels, and a note of what the columns are. */
export function imageTable(rows: readonly TableRow[], form: TableForm = {}): Uint8Array<ArrayBuffer> {
  const { names, image = "image", others = {}, label = "label", codec = "SNAPPY" } = form;
  const images = { [image]: rows.map(({ bytes }) => bytes), ...others };
  const text = rows.some((row) => typeof row.label === "string");
  const schema: SchemaElement[] = [
    { name: "root", num_children: Object.keys(images).length + 1 },
    ...Object.keys(images).flatMap((name): SchemaElement[] => [
      { name, num_children: 2, repetition_type: "OPTIONAL" },
      { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
      { name: "path", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
    ]),
    text
      ? { name: label, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" }
      : { name: label, type: "INT64", repetition_type: "OPTIONAL" },
  ];
  const features = {
    ...Object.fromEntries(Object.keys(images).map((name) => [name, { _type: "Image" }])),
    [label]: names ? { names, _type: "ClassLabel" } : { dtype: "int64", _type: "Value" },
  };
  const labelOf = (value: TableRow["label"]) => (typeof value === "number" ? BigInt(value) : value);
  return new Uint8Array(
    parquetWriteBuffer({
      schema,
      codec,
      compressors: COMPRESSORS,
      rowGroupSize: form.rows ?? 4,
      columnData: [
        ...Object.entries(images).map(([name, all]) => ({
          name,
          data: all.map((bytes, i) => ({ bytes, path: `${i}.png` })),
        })),
        { name: label, data: rows.map((row) => labelOf(row.label)) },
      ],
      kvMetadata: [{ key: "huggingface", value: JSON.stringify({ info: { features } }) }],
    }),
  );
}
