"""Freezes what Hugging Face `tokenizers` and transformers do with hard texts: ids, offsets, decoded texts.

hard/texts.json holds the texts. hard/vocab.json and hard/merges.txt are a tiny byte-level BPE that all cases share:

- hard/NAME.json, of `tokenizers`: tokenizer.json without its vocabulary and merges (`model` is null), to which a test adds them.
- hard/NAME/, of transformers: the settings beside vocab.json and merges.txt in a folder without tokenizer.json.

hard/NAME.golden.jsonl has a line for each text: `parsed` with special tokens parsed and the begin token added, `plain` with special tokens
taken as plain text (null where it is `parsed`), and of a tokenizer.json `offsets` of `parsed` in code points, start and end in turn, and
`decoded` from it (null where it is the text). For a folder the first line holds the ids of the begin, end, padding and unknown token, the
number of tokens, and which ids are special.

    pip install tokenizers==0.23.3 transformers==5.24.0 && python make_hard_golden.py
"""

import json
import os
import random
import shutil
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

from make_golden import CORPUS, FIXED

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hard")

HARD = [
    # Code.
    "for (int i = 0; i < n; ++i) {\n    a[i] <<= 2;\t// \u00b5s\n}\r\n", "def f(x):\n\n    return {'a': x ** 2}  # ok", "<a href=\"x\">&nbsp;</a>", "$HOME/.config\\n\\t",
    "        eight\n    four\n  two\n one", "SELECT * FROM t WHERE a='it''s';",
    # CJK, Hangul composed and not, right-to-left, Indic, Thai.
    "\u6f22\u5b57\u4eee\u540d\u4ea4\u3058\u308a\u6587\u3002\u300c\u5f15\u7528\u300d", "\u1112\u1161\u11ab\u1100\u1173\u11af \ud55c\uae00 \uac01\u11a8", "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd \u0627\u0644\u0633\u0644\u0627\u0645",
    "\u0958\u0959 \u0915\u093c\u093f\u0928\u094d\u0926\u0940", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01", "\u09c7\u09be\u0bc6\u0bbe \u0cc6\u0cc2\u0cd5",
    # Emoji: ZWJ, skin tones, flags, keycaps, tags, variation selectors.
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd\U0001f44d\U0001f3ff", "\U0001f1eb\U0001f1f7\U0001f1e9\U0001f1ea 1\ufe0f\u20e3 \u2764\ufe0f\u200d\U0001f525", "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    # Combining marks: composed, reordered, excluded from composition, many.
    "e\u0301a\u0300o\u0308 n\u0303", "a\u0315\u0300\u05ae\u0300b", "q\u0307\u0323 s\u0323\u0307 \u1e0b\u0323", "\u212b\u2126\u212a \u0340\u0341\u0344", "z" + "\u0335\u0301\u0489\u20d2" * 4 + "!", "\u0301 alone",
    "\u0344x \ufb1d\ufb2a \U0001d15e", "e\u0301[note]e\u0301 [note] \u00e9[note]", "[d\u0307] [\u1e0b]d\u0307", "\u1e9b\u0323 \ufb01",
    # Control characters and all white space.
    "".join(chr(code) for code in range(32)), "\x7f\x80\x85\x9f", "a" + "b".join(c for c in map(chr, range(0x3001)) if c.isspace()) + "c",
    "".join(c for c in map(chr, range(0x3001)) if c.isspace()), "x\u200b\u200c\u200d\u2060\ufeffy", "\u202eabc\u202c", " \t \n \r\n \x0b \x0c ",
    # Long words, numbers.
    "pneumono" * 12, "\u00e9" * 20, "a" + "\u0301" * 30, "3.14159265358979", "1,234,567.89 -1e-10 0x7fff \u00bd\u00b2\u2167\u0664", "2" * 37,
    # Added tokens where they touch words, each other, white space.
    "word wordword word1 1word word_ word- word\u0301 \u00e9word word\u200d word\u24d0 word", "word", " word ", "(word) word.", "a [note] b[note]c", "[left]x  \n [left] \u3000[left]", "[right] \t x[right]",
    "x  [both]  [both]\n[both]y", "[right]  [left]", "[right]   x[right]    [left]", "<|endoftext|>a<|endoftext|> b", " <|endoftext|> <|padding|>", "<|endoftext|", "<|extratoken_1|><|extratoken_143|> <|extratoken_12|>",
    "a        b         c   d  e", "  " * 12, "\u0120 \u0120word \u010a", "It's 'S they'Re we'lL I'\u017f ''s 's'", "\u2019s \u02bcs",
]


def texts():
    random.seed(16)
    result = [text for text in FIXED if "<|im" not in text] + HARD
    pieces = ["e\u0301", "\u0300", "\u0323", "\u0315", "\u1112\u1161\u11ab", "\u0958", "\u00e9", "a", "b", " ", "  ", "\n", "\u3000", "[note]", "word", "[left]", "[right]", "[both]", "<|endoftext|>", "\U0001f600", "\u200d", "'s", "12", "\u6f22",
              "\u212b", "\u09c7", "\u09be", "o\u0308\u0304", "\x00"]
    for _ in range(60):
        result.append("".join(random.choice(pieces) for _ in range(random.randint(2, 14))))
    return result


TEXTS = texts()


def byte_level(prefix=False, regex=True):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex)


def trained():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = byte_level()
    trainer = trainers.BpeTrainer(vocab_size=430, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator([CORPUS], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [" ".join(merge) for merge in model["merges"]]


def added_tokens():
    return [
        AddedToken("word", single_word=True, normalized=False), AddedToken("[note]", normalized=False), AddedToken("[left]", lstrip=True, normalized=False),
        AddedToken("[right]", rstrip=True, normalized=False), AddedToken("[both]", lstrip=True, rstrip=True, normalized=False),
    ]


def tokenizer_files(vocab, merges):
    """Name, tokenizer."""

    def base(pre_tokenizer):
        tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[tuple(merge.split(" ")) for merge in merges]))
        tokenizer.pre_tokenizer = pre_tokenizer
        tokenizer.decoder = decoders.ByteLevel()
        return tokenizer

    # GPT-NeoX: NFC, runs of spaces as added tokens that are looked for in the normalized text.
    neox = base(byte_level())
    neox.normalizer = normalizers.NFC()
    neox.add_special_tokens([AddedToken("<|endoftext|>", normalized=False), AddedToken("<|padding|>", normalized=False)])
    neox.add_tokens([AddedToken(" " * count, normalized=True) for count in range(24, 1, -1)])
    neox.add_tokens(added_tokens() + [AddedToken("[d\u0307]", normalized=True)])
    neox.post_processor = processors.ByteLevel(trim_offsets=True, add_prefix_space=False)
    yield "neox", neox
    # Special tokens that are looked for in the normalized text.
    special = base(byte_level())
    special.normalizer = normalizers.NFC()
    special.add_special_tokens([
        AddedToken("<|endoftext|>", normalized=False), AddedToken("[d\u0307]", normalized=True), AddedToken("[note]", normalized=True),
        AddedToken("word", single_word=True, normalized=True), AddedToken("[both]", lstrip=True, rstrip=True, normalized=True),
        AddedToken("\u1112\u1161\u11ab", normalized=True), AddedToken("[left]", lstrip=True, normalized=True)])
    special.add_tokens([AddedToken("[right]", rstrip=True, normalized=True), AddedToken("  ", normalized=True)])
    special.post_processor = processors.ByteLevel(trim_offsets=True, add_prefix_space=False)
    yield "normalized", special
    # A space before text, and offsets that keep it.
    prefix = base(byte_level(prefix=True))
    prefix.add_special_tokens(["<|endoftext|>"])
    prefix.add_tokens(added_tokens())
    prefix.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=True, add_prefix_space=True),
        processors.TemplateProcessing(single="<|endoftext|> $A", pair="<|endoftext|> $A $B:1", special_tokens=[("<|endoftext|>", prefix.token_to_id("<|endoftext|>"))])])
    yield "prefix", prefix
    # ByteLevel that does not cut.
    whole = base(byte_level(regex=False))
    whole.add_tokens(added_tokens())
    whole.post_processor = processors.ByteLevel(trim_offsets=False)
    yield "whole", whole


def token(content, **flags):
    return {"content": content, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False} | flags


def folders(size):
    """Name, the settings of a folder by file."""
    end = "<|endoftext|>"
    extra = {f"<|extratoken_{number}|>": size + number for number in range(1, 144)}
    yield "gptj", {
        "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": False, "errors": "replace", "model_max_length": 1024}
        | {key: {"__type": "AddedToken"} | token(end) for key in ("unk_token", "bos_token", "eos_token")},
        "special_tokens_map.json": {"bos_token": end, "eos_token": end, "unk_token": end},
        "added_tokens.json": {end: size} | extra,
    }
    yield "neox-folder", {
        "config.json": {"model_type": "gpt_neox"},
        "tokenizer_config.json": {"unk_token": end, "bos_token": end, "eos_token": end, "add_prefix_space": False, "tokenizer_class": "GPTNeoXTokenizer"},
        "special_tokens_map.json": {"bos_token": end, "eos_token": end, "unk_token": end},
    }
    yield "bare", {"config.json": {"model_type": "gpt2"}}
    yield "flags", {
        "tokenizer_config.json": {
            "tokenizer_class": "GPT2TokenizerFast", "add_prefix_space": True, "add_bos_token": True, "bos_token": "[note]", "eos_token": end, "unk_token": None, "pad_token": "[right]", "mask_token": "<mask>",
            "additional_special_tokens": ["[both]", "[more]"],
            "added_tokens_decoder": {
                str(size + 1): token("word", single_word=True, normalized=False, special=False), str(size): token(end, special=True),
                str(size + 2): token("[left]", lstrip=True, special=False), str(size + 3): token("[right]", rstrip=True, special=False),
                str(size + 4): token("[both]", lstrip=True, rstrip=True, normalized=False, special=True), str(size + 5): token("[note]", special=True),
            },
        },
        "special_tokens_map.json": {"eos_token": "[note]"},
    }


def write_goldens(name, lines):
    with open(os.path.join(HERE, name + ".golden.jsonl"), "w") as file:
        for line in lines:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")


def golden(text, encode, backend, has_offsets):
    backend.encode_special_tokens = True
    plain = encode(text, False).ids
    backend.encode_special_tokens = False
    parsed = encode(text, True)
    decoded = backend.decode(parsed.ids, skip_special_tokens=False)
    line = {"plain": None if plain == parsed.ids else plain, "parsed": parsed.ids}
    if has_offsets:
        line |= {"offsets": [end for pair in parsed.offsets for end in pair], "decoded": None if decoded == text else decoded}
    return line


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    os.makedirs(HERE)

    def write(name, value):
        os.makedirs(os.path.dirname(os.path.join(HERE, name)), exist_ok=True)
        with open(os.path.join(HERE, name), "w") as file:
            file.write(value if isinstance(value, str) else json.dumps(value, separators=(",", ":")) + "\n")

    vocab, merges = trained()
    write("texts.json", TEXTS)
    write("vocab.json", vocab)
    write("merges.txt", "#version: 0.2\n" + "\n".join(merges) + "\n")
    for name, tokenizer in tokenizer_files(vocab, merges):
        write(name + ".json", json.loads(tokenizer.to_str()) | {"model": None})
        write_goldens(name, [golden(text, lambda text, special: tokenizer.encode(text, add_special_tokens=special), tokenizer, True) for text in TEXTS])
    for name, files in folders(len(vocab)):
        for file, value in files.items():
            write(f"{name}/{file}", value)
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(os.path.join(HERE, name), folder, dirs_exist_ok=True)
            for file in ("vocab.json", "merges.txt"):
                shutil.copy(os.path.join(HERE, file), folder)
            tokenizer = AutoTokenizer.from_pretrained(folder)
        backend = tokenizer.backend_tokenizer
        special = sorted(int(id) for id, added in tokenizer.added_tokens_decoder.items() if added.special)
        first = {"begin": tokenizer.bos_token_id, "end": tokenizer.eos_token_id, "pad": tokenizer.pad_token_id, "unknown": tokenizer.unk_token_id, "count": len(tokenizer), "special": special}
        write_goldens(name, [first] + [golden(text, lambda text, special: backend.encode(text, add_special_tokens=special), backend, False) for text in TEXTS])
        # The path that users take gives the same.
        tokenizer.split_special_tokens = False
        for text in TEXTS:
            assert tokenizer(text)["input_ids"] == backend.encode(text).ids, (name, text)


if __name__ == "__main__":
    main()
