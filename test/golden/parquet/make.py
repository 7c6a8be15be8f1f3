"""Writes the tables beside it with pyarrow 25, in the layout of Hugging Face's datasets: the same twelve images in each.

Run in this folder: python make.py
"""

import json
import struct
import zlib

import pyarrow as pa
import pyarrow.parquet as pq

NAMES = ["Ann", "Bob", "Cid", "Dan"]


def png(grey: int) -> bytes:
    """An 8x8 PNG of one grey."""
    rows = b"".join(b"\0" + bytes([grey]) * 8 for _ in range(8))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


labels = [i % 4 for i in range(12)]
images = [{"bytes": png(20 * label + i), "path": f"{i}.png"} for i, label in enumerate(labels)]
kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
features = {"image": {"_type": "Image"}, "label": {"names": NAMES, "_type": "ClassLabel"}}
note = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
table = pa.table({"image": pa.array(images, kind), "label": pa.array(labels, pa.int64())}).replace_schema_metadata(note)

for codec in ["snappy", "gzip", "brotli", "zstd", "lz4", "none"]:
    for version in ["1.0", "2.0"]:
        name = f"{codec}-v{version[0]}.parquet"
        pq.write_table(table, name, row_group_size=5, compression=codec, data_page_version=version)
encodings = {"label": "DELTA_BINARY_PACKED", "image.bytes": "DELTA_LENGTH_BYTE_ARRAY", "image.path": "PLAIN"}
pq.write_table(table, "delta.parquet", row_group_size=5, use_dictionary=False, column_encoding=encodings)
