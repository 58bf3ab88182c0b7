"""Writes the model and the data of `steer.yaml`, the same bytes on every machine: `make.py [FOLDER]`, by default `experiments`.

The model is a Llama of one block with random weights. Its tokenizer is a byte-level BPE, its merges learned from the reviews.
"""

import json
import os
import random
import re
import struct
import sys

folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir)
source = random.Random(1)

PLACES = "At the inn,At the hotel,At the museum,At the theatre,On the ship,On the train,In the park,In the village".split(",")
SUBJECTS = "soup bread coffee fish guide waiter music room bed view garden play".split()
FRIENDLY = "good warm fresh kind lovely fine".split()
UNFRIENDLY = "bad cold stale rude dull poor".split()


def pick(things):
    # Not `choice`, which may draw otherwise in another version of Python.
    return things[int(source.random() * len(things))]


def opinion():
    return pick(["", "very ", "rather "]) + pick(FRIENDLY + UNFRIENDLY)


def review():
    """What follows an opening: one to three opinions."""
    text = " " + opinion()
    for link in [pick([",", " and", " but"]), pick([" and", " but"])][: int(source.random() * 3)]:
        text += f"{link} the {pick(SUBJECTS)} was {opinion()}"
    return text + "."


def merges_of(texts, count):
    """The pairs that byte-pair encoding joins, most frequent first; of equally frequent ones the first by code points."""
    words = {}
    for text in texts:
        for word in re.findall(r" ?[A-Za-z]+|[^A-Za-z]", text):
            words[word] = words.get(word, 0) + 1
    splits = {word: list(word.replace(" ", "Ġ")) for word in words}
    merges = []
    while len(merges) < count:
        pairs = {}
        for word, parts in splits.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] = pairs.get(pair, 0) + words[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for parts in splits.values():
            at = 0
            while at + 1 < len(parts):
                if (parts[at], parts[at + 1]) == best:
                    parts[at : at + 2] = ["".join(best)]
                at += 1
    return merges


def byte_letters():
    """The 256 characters that stand for bytes in a byte-level vocabulary, as in GPT-2."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return sorted([chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))])


def tokenizer(texts):
    """A tokenizer.json."""
    end = "<|endoftext|>"
    merges = merges_of(texts, 1000)
    tokens = [end] + byte_letters() + ["".join(pair) for pair in merges]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "added_tokens": [
            {
                "id": 0,
                "content": end,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
        ],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": {token: id for id, token in enumerate(tokens)}, "merges": merges},
    }


def weights(vocabulary, width=64, inner=128):
    """A safetensors file: norms of ones, all else uniform from -0.1 to 0.1."""
    block = "model.layers.0."
    shapes = {
        "model.embed_tokens.weight": [vocabulary, width],
        block + "input_layernorm.weight": [width],
        block + "self_attn.q_proj.weight": [width, width],
        block + "self_attn.k_proj.weight": [width, width],
        block + "self_attn.v_proj.weight": [width, width],
        block + "self_attn.o_proj.weight": [width, width],
        block + "post_attention_layernorm.weight": [width],
        block + "mlp.gate_proj.weight": [inner, width],
        block + "mlp.up_proj.weight": [inner, width],
        block + "mlp.down_proj.weight": [width, inner],
        "model.norm.weight": [width],
    }
    header, data = {}, b""
    for name, shape in shapes.items():
        if name.endswith("norm.weight"):
            values = [1.0] * width
        else:
            count = shape[0] * shape[1]
            values = [0.2 * (source.random() - 0.5) for _ in range(count)]
        # bfloat16: the upper half of a float.
        halves = b"".join(struct.pack("<f", value)[2:] for value in values)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [len(data), len(data) + len(halves)]}
        data += halves
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def write(name, content):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


openings = [f"{place} the {subject} was" for place in PLACES for subject in SUBJECTS]
rows = [
    {
        "id": f"review-{index + 1:03}",
        "prompt": openings[index % len(openings)],
        "generations": [review()],
        # A third of the openings, among them every place and every subject.
        "split": "valid" if (index + index // len(SUBJECTS)) % 3 == 0 else "train",
    }
    for index in range(4 * len(openings))
]
json_tokenizer = tokenizer([row["prompt"] + row["generations"][0] for row in rows])
vocabulary = len(json_tokenizer["model"]["vocab"])
write("data/reviews.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
write("tiny/model/tokenizer.json", json.dumps(json_tokenizer, ensure_ascii=False) + "\n")
write("tiny/model/model.safetensors", weights(vocabulary))
write(
    "tiny/model/config.json",
    json.dumps(
        {
            "model_type": "llama",
            "architectures": ["LlamaForCausalLM"],
            "vocab_size": vocabulary,
            "hidden_size": 64,
            "num_hidden_layers": 1,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "head_dim": 16,
            "intermediate_size": 128,
            "hidden_act": "silu",
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "max_position_embeddings": 128,
            "tie_word_embeddings": True,
            "bos_token_id": None,
            "eos_token_id": 0,
            "torch_dtype": "bfloat16",
        },
        indent=2,
    )
    + "\n",
)
