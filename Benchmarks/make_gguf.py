#!/usr/bin/env python3
"""Writes a GGUF file of random blocks of integers in the shape of a Llama, by default that of 7 billion parameters.

    Benchmarks/make_gguf.py FILE [--type Q4_K] [--hidden 1024 --layers 12 --heads 16 --feed-forward 2816]

Nothing is trained, and one random piece is written again and again: it is for the time and the memory that such a model takes.
Its vocabulary are the bytes and tokens of no meaning.
"""

import argparse
import os
import struct

# ggml's number, weights and bytes of a block, and where its numbers of half precision lie, for weights of about 0.02.
TYPES = {
    "Q8_0": (8, 32, 34, [(0, 3e-4)]),
    "Q4_0": (2, 32, 18, [(0, 4e-3)]),
    "Q4_1": (3, 32, 20, [(0, 4e-3), (2, -3e-2)]),
    "Q5_0": (6, 32, 22, [(0, 2e-3)]),
    "Q5_1": (7, 32, 24, [(0, 2e-3), (2, -3e-2)]),
    "Q4_K": (12, 256, 144, [(0, 1.5e-4), (2, 1.1e-3)]),
    "Q5_K": (13, 256, 176, [(0, 7.5e-5), (2, 1.1e-3)]),
    "Q6_K": (14, 256, 210, [(208, 2e-5)]),
}
F32 = 0
ALIGNMENT = 32


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key, value):
    """A piece of metadata: a text or several, a whole number or another one."""
    if isinstance(value, list):
        return text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, int):
        return text(key) + struct.pack("<II", 4, value)
    return text(key) + struct.pack("<If", 6, value)


def vocabulary(size):
    """The 256 bytes as GPT-2 spells them, one merge, and tokens that no text has."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    spelled = [chr(byte) for byte in plain] + [chr(256 + index) for index in range(len(others))]
    return (spelled + ["ab"] + [f"<{index}>" for index in range(size)])[:size]


def blocks(kind, count):
    _, _, size, halves = TYPES[kind]
    data = bytearray(os.urandom(count * size))
    for block in range(count):
        for offset, value in halves:
            data[block * size + offset:block * size + offset + 2] = struct.pack("<e", value)
    return bytes(data)


def tensors(options):
    """Names and shapes, rows first; a vector is one of ones."""
    hidden, forward, heads = options.hidden, options.feed_forward, options.kv_heads or options.heads
    narrow = hidden // options.heads * heads
    yield "token_embd.weight", (options.vocabulary, hidden)
    yield "output_norm.weight", (hidden,)
    yield "output.weight", (options.vocabulary, hidden)
    for layer in range(options.layers):
        yield f"blk.{layer}.attn_norm.weight", (hidden,)
        yield f"blk.{layer}.ffn_norm.weight", (hidden,)
        for name, shape in [("attn_q", (hidden, hidden)), ("attn_k", (narrow, hidden)), ("attn_v", (narrow, hidden)),
                            ("attn_output", (hidden, hidden)), ("ffn_gate", (forward, hidden)), ("ffn_up", (forward, hidden)),
                            ("ffn_down", (hidden, forward))]:
            yield f"blk.{layer}.{name}.weight", shape


def write(path, options):
    number, length, size, _ = TYPES[options.type]
    metadata = [
        ("general.architecture", "llama"), ("llama.context_length", options.context), ("llama.embedding_length", options.hidden),
        ("llama.block_count", options.layers), ("llama.feed_forward_length", options.feed_forward),
        ("llama.attention.head_count", options.heads), ("llama.attention.head_count_kv", options.kv_heads or options.heads),
        ("llama.rope.dimension_count", options.hidden // options.heads), ("llama.rope.freq_base", 10000.0),
        ("llama.attention.layer_norm_rms_epsilon", 1e-5), ("llama.vocab_size", options.vocabulary),
        ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.pre", "gpt-2"), ("tokenizer.ggml.tokens", vocabulary(options.vocabulary)),
        ("tokenizer.ggml.merges", ["a b"]), ("tokenizer.ggml.bos_token_id", 0), ("tokenizer.ggml.eos_token_id", 0)]
    described, offset = b"", 0
    sizes = []
    for name, shape in tensors(options):
        is_vector = len(shape) == 1
        count = shape[0] if is_vector else shape[0] * shape[1]
        byte_count = 4 * count if is_vector else count // length * size
        described += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", d) for d in reversed(shape))
        described += struct.pack("<IQ", F32 if is_vector else number, offset)
        sizes.append((is_vector, count, byte_count))
        offset += -(-byte_count // ALIGNMENT) * ALIGNMENT
    header = b"GGUF" + struct.pack("<IQQ", 3, len(sizes), len(metadata)) + b"".join(entry(*pair) for pair in metadata) + described
    piece = blocks(options.type, 4096)
    with open(path, "wb") as file:
        file.write(header + bytes(-len(header) % ALIGNMENT))
        for is_vector, count, byte_count in sizes:
            if is_vector:
                file.write(struct.pack("<f", 1) * count)
            else:
                for start in range(0, byte_count, len(piece)):
                    file.write(piece[:byte_count - start])
            file.write(bytes(-byte_count % ALIGNMENT))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--type", choices=TYPES, default="Q4_K")
    parser.add_argument("--hidden", type=int, default=4096)
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--heads", type=int, default=32)
    parser.add_argument("--kv-heads", type=int, help="default: as many as heads")
    parser.add_argument("--feed-forward", type=int, default=11008)
    parser.add_argument("--vocabulary", type=int, default=32000)
    parser.add_argument("--context", type=int, default=4096)
    options = parser.parse_args()
    write(options.file, options)


if __name__ == "__main__":
    main()
