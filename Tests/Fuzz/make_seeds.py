"""Writes the seeds of the fuzzer: small files of each format as its own library writes them.

    pip install torch==2.15.0 safetensors==0.8.0 gguf==0.19.0 numpy pyarrow && python make_seeds.py
"""

import gzip
import json
import os
import zipfile

import numpy as np
import pyarrow
import torch
from gguf import GGMLQuantizationType, GGUFWriter
from safetensors.torch import save_file

seeds = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Seeds")


def path(format, name):
    os.makedirs(os.path.join(seeds, format), exist_ok=True)
    return os.path.join(seeds, format, name)


# Storages of 24, 96, 8 and 4 bytes: those that the fuzzer puts beside a pickle.
row, base, pair, one = torch.ones(6), torch.ones(4, 6), torch.ones(4, dtype=torch.float16), torch.ones(1)
values = {
    "views": {"row": row, "turned": base.T, "steps": base[::2, 1:], "pair": pair[1:], "repeated": one.expand(3, 2), "": row},
    "nested": {"epoch": 3, "loss": 0.5, "names": ["a", ("b", None)], "model": {"w": row.double()[:3], "b": base}},
    "module": torch.nn.Linear(6, 1).state_dict(),
    "parameter": {"p": torch.nn.Parameter(row)},
    "newer": {"u": torch.zeros(12, dtype=torch.uint16), "f": torch.zeros(96).to(torch.float8_e4m3fn)},
}
for name, value in values.items():
    for protocol in (2, 4):
        file = path("pytorch", f"{name}.{protocol}")
        torch.save(value, file, pickle_protocol=protocol)
        with zipfile.ZipFile(file) as archive, open(path("pickle", f"{name}.{protocol}"), "wb") as pickle:
            pickle.write(archive.read(f"{name}/data.pkl"))
        if protocol == 4 or name in ("nested", "parameter"):
            os.remove(file)

save_file({"a": base, "b": pair, "c": row.bfloat16(), "d": torch.zeros(0, 3), "e": one.double()}, path("safetensors", "floats"))
save_file({"a": torch.ones(3, dtype=torch.int64), "f": one.to(torch.float8_e5m2)}, path("safetensors", "others"), {"k": "v"})


def gguf(name, kinds, tokens):
    writer = GGUFWriter(path("gguf", name), "llama")
    writer.add_block_count(1)
    writer.add_context_length(8)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(1e4)
    writer.add_array("numbers", [1, 2, 3])
    if tokens:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("smollm")
        writer.add_token_list(tokens)
        writer.add_token_types([1] * len(tokens))
        writer.add_token_merges(["a b"])
        writer.add_eos_token_id(0)
    for place, (kind, block, size) in enumerate(kinds):
        data = np.zeros((1, size), dtype=np.uint8)
        writer.add_tensor(f"t{place}.weight", data, raw_shape=(1, size), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


K = GGMLQuantizationType
gguf("plain", [(K.F16, 1, 64), (K.BF16, 1, 64), (K.Q8_0, 32, 34), (K.Q4_0, 32, 18)], ["a", "b", "ab"])
gguf("blocks", [(K.Q4_1, 32, 20), (K.Q5_0, 32, 22), (K.Q5_1, 32, 24), (K.Q2_K, 256, 84), (K.Q6_K, 256, 210)], [])


# Texts

def text(format, name, content):
    with open(path(format, name), "w", encoding="utf-8", newline="") as file:
        file.write(content)


text("jsonl", "rows", '{"prompt":"a","n":1}\r\n{"prompt":"\\ud83d\\ude00 é\\n","n":-2.5e-3,"list":[true,false,null,{}]}\n\n')
text("jsonl", "bad", '\n[1]\n{"a":12345678901234567890123}\n{"a":1,"a":2}\n{"a":"\\u12\n{"a" 1}')
text("json", "array", '\ufeff [ {"prompt": "a", "n": 1},\n {"prompt": "\\"\\u00e9", "m": {"x": [[], {}]}} ]\n')
text("json", "bad", '[{"a":1}, 2, {"b": tru}]')
text("csv", "quotes", '\ufeffa,b,c\r\n1,"say ""hi""",\r\n"x\ny","",é\n\n')
text("csv", "bad", 'a,b\n1\n\n"x" y,\r2\n1,2,3\n"')
# Two parts each, compressed as a whole.
parts = [b'{"prompt":"a","n":1}\n{"prom', b'pt":"b"}\n']
with open(path("compressed", "gzip"), "wb") as file:
    file.write(b"".join(gzip.compress(part, mtime=0) for part in parts))
with open(path("compressed", "zstd"), "wb") as file:
    file.write(b"".join(pyarrow.compress(part, codec="zstd", asbytes=True) for part in parts))
text("tokenizer", "bpe", json.dumps({
    "version": "1.0", "truncation": None, "padding": None,
    "added_tokens": [{"id": 4, "content": "<s>", "single_word": False, "lstrip": True, "rstrip": False, "normalized": False, "special": True}],
    "normalizer": {"type": "NFC"}, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    "post_processor": None, "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
              "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
              "vocab": {"a": 0, "b": 1, "ab": 2, "Ġ": 3}, "merges": [["a", "b"]]}}))
text("vocabulary", "small", '{"a":0,"b":1,"ab":2,"Ġ":3,"<|endoftext|>":4}\0#version: 0.2\na b\n')
text("chat", "program", """{%- macro m(x, y=1) %}{{ x ~ y }}{% endmacro -%}
{%- set ns = namespace(n=0) -%}
{%- for message in messages if message.role != "tool" -%}
{%- set ns.n = ns.n + loop.index0 % 2 -%}
{{- "<|" + message["role"] + "|>" }}{% generation %}{{ message.content | trim | replace("a", "b") }}{% endgeneration %}
{%- if loop.last and not add_generation_prompt %}{{ eos_token }}{% elif message.tool_calls is defined %}{{ message | tojson(indent=2) }}{% endif -%}
{%- else -%}{{ raise_exception("none") }}
{%- endfor -%}
{{ m([1, 2.5, {"k": none}][0:2], y=ns.n) }}{{ strftime_now("%d %b %Y") }}{{ range(3) | join(", ") }}{{ messages | map(attribute="role") | list }}
""")
