"""Writes small files with `torch.save`, and `expected.json` with what they hold: dtype, shape and fp32 bit patterns of every tensor.

    pip install torch==2.15.0 numpy && python make_pytorch.py

The bit patterns are those of the tensors before they were saved, by numpy where it has the type.
"""

import json
import os

import numpy as np
import torch

here = os.path.dirname(os.path.abspath(__file__))
expected = {}

NAMES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
    torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64", torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
}


def bits(tensor):
    """fp32 bit patterns in row-major order; None for types that are not read as numbers."""
    if not tensor.dtype.is_floating_point:
        return None
    tensor = tensor.detach().contiguous()
    if tensor.dtype in (torch.float64, torch.float16, torch.float32):
        values = tensor.numpy().astype(np.float32)
    else:
        values = tensor.float().numpy()
    return values.reshape(-1).view(np.uint32).tolist()


def save(name, value, tensors=None, **options):
    path = os.path.join(here, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    torch.save(value, path, **options)
    if tensors is None:
        tensors = value
    expected[name] = [
        {"name": key, "dtype": NAMES[t.dtype], "shape": list(t.shape), "bits": bits(t)} for key, t in tensors.items()
    ]


torch.manual_seed(7)
random = np.random.default_rng(7)

# Every type, with the ends of its range, through every protocol.
doubles = [0.0, -0.0, 1 / 3, 1e300, -1e-300, 1 + 2**-24, 1 + 2**-24 + 2**-52, 2**-149, 2**-150, float("inf")]
types = {
    "F64": torch.tensor(doubles, dtype=torch.float64),
    "F32": torch.tensor([0.1, -0.0, 2**-149, 3.4e38, float("-inf"), 7.0]).reshape(2, 3),
    "F16": torch.tensor([0.1, 65504.0, 2**-24, -(2**-14)], dtype=torch.float16),
    "BF16": torch.tensor([0.1, 3.3e38, 1e-40, -5.0], dtype=torch.bfloat16).reshape(4, 1),
    "I64": torch.tensor([-(2**63), 2**63 - 1, 0]),
    "I32": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
    "I16": torch.tensor([-(2**15)], dtype=torch.int16),
    "I8": torch.tensor([-128, 127], dtype=torch.int8),
    "U8": torch.ones(1, 1, 4, 4, dtype=torch.uint8).tril(),
    "BOOL": torch.tensor([True, False, True]),
}
for protocol in (2, 3, 4, 5):
    save(f"types.{protocol}.bin", types, pickle_protocol=protocol)
every = torch.arange(256, dtype=torch.uint8)
save(
    "newer.bin",
    {
        "U16": torch.tensor([0, 65535], dtype=torch.uint16),
        "U32": torch.tensor([2**32 - 1], dtype=torch.uint32),
        "U64": torch.tensor([2**63 - 1], dtype=torch.uint64),
        "F8_E4M3": every[(every & 0x7F) != 0x7F].view(torch.float8_e4m3fn),
        "F8_E5M2": every[(every & 0x7F) <= 0x7C].view(torch.float8_e5m2),
    },
)

# Views: what state dictionaries hold beside plain tensors.
base = torch.from_numpy(random.standard_normal((4, 6)).astype(np.float32))
cube = torch.from_numpy(random.standard_normal((2, 3, 4)).astype(np.float32))
half = torch.from_numpy(random.standard_normal((5, 7)).astype(np.float16))
save(
    "views.bin",
    {
        "base": base,
        "tied": base,
        "transposed": base.T,
        "rows": base[1:3],
        "columns": base[:, 2:5],
        "steps": base[::2, 1::2],
        "repeated": base[2:3].expand(3, 6),
        "repeated number": base[3, 5].expand(2, 2),
        "diagonal": base.diagonal(),
        "number": base[2, 4],
        "empty": base[:, 6:],
        "permuted": cube.permute(2, 0, 1),
        "half transposed": half.T,
        "half row": half[3],
        "parameter": torch.nn.Parameter(torch.tensor([1.5, -2.5])),
        "": torch.tensor([8.0]),
        "é\n`": torch.tensor([9.0]),
    },
)
flagged = torch.nn.Parameter(torch.tensor([3.0]))
flagged.initialized = True
save("parameters.bin", {"flagged": flagged, "plain": torch.nn.Parameter(torch.tensor([4.0]), requires_grad=False)})

# A module's state with its `_metadata`; the same beside a trainer's state; twice beside each other.
module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
state = module.state_dict()
save("module.bin", state)
save(
    "nested.bin",
    {
        "epoch": 3, "step": 2**40, "loss": 0.125, "best": None, "done": False, "names": ["a", ("b", 1)],
        "state_dict": state, "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "lr": 1e-3}, "empty": {},
    },
    state,
)
save("ambiguous.bin", {"model": state, "ema": dict(state)}, {})
save("mixed.bin", {"weight": base, "epoch": 3}, {})
save("list.bin", [base], {})
save("size.bin", {"w": torch.Size([1])}, {})
save("complex.bin", {"w": torch.zeros(2, dtype=torch.complex64)}, {})
save("negated.bin", {"w": torch.tensor([1 + 2j, 3 - 4j]).conj().imag}, {})
save("old.bin", {"w": base}, {}, _use_new_zipfile_serialization=False)

# Shards with their index.
shards = {"pytorch_model-00001-of-00002.bin": {"a": base, "b": half}, "pytorch_model-00002-of-00002.bin": {"c": cube}}
for name, tensors in shards.items():
    save(f"sharded/{name}", tensors)
index = {"metadata": {"total_size": 258}, "weight_map": {key: name for name, ts in shards.items() for key in ts}}
with open(os.path.join(here, "sharded", "pytorch_model.bin.index.json"), "w") as file:
    json.dump(index, file, indent=2)
    file.write("\n")

with open(os.path.join(here, "expected.json"), "w") as file:
    json.dump(expected, file)
    file.write("\n")
