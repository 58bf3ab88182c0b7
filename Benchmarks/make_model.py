#!/usr/bin/env python3
"""Writes a folder with a GPT-J of random weights as it is published: PyTorch files in fp16, in shards, with their index.

    venv/bin/python Benchmarks/make_model.py FOLDER --hidden 2048 --layers 16 --shard 1e9

Nothing is trained: it is for what loading, converting and sampling take. The parameters of a shard are in memory, no more.
"""

import argparse
import json
import pathlib

import torch

VOCABULARY = 50400


def tensors(hidden, layers):
    """Name, shape and spread, as transformers' GPTJForCausalLM has them; a spread of None is a norm's weight of ones."""
    yield "transformer.wte.weight", (VOCABULARY, hidden), 0.02
    for layer in range(layers):
        block = f"transformer.h.{layer}."
        yield block + "ln_1.weight", (hidden,), None
        yield block + "ln_1.bias", (hidden,), 0
        for name in ["q_proj", "k_proj", "v_proj", "out_proj"]:
            yield f"{block}attn.{name}.weight", (hidden, hidden), 0.02
        yield block + "mlp.fc_in.weight", (4 * hidden, hidden), 0.02
        yield block + "mlp.fc_in.bias", (4 * hidden,), 0
        yield block + "mlp.fc_out.weight", (hidden, 4 * hidden), 0.02
        yield block + "mlp.fc_out.bias", (hidden,), 0
    yield "transformer.ln_f.weight", (hidden,), None
    yield "transformer.ln_f.bias", (hidden,), 0
    yield "lm_head.weight", (VOCABULARY, hidden), 0.02
    yield "lm_head.bias", (VOCABULARY,), 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--hidden", type=int, default=2048)
    parser.add_argument("--layers", type=int, default=16)
    parser.add_argument("--shard", type=float, default=1e9, help="bytes")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True)
    torch.manual_seed(0)

    shards, size = [[]], 0
    for entry in tensors(arguments.hidden, arguments.layers):
        count = 2 * torch.Size(entry[1]).numel()
        if size and size + count > arguments.shard:
            shards.append([])
            size = 0
        shards[-1].append(entry)
        size += count

    weight_map, total = {}, 0
    for number, shard in enumerate(shards, 1):
        file = f"pytorch_model-{number:05}-of-{len(shards):05}.bin"
        state = {}
        for name, shape, spread in shard:
            value = torch.ones(shape) if spread is None else torch.randn(shape) * spread
            state[name] = value.half()
            weight_map[name] = file
            total += 2 * value.numel()
        torch.save(state, arguments.folder / file)
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (arguments.folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2))
    config = {
        "architectures": ["GPTJForCausalLM"], "model_type": "gptj", "vocab_size": VOCABULARY,
        "n_embd": arguments.hidden, "n_layer": arguments.layers, "n_head": arguments.hidden // 128,
        "n_positions": 2048, "rotary_dim": 64, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": False, "bos_token_id": 50256, "eos_token_id": 50256,
    }
    (arguments.folder / "config.json").write_text(json.dumps(config, indent=2))
    print(f"{total // 2} parameters in {len(shards)} files")


if __name__ == "__main__":
    main()
