"""Makes a tiny random model of each family twice: as transformers saves it (`NAME/`) and as llama.cpp's converter would write it
(`NAME.gguf`), with gguf's own writer. Both hold the same numbers.

    pip install torch transformers==5.24.0 gguf==0.19.0 && python make_gguf.py

Weights are multiples of 1/64 between -1 and 1, which bfloat16 and half precision hold exactly: the folder has BF16, the GGUF file F16
for matrices and F32 for the rest. What llama.cpp's `convert_hf_to_gguf.py` does to a weight W [outputs, inputs] of Hugging Face:

    gpt2      W of `Conv1D` is stored [inputs, outputs] there and transposed
    gptneox   query_key_value [heads, 3, D, C] becomes [3, heads, D, C]; its bias alike
    llama     query and key [heads, 2, D/2, C] become [heads, D/2, 2, C]
    gptj      has no converter; names are those of gguf's table, which has no other order

`texts.json` has texts with the ids that transformers' tokenizers give them. Rows without a token get `[PAD…]`, unused. Where transformers reads the architecture from GGUF (gpt2, llama), its logits are compared.
"""

import json
import os
import shutil

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFWriter, TokenType, get_tensor_name_map, MODEL_ARCH
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, decoders
from transformers import (
    AutoModelForCausalLM, GPT2Config, GPTJConfig, GPTNeoXConfig, LlamaConfig, PreTrainedTokenizerFast
)

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS, CONTEXT, C, HEADS, D = 24, 20, 16, 2, 8
SHAPES = {
    "gpt2": GPT2Config(vocab_size=ROWS, n_positions=CONTEXT, n_embd=C, n_layer=2, n_head=HEADS),
    "gptj": GPTJConfig(vocab_size=ROWS, n_positions=CONTEXT, n_embd=C, n_layer=2, n_head=HEADS, rotary_dim=4),
    "gptneox": GPTNeoXConfig(
        vocab_size=ROWS, max_position_embeddings=CONTEXT, hidden_size=C, num_hidden_layers=2, num_attention_heads=HEADS,
        intermediate_size=40, use_parallel_residual=False,
        rope_parameters={"rope_type": "default", "rope_theta": 5000.0, "partial_rotary_factor": 0.5}),
    "llama": LlamaConfig(
        vocab_size=ROWS, max_position_embeddings=CONTEXT, hidden_size=C, num_hidden_layers=2, num_attention_heads=HEADS,
        num_key_value_heads=1, intermediate_size=40, tie_word_embeddings=False),
}


def tokenizer(name):
    spellings = ["a", "b", "c", "d", "\u0120", "1", "2", "\u00c3", "\u00a9", "e", "\u00cc", "\u0123", ".", "ab", "\u0120a", "\u00c3\u00a9", "abc"]
    merges = [("a", "b"), ("\u0120", "a"), ("\u00c3", "\u00a9"), ("ab", "c")]
    made = Tokenizer(models.BPE({text: id for id, text in enumerate(spellings)}, merges))
    if name == "gptneox":
        made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken("<|endoftext|>", special=True, normalized=False)])
    made.add_tokens([AddedToken("  ", special=False, normalized=name == "gptneox")])
    return PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<|endoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>")


def reordered(name, key, weight):
    if name == "gpt2" and weight.ndim == 2 and ".h." in key:
        return weight.T
    if name == "gptneox" and "query_key_value" in key:
        return weight.reshape(HEADS, 3, D, -1).swapaxes(0, 1).reshape(weight.shape)
    if name == "llama" and ("q_proj" in key or "k_proj" in key):
        return weight.reshape(-1, 2, D // 2, C).swapaxes(1, 2).reshape(weight.shape)
    return weight


def write(name, config, state, tokens, path):
    arch = {"gpt2": MODEL_ARCH.GPT2, "gptj": MODEL_ARCH.GPTJ, "gptneox": MODEL_ARCH.GPTNEOX, "llama": MODEL_ARCH.LLAMA}[name]
    names = get_tensor_name_map(arch, 2)
    writer = GGUFWriter(path, name)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(C)
    writer.add_block_count(2)
    writer.add_feed_forward_length(40 if name in ("gptneox", "llama") else 4 * C)
    writer.add_head_count(HEADS)
    if name == "llama":
        writer.add_vocab_size(ROWS)
        writer.add_head_count_kv(1)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_rope_dimension_count(D)
        writer.add_rope_freq_base(10000.0)
    else:
        writer.add_layer_norm_eps(1e-5)
    if name == "gptj":
        writer.add_rope_dimension_count(4)
    if name == "gptneox":
        writer.add_rope_dimension_count(4)
        writer.add_rope_freq_base(5000.0)
        writer.add_parallel_residual(False)
    vocabulary = {id: text for text, id in tokens.get_vocab().items()}
    special = {token.content: token.special for token in tokens.added_tokens_decoder.values()}
    spellings, types = [], []
    for id in range(ROWS):
        text = vocabulary.get(id, f"[PAD{id}]")
        spellings.append(text)
        types.append(
            TokenType.UNUSED if id not in vocabulary else TokenType.NORMAL if text not in special
            else TokenType.CONTROL if special[text] else TokenType.USER_DEFINED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre({"gptneox": "mpt"}.get(name, "gpt-2"))
    writer.add_token_list(spellings)
    writer.add_token_types(types)
    merges = json.loads(tokens.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([" ".join(merge) for merge in merges])
    end = tokens.eos_token_id
    writer.add_bos_token_id(end)
    writer.add_eos_token_id(end)
    writer.add_unk_token_id(end)
    for key, weight in state.items():
        numbers = np.ascontiguousarray(reordered(name, key, weight.float().numpy()))
        target = names.get_name(key, try_suffixes=(".weight", ".bias"))
        half = numbers.ndim == 2 and "position_embd" not in target
        writer.add_tensor(target, numbers.astype(np.float16 if half else np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


TEXTS = ["ab abc  a", "abc<|endoftext|>", "e\u0301 \u00e9 12.", " \u0123ab  ", "a   b", "\u212b\u1112\u1161\u11ab g\u0327 a\u0315\u0300"]

torch.manual_seed(7)
texts = {}
for name, config in SHAPES.items():
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randint(-20, 21, parameter.shape) / 64)
    tokens = tokenizer(name)
    end = tokens.eos_token_id
    model.config.bos_token_id = model.config.eos_token_id = end
    model.generation_config.bos_token_id = model.generation_config.eos_token_id = end
    folder = os.path.join(HERE, name)
    shutil.rmtree(folder, ignore_errors=True)
    model.to(torch.bfloat16).save_pretrained(folder)
    tokens.save_pretrained(folder)
    texts[name] = [{"text": text, "ids": tokens.encode(text)} for text in TEXTS]
    # transformers 5 writes the head of GPT-NeoX under its old name, which is what gguf's table knows.
    from safetensors.torch import load_file

    state = load_file(os.path.join(folder, "model.safetensors"))
    path = os.path.join(HERE, f"{name}.gguf")
    write(name, config, state, tokens, path)
    if name in ("gpt2", "llama"):
        read = AutoModelForCausalLM.from_pretrained(HERE, gguf_file=f"{name}.gguf", config=config, dtype=torch.float32).eval()
        ids = torch.tensor([[0, 3, 17, 5, 9, 1]])
        with torch.no_grad():
            wrong = (read(ids).logits - model.float()(ids).logits).abs().max().item()
        print(f"{name}: the logits that transformers reads differ by at most {wrong:.1g}")
        assert wrong < 1e-5
with open(os.path.join(HERE, "texts.json"), "w") as file:
    lists = [f'"{name}": [\n' + ",\n".join(json.dumps(text) for text in list) + "\n]" for name, list in texts.items()]
    file.write("{\n" + ",\n".join(lists) + "\n}\n")
