"""Reads the tensors of a case from a safetensors file, with nothing but the standard library and torch."""

import json
import struct

import torch


def load(path):
    """The float32 tensors of a safetensors file, by name."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name} has type {entry['dtype']}, F32 is needed")
        start, end = entry["data_offsets"]
        if start == end:
            tensors[name] = torch.empty(entry["shape"])
        else:
            view = torch.frombuffer(data, dtype=torch.float32, count=(end - start) // 4, offset=start)
            tensors[name] = view.reshape(entry["shape"]).clone()
    return tensors


def under(prefix, tensors):
    """The tensors whose names start with `prefix`, without it."""
    return {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}
