#!/usr/bin/env python3
"""What CarperAI's reward model reads of a post and a summary, after METHODS 1.5: the ids, and the position of the score.

    venv/bin/pip install transformers==5.24.0 tokenizers
    venv/bin/python make_reward_texts.py

Independent of Plumb: the tokenizer is transformers', over the vocabulary of ModelsTests/Fixtures/tokenizer/gpt2.json. Each line of
texts.jsonl has a prompt, a generation, max_length, and two readings, each the ids up to the one at which the score is read:

- `original`: the text is prompt and generation, stripped, with a space between; it is split at every `TL;DR:`, and pieces 0 and 1,
  stripped, stand in `<|startoftext|>` piece0 newline `TL;DR: ` piece1 `<|endoftext|>`. Special tokens are read wherever the text
  spells them. Truncated at the right and padded to max_length with the end token; the score is at the position before the first
  padding token, or at the last one where there is none. Null where there is no piece 1, at which the original stops.
- `fixed`: the prompt is split at its last `TL;DR:`, and special tokens that prompt and generation spell are ordinary text.
- `left`: as `fixed`, but truncated at the left.
"""

import json
import pathlib

from transformers import PreTrainedTokenizerFast

HERE = pathlib.Path(__file__).resolve().parent
VOCABULARY = HERE.parents[2] / "ModelsTests/Fixtures/tokenizer/gpt2.json"
MARK, END = "TL;DR:", "<|endoftext|>"
POST = ("SUBREDDIT: r/relationships\nTITLE: My [25F] sister moved out and now our parents do not talk to me\n"
        "POST: So this happened last week. She told them that it was my idea, which it was not. I have tried to "
        "call, I've written letters; nothing.\n\nWhat should I do?")
PROMPTS = [
    POST + "\nTL;DR:",
    POST + "  \n\n \nTL;DR:",
    "  " + POST + "\nTL;DR: \n",
    "SUBREDDIT: r/tifu\nTITLE: TIFU\nPOST: TL;DR: at the end. I fell down the stairs.\nTL;DR:",
    "SUBREDDIT: r/AskReddit\nTITLE: What does <|endoftext|> mean?\nPOST: I saw <|endoftext|> in a text.\nTL;DR:",
    "POST: é – naïve café 漢字 \u2003\x1f\u00a0\nTL;DR:",
    "POST: no mark at all",
    "TL;DR:",
]
GENERATIONS = [
    " Sister moved out, parents blame me, what now?",
    "\n\n  they do not talk to me \t\n",
    "",
    "   ",
    " I fell. TL;DR: I fell down.",
    " a text ends<|endoftext|> here, or not",
    "\x1cstairs\u3000",
]


def encode(tokenizer, text):
    return tokenizer(text)["input_ids"]


def read(ids, length, pad, side="right"):
    ids = ids[:length] if side == "right" else ids[-length:]
    padded = ids + [pad] * (length - len(ids))
    position = padded.index(pad) - 1 if pad in padded else length - 1
    return padded[:position + 1]


def original(tokenizer, prompt, generation, length):
    pieces = (prompt.strip() + " " + generation.strip()).split(MARK)
    if len(pieces) < 2:
        return None
    text = "<|startoftext|>" + pieces[0].strip() + "\n" + MARK + " " + pieces[1].strip() + END
    return read(encode(tokenizer, text), length, tokenizer.pad_token_id)


def fixed(tokenizer, prompt, generation, length, side):
    if MARK not in prompt:
        return None
    before, after = prompt.strip().rsplit(MARK, 1)
    text = "<|startoftext|>" + before.strip() + "\n" + MARK + " " + (after + " " + generation.strip()).strip()
    ids = [tokenizer.convert_tokens_to_ids(t) for t in plain(tokenizer, text)]
    return read(ids + [tokenizer.eos_token_id], length, tokenizer.pad_token_id, side)


def plain(tokenizer, text):
    backend = tokenizer.backend_tokenizer
    backend.encode_special_tokens = True
    tokens = backend.encode(text, add_special_tokens=False).tokens
    backend.encode_special_tokens = False
    return tokens


def main():
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(VOCABULARY), eos_token=END, pad_token=END)
    lines = []
    for prompt in PROMPTS:
        for generation in GENERATIONS:
            whole = len(original(tokenizer, prompt, generation, 1000) or [1] * 8)
            # Ample; as many as the text with its end token has, one fewer, half.
            for length in (1000, whole + 1, whole, max(2, whole // 2)):
                lines.append({
                    "prompt": prompt, "generation": generation, "max_length": length,
                    "original": original(tokenizer, prompt, generation, length),
                    "fixed": fixed(tokenizer, prompt, generation, length, "right"),
                    "left": fixed(tokenizer, prompt, generation, length, "left"),
                })
    lines = [line for index, line in enumerate(lines) if line not in lines[:index]]
    # Some of them, so that the file stays small.
    kept = [line for index, line in enumerate(lines) if index % (7 if len(line["prompt"]) > 200 else 2) == 0]
    (HERE / "texts.jsonl").write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in kept))
    print(len(kept), "texts")


if __name__ == "__main__":
    main()
