"""Freezes how SmolLM2 encodes: rebuilds its tokenizer in Hugging Face `tokenizers` from the GGUF file's metadata.

    pip install tokenizers==0.23.3 gguf==0.19.0 && python make_smollm2_golden.py SmolLM2-135M-Instruct.Q4_1.gguf
"""

import json
import os
import sys

from gguf import GGUFReader
from tokenizers import AddedToken, Tokenizer, decoders, models

from make_golden import FIXED, VARIANTS

fields = GGUFReader(sys.argv[1]).fields
tokens = fields["tokenizer.ggml.tokens"].contents()
types = fields["tokenizer.ggml.token_type"].contents()
merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
tokenizer = Tokenizer(models.BPE({token: id for id, token in enumerate(tokens)}, merges))
tokenizer.pre_tokenizer = VARIANTS["smollm"]
tokenizer.decoder = decoders.ByteLevel()
tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token, type in zip(tokens, types) if type == 3])
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "smollm2.golden.jsonl"), "w") as file:
    for text in FIXED + ["<|im_start|>user\nName three colours of the sea.<|im_end|>\n<|im_start|>assistant\n"]:
        tokenizer.encode_special_tokens = True
        plain = tokenizer.encode(text).ids
        tokenizer.encode_special_tokens = False
        parsed = tokenizer.encode(text).ids
        decoded = tokenizer.decode(parsed, skip_special_tokens=False)
        file.write(json.dumps({"text": text, "plain": plain, "parsed": parsed, "decoded": decoded}) + "\n")
