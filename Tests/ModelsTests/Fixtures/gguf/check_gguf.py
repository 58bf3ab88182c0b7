"""Compares a GGUF file that Plumb wrote with the Hugging Face folder it was made of, through gguf's reader and, for what it reads
(gpt2, llama), through transformers.

    pip install torch transformers==5.24.0 accelerate gguf==0.19.0 && python check_gguf.py FOLDER FILE.gguf

Every tensor is dequantised by gguf's package, put back into the folder's order by the rules of `make_gguf.py`, and compared.
"""

import os
import sys

import numpy as np
import torch
from gguf import MODEL_ARCH, GGUFReader, dequantize, get_tensor_name_map
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

ARCHITECTURES = {"gpt2": MODEL_ARCH.GPT2, "gptj": MODEL_ARCH.GPTJ, "gptneox": MODEL_ARCH.GPTNEOX, "llama": MODEL_ARCH.LLAMA}


def restored(name, key, weight, heads, dimension):
    if name == "gpt2" and weight.ndim == 2 and ".h." in key:
        return weight.T
    if name == "gptneox" and "query_key_value" in key:
        return weight.reshape(3, heads, dimension, -1).swapaxes(0, 1).reshape(weight.shape)
    if name == "llama" and ("q_proj" in key or "k_proj" in key):
        return weight.reshape(-1, dimension // 2, 2, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)
    return weight


folder, path = sys.argv[1:]
reader = GGUFReader(path)
name = reader.get_field("general.architecture").contents()
config = AutoConfig.from_pretrained(folder)
heads = config.num_attention_heads
dimension = getattr(config, "head_dim", None) or config.hidden_size // heads
names = get_tensor_name_map(ARCHITECTURES[name], config.num_hidden_layers)
stored = {tensor.name: tensor for tensor in reader.tensors}
state = load_file(os.path.join(folder, "model.safetensors"))
largest, errors = 0.0, 0.0
for key, weight in state.items():
    tensor = stored.pop(names.get_name(key, try_suffixes=(".weight", ".bias")))
    found = restored(name, key, dequantize(tensor.data, tensor.tensor_type), heads, dimension)
    wanted = weight.float().numpy()
    assert found.shape == wanted.shape, key
    largest, errors = max(largest, np.abs(wanted).max()), max(errors, np.abs(found - wanted).max())
assert not stored, f"tensors that the folder does not have: {list(stored)}"
print(f"{name}: {len(state)} tensors, the largest error {errors:.2g} of {largest:.2g}")
if name in ("gpt2", "llama"):
    ids = torch.tensor([[0, 3, 5, 7, 1]])
    with torch.no_grad():
        wanted = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()(ids).logits
        directory, file = os.path.split(os.path.abspath(path))
        model = AutoModelForCausalLM.from_pretrained(directory, gguf_file=file, config=config, dtype=torch.float32).eval()
        found = model(ids).logits
    print(f"{name}: logits, the largest error {(found - wanted).abs().max():.2g} of {wanted.abs().max():.2g}")
