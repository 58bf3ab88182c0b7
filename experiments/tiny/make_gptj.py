"""Writes a tiny GPT-J as such models are published: `make_gptj.py [FOLDER]`, by default `experiments/tiny/gpt-j`.

    FOLDER/sft      PyTorch files in fp16, in two shards with their index, masks beside the weights as older versions wrote them
    FOLDER/reward   a bare PyTorch file of a reward model: the decoder and `v_head.weight`, as trlx saves one

Random weights, the same bytes on every machine; rows of the embedding beyond the tokenizer's tokens, as GPT-J has. Needs no package:
the pickles are written with Python's own module, under the names that PyTorch's have.
"""

import collections
import io
import json
import os
import pickle
import random
import shutil
import struct
import sys
import types
import zipfile

here = os.path.dirname(os.path.abspath(__file__))
folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "gpt-j")
source = random.Random(2)

ROWS, WIDTH, LAYERS, HEADS, POSITIONS = 400, 64, 2, 4, 128


def stand_in(module, name):
    """A class that a pickle calls `module.name`."""
    parent = sys.modules.setdefault(module, types.ModuleType(module))
    made = type(name, (), {"__module__": module})
    setattr(parent, name, made)
    return made


stand_in("torch", "Tensor")  # so that the module `torch` is there before `torch._utils`
FLOATS, BYTES = stand_in("torch", "HalfStorage"), stand_in("torch", "ByteStorage")
rebuild = stand_in("torch._utils", "_rebuild_tensor_v2")


class Storage:
    def __init__(self, kind, data, size):
        self.kind, self.data, self.count = kind, data, len(data) // size


class Tensor:
    """Row-major, all of its storage."""

    def __init__(self, storage, shape):
        self.storage, self.shape = storage, shape

    def __reduce__(self):
        strides, step = [], 1
        for size in reversed(self.shape):
            strides.insert(0, step)
            step *= size
        return rebuild, (self.storage, 0, tuple(self.shape), tuple(strides), False, collections.OrderedDict())


class Pickler(pickle.Pickler):
    storages = None

    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        self.storages.append(value)
        return ("storage", value.kind, str(len(self.storages) - 1), "cpu", value.count)


def save(state, name):
    """What torch.save writes: an archive of the pickle and a member for each storage, none compressed."""
    os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
    pickled = io.BytesIO()
    pickler = Pickler(pickled, protocol=2)
    pickler.storages = []
    pickler.dump(state)
    with zipfile.ZipFile(os.path.join(folder, name), "w", zipfile.ZIP_STORED) as archive:
        members = [("data.pkl", pickled.getvalue())]
        members += [(f"data/{key}", storage.data) for key, storage in enumerate(pickler.storages)]
        for member, data in members + [("version", b"3\n")]:
            archive.writestr(zipfile.ZipInfo("archive/" + member), data)


def halves(shape, value=None):
    """fp16: `value`, or uniform from -0.15 to 0.15."""
    count = 1
    for size in shape:
        count *= size
    numbers = [0.3 * (source.random() - 0.5) if value is None else value for _ in range(count)]
    return Tensor(Storage(FLOATS, struct.pack(f"<{count}e", *numbers), 2), shape)


def decoder():
    tensors = {"transformer.wte.weight": halves([ROWS, WIDTH])}
    for layer in range(LAYERS):
        block = f"transformer.h.{layer}."
        tensors[block + "ln_1.weight"] = halves([WIDTH], 1.0)
        tensors[block + "ln_1.bias"] = halves([WIDTH], 0.0)
        mask = bytes(column <= row for row in range(POSITIONS) for column in range(POSITIONS))
        tensors[block + "attn.bias"] = Tensor(Storage(BYTES, mask, 1), [1, 1, POSITIONS, POSITIONS])
        tensors[block + "attn.masked_bias"] = halves([], -1e4)
        for name in ["k_proj", "v_proj", "q_proj", "out_proj"]:
            tensors[block + f"attn.{name}.weight"] = halves([WIDTH, WIDTH])
        tensors[block + "mlp.fc_in.weight"] = halves([4 * WIDTH, WIDTH])
        tensors[block + "mlp.fc_in.bias"] = halves([4 * WIDTH], 0.0)
        tensors[block + "mlp.fc_out.weight"] = halves([WIDTH, 4 * WIDTH])
        tensors[block + "mlp.fc_out.bias"] = halves([WIDTH], 0.0)
    tensors["transformer.ln_f.weight"] = halves([WIDTH], 1.0)
    tensors["transformer.ln_f.bias"] = halves([WIDTH], 0.0)
    return tensors


def write(name, content):
    with open(os.path.join(folder, name), "w") as file:
        file.write(json.dumps(content, indent=2) + "\n")


language = {**decoder(), "lm_head.weight": halves([ROWS, WIDTH]), "lm_head.bias": halves([ROWS], 0.0)}
names = list(language)
shards = [names[: len(names) // 2], names[len(names) // 2 :]]
files = [f"pytorch_model-{number:05}-of-{len(shards):05}.bin" for number in range(1, len(shards) + 1)]
for file, shard in zip(files, shards):
    save(collections.OrderedDict((name, language[name]) for name in shard), f"sft/{file}")
total = sum(len(tensor.storage.data) for tensor in language.values())
write(
    "sft/pytorch_model.bin.index.json",
    {
        "metadata": {"total_size": total},
        "weight_map": {name: file for file, shard in zip(files, shards) for name in shard},
    },
)
write(
    "sft/config.json",
    {
        "architectures": ["GPTJForCausalLM"],
        "model_type": "gptj",
        "vocab_size": ROWS,
        "n_embd": WIDTH,
        "n_layer": LAYERS,
        "n_head": HEADS,
        "n_positions": POSITIONS,
        "rotary_dim": 8,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": False,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "torch_dtype": "float16",
    },
)
shutil.copyfile(os.path.join(here, "model", "tokenizer.json"), os.path.join(folder, "sft", "tokenizer.json"))
save({**decoder(), "v_head.weight": halves([1, WIDTH])}, "reward/pytorch_model.bin")
