"""Writes stand-ins for the models and data that the experiments of this folder need, to see their plans: `stand_ins.py FOLDER [tiny]`.

    FOLDER/models   models of the real architectures, sizes and number types, whose weights are holes in files (zeros that take no disk)
    FOLDER/data     a few thousand invented records with the fields of the real data, which mostly has more
    FOLDER/papers, FOLDER/programs     copies of this folder and of the programs; the experiments look for models and data beside them

Then `plumb check FOLDER/papers/quark-tldr.yaml` says what memory the experiment needs, and `plan` what time; a plan reads all of the
weights once, zeros or not. Nothing can be learned on them. Tokenizers have the real numbers of tokens and the special tokens, but no
merges: every byte of a text is a token. With `tiny` the models have one narrow block and few tokens, as a test of the experiments needs
them. A file that is there already is an error. Needs Python 3.8 and no package.
"""

import json
import os
import random
import shutil
import struct
import sys

here = os.path.dirname(os.path.abspath(__file__))
is_tiny = sys.argv[2:] == ["tiny"]
SIZES = {"F32": 4, "F16": 2, "BF16": 2}


def create(path, content):
    """Writes a file that is not there."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def write_weights(path, shapes, dtype):
    """A safetensors file: the header, and behind it a hole as long as the tensors."""
    header, end = {}, 0
    for name, shape in shapes.items():
        size = SIZES[dtype]
        for length in shape:
            size *= length
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    create(path, struct.pack("<Q", len(text)) + text)
    os.truncate(path, 8 + len(text) + end)


def byte_letters():
    """The 256 characters that stand for bytes in a byte-level vocabulary, as in GPT-2."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return sorted([chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))])


def ordinary(count):
    """How many ordinary tokens a tokenizer has that really has `count`."""
    return 300 if is_tiny else count


def tokenizer(first, count, last, further=()):
    """A tokenizer.json: special tokens, ordinary ones, special ones, and further ones that are not special."""
    letters = byte_letters()
    letters += [f"filler{index}" for index in range(ordinary(count) - len(letters))]
    vocabulary = {token: id for id, token in enumerate([*first, *letters, *last])}
    tokens = [(vocabulary[token], token, True) for token in [*first, *last]]
    tokens += [(len(vocabulary) + index, token, False) for index, token in enumerate(further)]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "added_tokens": [
            {
                "id": id,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": is_special,
            }
            for id, token, is_special in tokens
        ],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    }


# Each family: the shapes of its decoder, without a head, and its configuration. D is the width, L the number of blocks, V the number of
# rows of the embedding.


def size(width, blocks, heads):
    return (16 * heads, 1) if is_tiny else (width, blocks)


def gpt2(width, blocks, heads):
    (D, L), V = size(width, blocks, heads), ordinary(50256) + 1
    shapes = {"wte.weight": [V, D], "wpe.weight": [1024, D]}
    for block in range(L):
        for name, shape in {
            "ln_1.weight": [D],
            "ln_1.bias": [D],
            "attn.c_attn.weight": [D, 3 * D],
            "attn.c_attn.bias": [3 * D],
            "attn.c_proj.weight": [D, D],
            "attn.c_proj.bias": [D],
            "ln_2.weight": [D],
            "ln_2.bias": [D],
            "mlp.c_fc.weight": [D, 4 * D],
            "mlp.c_fc.bias": [4 * D],
            "mlp.c_proj.weight": [4 * D, D],
            "mlp.c_proj.bias": [D],
        }.items():
            shapes[f"h.{block}.{name}"] = shape
    shapes.update({"ln_f.weight": [D], "ln_f.bias": [D]})
    return shapes, {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "activation_function": "gelu_new",
        "vocab_size": V,
        "n_embd": D,
        "n_layer": L,
        "n_head": heads,
        "n_positions": 1024,
        "layer_norm_epsilon": 1e-5,
        "attn_pdrop": 0.1,
        "embd_pdrop": 0.1,
        "resid_pdrop": 0.1,
        "bos_token_id": ordinary(50256),
        "eos_token_id": ordinary(50256),
    }


def gptj():
    (D, L), V = size(4096, 28, 16), ordinary(50256) + 144
    shapes = {"transformer.wte.weight": [V, D]}
    for block in range(L):
        for name, shape in {
            "ln_1.weight": [D],
            "ln_1.bias": [D],
            "attn.q_proj.weight": [D, D],
            "attn.k_proj.weight": [D, D],
            "attn.v_proj.weight": [D, D],
            "attn.out_proj.weight": [D, D],
            "mlp.fc_in.weight": [4 * D, D],
            "mlp.fc_in.bias": [4 * D],
            "mlp.fc_out.weight": [D, 4 * D],
            "mlp.fc_out.bias": [D],
        }.items():
            shapes[f"transformer.h.{block}.{name}"] = shape
    shapes.update({"transformer.ln_f.weight": [D], "transformer.ln_f.bias": [D]})
    return shapes, {
        "model_type": "gptj",
        "architectures": ["GPTJForCausalLM"],
        "activation_function": "gelu_new",
        "vocab_size": V,
        "n_embd": D,
        "n_layer": L,
        "n_head": 16,
        "n_inner": None,
        "n_positions": 2048,
        "rotary": True,
        "rotary_dim": D // 64,
        "layer_norm_epsilon": 1e-5,
        "attn_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "resid_pdrop": 0.0,
        "tie_word_embeddings": False,
        "bos_token_id": ordinary(50256),
        "eos_token_id": ordinary(50256),
    }


def pythia():
    """That of 2.8 billion parameters."""
    (D, L), V = size(2560, 32, 32), ordinary(50254) + 50
    shapes = {"gpt_neox.embed_in.weight": [V, D]}
    for block in range(L):
        for name, shape in {
            "input_layernorm.weight": [D],
            "input_layernorm.bias": [D],
            "post_attention_layernorm.weight": [D],
            "post_attention_layernorm.bias": [D],
            "attention.query_key_value.weight": [3 * D, D],
            "attention.query_key_value.bias": [3 * D],
            "attention.dense.weight": [D, D],
            "attention.dense.bias": [D],
            "mlp.dense_h_to_4h.weight": [4 * D, D],
            "mlp.dense_h_to_4h.bias": [4 * D],
            "mlp.dense_4h_to_h.weight": [D, 4 * D],
            "mlp.dense_4h_to_h.bias": [D],
        }.items():
            shapes[f"gpt_neox.layers.{block}.{name}"] = shape
    shapes.update({"gpt_neox.final_layer_norm.weight": [D], "gpt_neox.final_layer_norm.bias": [D]})
    return shapes, {
        "model_type": "gpt_neox",
        "architectures": ["GPTNeoXForCausalLM"],
        "hidden_act": "gelu",
        "vocab_size": V,
        "hidden_size": D,
        "num_hidden_layers": L,
        "num_attention_heads": 32,
        "intermediate_size": 4 * D,
        "max_position_embeddings": 2048,
        "rotary_pct": 0.25,
        "rotary_emb_base": 10000,
        "layer_norm_eps": 1e-5,
        "use_parallel_residual": True,
        "tie_word_embeddings": False,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }


def llama():
    """Llama 3 of 8 billion parameters."""
    (D, L), V = size(4096, 32, 32), ordinary(128000) + 256
    inner, keys = D * 7 // 2, D // 4
    shapes = {"model.embed_tokens.weight": [V, D]}
    for block in range(L):
        for name, shape in {
            "input_layernorm.weight": [D],
            "self_attn.q_proj.weight": [D, D],
            "self_attn.k_proj.weight": [keys, D],
            "self_attn.v_proj.weight": [keys, D],
            "self_attn.o_proj.weight": [D, D],
            "post_attention_layernorm.weight": [D],
            "mlp.gate_proj.weight": [inner, D],
            "mlp.up_proj.weight": [inner, D],
            "mlp.down_proj.weight": [D, inner],
        }.items():
            shapes[f"model.layers.{block}.{name}"] = shape
    shapes["model.norm.weight"] = [D]
    return shapes, {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "hidden_act": "silu",
        "vocab_size": V,
        "hidden_size": D,
        "num_hidden_layers": L,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "intermediate_size": inner,
        "max_position_embeddings": 8192,
        "rope_theta": 500000.0,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "bos_token_id": ordinary(128000),
        "eos_token_id": ordinary(128000) + 9,
    }


END = "<|endoftext|>"
GPT2_TOKENIZER = tokenizer([], 50256, [END])
GPTJ_TOKENIZER = tokenizer([], 50256, [END], [f"<|extratoken_{index}|>" for index in range(1, 144)])
PYTHIA_TOKENIZER = tokenizer([END, "<|padding|>"], 50252, [], [" " * count for count in range(24, 1, -1)])
LLAMA_NAMES = {0: "<|begin_of_text|>", 1: "<|end_of_text|>", 6: "<|start_header_id|>", 7: "<|end_header_id|>", 9: "<|eot_id|>"}
LLAMA_TOKENIZER = tokenizer([], 128000, [LLAMA_NAMES.get(index, f"<|reserved_{index}|>") for index in range(256)])
LLAMA_CHAT = (
    "<|begin_of_text|>{% for message in messages %}<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{{ message['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)


def write_models(folder):
    def write(name, decoder, dtype, head, tokenizer=None, chat=None, **configuration):
        """`head` says the shape of each of the head's tensors, of the width and the number of rows of the embedding."""
        shapes, shared = decoder
        rows, width = next(iter(shapes.values()))
        write_weights(f"{folder}/{name}/model.safetensors", {**shapes, **head(width, rows)}, dtype)
        if tokenizer:
            create(f"{folder}/{name}/tokenizer.json", json.dumps(tokenizer, ensure_ascii=False) + "\n")
        if chat:
            create(f"{folder}/{name}/tokenizer_config.json", json.dumps({"chat_template": chat}, indent=2) + "\n")
        # A reward model of trlx is weights alone.
        if "v_head.weight" not in head(width, rows):
            create(f"{folder}/{name}/config.json", json.dumps({**shared, **configuration}, indent=2) + "\n")

    write("openai_summarize_tldr_sft", gptj(), "F16", lambda D, V: {"lm_head.weight": [V, D], "lm_head.bias": [V]})
    write("openai_summarize_tldr_rm", gptj(), "F16", lambda D, V: {"v_head.weight": [1, D]})
    create(f"{folder}/gpt-j-6b/tokenizer.json", json.dumps(GPTJ_TOKENIZER, ensure_ascii=False) + "\n")
    write("gpt2-large", gpt2(1280, 36, 20), "F32", lambda D, V: {}, GPT2_TOKENIZER)
    write("gpt2-xl", gpt2(1600, 48, 25), "F32", lambda D, V: {}, GPT2_TOKENIZER)
    write(
        "pythia-2.8b-mitchell-sft_hh_rlhf",
        pythia(),
        "F16",
        lambda D, V: {"embed_out.weight": [V, D]},
        PYTHIA_TOKENIZER,
    )
    write("chat", llama(), "BF16", lambda D, V: {"lm_head.weight": [V, D]}, LLAMA_TOKENIZER, LLAMA_CHAT)
    # The experiment leaves open which classifier it is.
    write(
        "sentiment",
        gpt2(768, 12, 12),
        "F32",
        lambda D, V: {"score.weight": [2, D]},
        GPT2_TOKENIZER,
        id2label={"0": "NEGATIVE", "1": "POSITIVE"},
        pad_token_id=ordinary(50256),
    )


WORDS = (
    "I you we they my our friend sister boss dog car job house week year money letter party told asked found lost want need think know "
    "said never always still again before after because but and so with without about from to in on at the a this that good bad old new"
).split()
source = random.Random(3)


def text(words):
    # Not `choices`, which may draw otherwise in another version of Python.
    drawn = " ".join(WORDS[int(source.random() * len(WORDS))] for _ in range(words))
    return drawn[:1].upper() + drawn[1:] + "."


def write_data(folder):
    def write(name, count, record):
        create(f"{folder}/{name}", "".join(json.dumps(record(index)) + "\n" for index in range(count)))

    def post(_):
        return f"SUBREDDIT: r/{text(1)[:-1].lower()}\nTITLE: {text(9)}\nPOST: {text(250)}\nTL;DR:"

    # The format of a file is told by its first bytes, not by its name.
    for name, count in {"train": 4096, "valid": 6447}.items():
        write(f"tldr/{name}.parquet", count, lambda index: {"prompt": post(index), "label": text(26)})
    for name, count in {"train": 9000, "test": 5000}.items():
        write(
            f"openai_summarize_comparisons/{name}.jsonl",
            count,
            lambda index: {
                "prompt": post(index)[: -len("\nTL;DR:")],
                "chosen": f"TL;DR: {text(30)}",
                "rejected": f"TL;DR: {text(26)}",
            },
        )
    for name, count in {"train": 8192, "val": 5000, "test": 10000}.items():
        for data in ["toxicity", "sentiment", "wikitext"]:
            write(f"{data}/{name}.jsonl", count, lambda index: {"prompt": {"text": text(11)[:-1]}})
    for name in ["train", "valid"]:
        write(f"hh/{name}.jsonl", 4096, lambda index: {"prompt": f"Human: {text(20)}\n\nAssistant:"})


if __name__ == "__main__":
    folder = sys.argv[1]
    write_models(f"{folder}/models")
    write_data(f"{folder}/data")
    for name in ["papers", "programs"]:
        shutil.copytree(os.path.join(here, os.pardir, name), os.path.join(folder, name))
