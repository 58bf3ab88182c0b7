"""Freezes what ggml's Python package makes of random blocks of every encoding, and of random numbers: `blocks.json`, two lists of
{type, bytes, values}, blocks and fp32 numbers, little endian, in hexadecimal: `decoded` from the blocks, `encoded` from the numbers.

    pip install gguf==0.19.0 numpy && python make_blocks.py

The scales of a block are, in turn: usual, subnormal, zero and -0, the largest of either sign, infinite, NaN (quiet: what becomes of
a signalling one depends on the machine that runs this).
"""

import json
import os

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize, quantize

# Where the half-precision scales of a block lie.
SCALES = {
    "F32": [], "F16": [], "BF16": [], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}
EXTREMES = [(0.0123, -0.0456), (3e-6, -6e-8), (0.0, -0.0), (65504.0, -65504.0), (np.inf, -np.inf), (np.nan, 1.0)]

random = np.random.default_rng(5)
cases = []
for name, offsets in SCALES.items():
    kind = GGMLQuantizationType[name]
    block, size = GGML_QUANT_SIZES[kind]
    if block == 1:
        data = random.integers(0, 256, (64, size), dtype=np.uint8)
        integer = {2: np.uint16, 4: np.uint32}[size]
        zero, quiet, infinite = {
            "F32": (1 << 31, 0x7FC00001, 0x7F800000), "F16": (1 << 15, 0x7E01, 0xFC00), "BF16": (1 << 15, 0x7FC1, 0xFF80)
        }[name]
        data[:6] = np.array([0, 1, zero, zero + 1, quiet, infinite], integer).reshape(-1, 1).view(np.uint8)
    else:
        data = random.integers(0, 256, (len(EXTREMES), size), dtype=np.uint8)
        for row, scales in enumerate(EXTREMES):
            for offset, scale in zip(offsets, scales):
                data[row, offset : offset + 2] = np.array([scale], np.float16).view(np.uint8)
    flat = np.ascontiguousarray(data).reshape(-1)
    with np.errstate(all="ignore"):
        if name in ("F32", "F16"):
            values = flat.view(np.float32 if name == "F32" else np.float16).astype(np.float32)
        else:
            values = dequantize(flat.reshape(1, -1), kind).astype(np.float32).reshape(-1)
    if block == 1:
        # No signalling NaN.
        half = {"F32": 1 << 22, "F16": 1 << 9, "BF16": 1 << 6}[name]
        keep = ~np.isnan(values) | (flat.view(integer) & half != 0)
        flat, values = flat.reshape(-1, size)[keep].reshape(-1), values[keep]
    cases.append({"type": name, "bytes": flat.tobytes().hex(), "values": values.astype("<f4").tobytes().hex()})

numbers = random.normal(0, 0.02, (8, 32)).astype(np.float32)
numbers[1] = 0
numbers[2] = np.round(numbers[2] * 1000) / 2
numbers[2, 0] = 127  # The scale is 1: halves are ties.
numbers[3] *= 1e-7
numbers[4] = np.abs(numbers[4])
numbers[5, 3] = -6e4
encoded = []
for name in ["F32", "F16", "BF16", "Q8_0"]:
    stored = quantize(numbers, GGMLQuantizationType[name])
    encoded.append({"type": name, "bytes": stored.tobytes().hex(), "values": numbers.astype("<f4").tobytes().hex()})

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "blocks.json"), "w") as file:
    lists = [(key, ",\n".join(json.dumps(case) for case in value)) for key, value in (("decoded", cases), ("encoded", encoded))]
    file.write("{\n" + ",\n".join(f'"{key}": [\n{text}\n]' for key, text in lists) + "\n}\n")
