"""Freezes what ggml's Python package makes of random quantised blocks: `blocks.json`, bytes in hexadecimal and fp32 bit patterns.

    pip install gguf==0.19.0 numpy && python make_blocks.py
"""

import json
import os

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize

random = np.random.default_rng(5)
cases = []
for name in ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1"]:
    kind = GGMLQuantizationType[name]
    block, size = GGML_QUANT_SIZES[kind]
    blocks = 40 if block == 1 else 3
    data = random.integers(0, 256, (blocks, size), dtype=np.uint8)
    if block > 1:
        # Finite scales, one of them subnormal.
        scales = random.normal(0, 0.1, (blocks, 2)).astype(np.float16)
        scales[0, 0] = np.float16(3e-6)
        data[:, 0:2] = scales[:, 0:1].view(np.uint8)
        if name == "Q4_1":
            data[:, 2:4] = scales[:, 1:2].copy().view(np.uint8)
    flat = np.ascontiguousarray(data).reshape(-1)
    if name in ("F32", "F16"):
        values = flat.view(np.float32 if name == "F32" else np.float16).astype(np.float32)
    else:
        values = dequantize(flat.reshape(1, -1), kind).astype(np.float32).reshape(-1)
    keep = [not np.isnan(v) for v in values]
    assert all(keep) or block == 1
    if block == 1:
        flat = flat.reshape(blocks, size)[keep].reshape(-1)
        values = values[keep]
    cases.append({"type": name, "bytes": flat.tobytes().hex(), "bits": values.view(np.uint32).tolist()})
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "blocks.json"), "w") as file:
    json.dump(cases, file)
    file.write("\n")
