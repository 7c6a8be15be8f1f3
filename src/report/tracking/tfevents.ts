import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** A picture as a PNG file, with its size in pixels. */
export interface ImageSummary {
  readonly png: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** What an event says under a tag: a number or a picture. */
export type SummaryValue = { readonly tag: string } & ({ readonly scalar: number } | { readonly image: ImageSummary });

/** One event of TensorBoard: `Event` in tensorflow/core/util/event.proto. */
export interface TensorboardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly values: readonly SummaryValue[];
}

/** RGB in `Summary.Image.colorspace`. */
const RGB = 3;

/** The record that an event file begins with: readers refuse one without it. */
export function headRecord(wallTime: number): Uint8Array {
  return record(
    new BinaryWriter()
      .tag(1, WireType.Bit64)
      .double(wallTime)
      .tag(3, WireType.LengthDelimited)
      .string("brain.Event:2")
      .finish(),
  );
}

/** An event as a record of an event file. */
export function eventRecord({ wallTime, step, values }: TensorboardEvent): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Bit64).double(wallTime).tag(2, WireType.Varint).int64(step);
  writer.tag(5, WireType.LengthDelimited).fork();
  for (const value of values) {
    writer.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(value.tag);
    if ("scalar" in value) writer.tag(2, WireType.Bit32).float(value.scalar);
    else {
      const { png, height, width } = value.image;
      writer.tag(4, WireType.LengthDelimited).fork();
      for (const [field, number] of [height, width, RGB].entries())
        writer.tag(field + 1, WireType.Varint).int32(number);
      writer.tag(4, WireType.LengthDelimited).bytes(png).join();
    }
    writer.join();
  }
  return record(writer.join().finish());
}

/**
 * A TFRecord: length (uint64), masked CRC-32C of the length, data, masked CRC-32C of the data, all little-endian
 * (tensorflow/core/lib/io/record_writer.h).
 */
function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + data.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return bytes;
}

/** CRC-32C with bits turned and a constant added, so that the sum of data that holds sums is no sum again. */
export function maskedCrc(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** CRC-32C (Castagnoli), RFC 3720 B.4. zlib has the other polynomial. */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});
