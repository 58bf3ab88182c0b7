"""Trains tiny byte-level BPE tokenizers with Hugging Face `tokenizers` and freezes what they do.

For each pre-tokenizer that Plumb reads: NAME.json (a tokenizer.json) and NAME.golden.jsonl (one text a line: its ids with
special tokens taken as plain text, its ids with special tokens parsed, and the second decoded). Written with tokenizers 0.23.3.

    pip install tokenizers && python make_golden.py
"""

import json
import os
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

HERE = os.path.dirname(os.path.abspath(__file__))

CORPUS = """The old harbour was quiet when the ferry came in, and nobody on the pier had heard what happened out at sea.
They'd counted 12 boats in 1987, 340 in 2001; it's said that we'll never know how many there've been. I'm sure you're right.
    def harbour(boats, count=10):
\t\treturn [boat for boat in boats if boat.size > count]


Ça va très bien, merci. Größe und Überfluß. Привет, мир! 日本語のテキストを書く。 中文字符。 한국어. 😀😀👍🏽 naïve café.
The ferry, the pier, the sea and the boats: all of them were there, and there they stayed. SHE'LL SAY IT'S FINE, WON'T SHE?
""" * 4

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def byte_level(use_regex):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


VARIANTS = {
    "smollm": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level(True)]),
    "gpt2": byte_level(True),
    "llama3": pre_tokenizers.Sequence([split(LLAMA3), byte_level(False)]),
    "qwen2": pre_tokenizers.Sequence([split(QWEN2, "removed", True), byte_level(False)]),
    "digit-runs": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=False), split(GPT2), byte_level(False)]),
}

FIXED = [
    "", " ", "  ", "\n", "\t", "\r\n", " \n ", "\n \n", "a  b", "a   b   ", "  lead", "trail  ", "a\n\n  b", "a \r\n\r\n b", "!\n\nx",
    "The ferry's at the pier.", "I'm you're he'll they've it's I'd don't", "'S 'LL 'Re 'ſ 'ſt x'ſ", "' ' ''s 's", "0123456789",
    "3.14159 2024-01-01 12:30", "①②Ⅷ½٣४ x²y³", "naïve café", "cafe\u0301 e\u0301\u0302", "日本語のテキスト。漢字", "한국어 텍스트",
    "😀👍🏽👩‍👩‍👧‍👦🇩🇪", "مرحبا بالعالم", "नमस्ते दुनिया", "\u00a0nbsp\u2003em\u3000wide\u1680", "\x00\x01\x1c\x1f\x7f\x85", "\u200b\u200d\ufeff\u180e",
    "a\u2028b\u2029c\u0085d", "\tdef harbour(boats):\n\t\treturn 1\n\n\n", "....!!!???", "$100,000.50%", "<|im_start|>user\nhi<|im_end|>\n",
    "<|endoftext|>", "<|im_start|", "x<|im_end|>y <|im_end|> ", "note[NOTE] [NOTE]  x", "left  [LEFT]x", "x[RIGHT]  \n y", "[LEFT][RIGHT] [NOTE]",
    "é [é] é", "[LATE]er", "1" * 20, "ab" * 40, "the" * 30, " " * 30, "\n" * 9, "\U0001F600" * 9, "\U00010000\U000E0001\U0010FFFF", "\ufffd\ue000",
    "ǅ ʰ ª º ℵ ⅓ ㊀", "\u2019s It\u2019s", "a1b2c3 é1ñ2",
]

RANGES = [(0x20, 0x7F)] * 6 + [
    (0x00, 0x20), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x600), (0x900, 0xA00), (0x2000, 0x2100), (0x2150, 0x2190),
    (0x3000, 0x3100), (0x4E00, 0x4F00), (0x1F300, 0x1F700),
]


def texts():
    random.seed(11)
    words = CORPUS.split()
    result = list(FIXED)
    for _ in range(60):
        text = ""
        for _ in range(random.randint(1, 14)):
            text += random.choice([chr(random.randrange(*random.choice(RANGES))), random.choice([" ", "  ", "\n", "'s", "\t"]), random.choice(words)])
        result.append(text)
    return result


def main():
    for name, pre_tokenizer in VARIANTS.items():
        tokenizer = Tokenizer(models.BPE(ignore_merges=name == "llama3"))
        tokenizer.pre_tokenizer = pre_tokenizer
        tokenizer.decoder = decoders.ByteLevel()
        specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
        trainer = trainers.BpeTrainer(
            vocab_size=480, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
        tokenizer.train_from_iterator([CORPUS], trainer)
        tokenizer.add_tokens([
            AddedToken("[NOTE]", normalized=False), AddedToken("[LEFT]", normalized=False, lstrip=True),
            AddedToken("[RIGHT]", normalized=False, rstrip=True), AddedToken("[LATE]", normalized=True),
            AddedToken("[LATE]er", normalized=True),
        ])
        if name == "llama3":
            tokenizer.post_processor = processors.TemplateProcessing(
                single="<|im_start|> $A", pair="<|im_start|> $A <|im_start|>:1 $B:1", special_tokens=[("<|im_start|>", 1)])
        with open(os.path.join(HERE, name + ".json"), "w") as file:
            file.write(tokenizer.to_str(pretty=False) + "\n")
        with open(os.path.join(HERE, name + ".golden.jsonl"), "w") as file:
            for text in texts():
                tokenizer.encode_special_tokens = True
                plain = tokenizer.encode(text, add_special_tokens=False).ids
                tokenizer.encode_special_tokens = False
                parsed = tokenizer.encode(text).ids
                decoded = tokenizer.decode(parsed, skip_special_tokens=False)
                file.write(json.dumps({"text": text, "plain": plain, "parsed": parsed, "decoded": decoded}) + "\n")


if __name__ == "__main__":
    main()
