"""What train_torch.py trains on: rows as tokens, the vocabulary with its class tokens, the order of samples; all as in `train`.

Random numbers are Plumb's: Philox 4x32-10 by seed and place, so that equal seeds give equal rows of the embedding and equal orders.
"""

import collections
import json
import math
import pathlib
import sys

import tokenizers

Example = collections.namedtuple("Example", "id context unconditioned output")


def philox(seed, *counter):
    """The four words of the block at a counter. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011)."""
    (c0, c1, c2, c3), k0, k1 = counter, seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p0, p1 = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = p1 >> 32 ^ c1 ^ k0, p1 & 0xFFFFFFFF, p0 >> 32 ^ c3 ^ k1, p0 & 0xFFFFFFFF
        k0, k1 = k0 + 0x9E3779B9 & 0xFFFFFFFF, k1 + 0xBB67AE85 & 0xFFFFFFFF
    return c0, c1, c2, c3


def normal_numbers(seed):
    """Standard normal numbers without end, by the polar method."""
    position = 0
    while True:
        words = [philox(seed, 0, 0, sample, position) for sample in (0, 1)]
        u, v = (2 * ((a << 20 | b >> 12) + 0.5) * 2**-52 - 1 for a, b, _, _ in words)
        position += 1
        square = u * u + v * v
        if 0 < square < 1:
            yield u * math.sqrt(-2 * math.log(square) / square)


def shuffled(ids, seed, epoch):
    """Places of samples in the order of an epoch: each has a random number of its own."""

    def number(id):
        hash = 0xCBF29CE484222325
        for byte in id.encode():
            hash = (hash ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
        hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        hash = (hash ^ hash >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        hash ^= hash >> 31
        high, low, _, _ = philox(seed, hash & 0xFFFFFFFF, hash >> 32, epoch, 1)
        return high << 32 | low

    return sorted(range(len(ids)), key=lambda place: (number(ids[place]), ids[place].encode()))


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


class Vocabulary:
    """A model's tokenizer, its end token and the tokens that trainings added."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        if (folder / "tokenizer.json").exists():
            self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        else:
            from transformers import AutoTokenizer

            self.tokenizer = AutoTokenizer.from_pretrained(folder).backend_tokenizer
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        config, plumb = read_json(folder / "config.json"), read_json(folder / "plumb.json")
        own, named = (self._list(part.get("eos_token_id")) for part in (config, read_json(folder / "generation_config.json")))
        ends = named if named and (not own or own[0] not in named) else own
        self.end = ends[0] if ends else None
        self.rows = config["vocab_size"]
        conditioning = plumb.get("conditioning") or {}
        added = plumb.get("added_tokens") or {
            "classes": conditioning["prefixes"] if conditioning.get("kind") == "tokens" else [], "fillers": []}
        self.classes, self.fillers = list(added["classes"]), list(added["fillers"])
        with_begin = self.tokenizer.encode("a").ids
        plain = self.tokenizer.encode("a", add_special_tokens=False)
        self.begin = with_begin[0] if len(with_begin) > len(plain.ids) and with_begin[-len(plain.ids):] == plain.ids else None
        self.begins_with_space = plain.tokens[0] != "a"
        self._note_specials()

    @staticmethod
    def _list(value):
        return value if isinstance(value, list) else [] if value is None else [value]

    def _note_specials(self):
        self.specials = {token.content: id for id, token in self.tokenizer.get_added_tokens_decoder().items() if token.special}

    @property
    def count(self):
        return self.tokenizer.get_vocab_size(with_added_tokens=True)

    @property
    def base(self):
        """Where class tokens begin, and comparisons with a reference end."""
        return min((self.tokenizer.token_to_id(token) for token in self.classes), default=self.rows)

    @property
    def drawable(self):
        """Ids below it are of the tokenizer as it was before trainings added to it."""
        return min((self.tokenizer.token_to_id(token) for token in self.classes + self.fillers), default=self.count)

    def add(self, tokens):
        """Adds those that are missing, after names for rows of the embedding that have none. Answers them."""
        missing = [token for token in tokens if self.tokenizer.token_to_id(token) is None]
        number = 1
        while missing and self.count < self.rows:
            name, number = f"<|extratoken_{number}|>", number + 1
            if self.tokenizer.token_to_id(name) is None:
                self._add(name)
                self.fillers.append(name)
        for token in missing:
            self._add(token)
        self.classes += missing
        self.rows = max(self.rows, self.count)
        self._note_specials()
        return missing

    def _add(self, token):
        self.tokenizer.add_special_tokens([tokenizers.AddedToken(token, special=True, normalized=False)])

    def encode(self, pieces, goes_on=False):
        """The ids of a text made of pieces, `(text, is_literal)`: special tokens are read in literals, elsewhere they are text.

        With `goes_on` another text stands before it.
        """
        text = "".join(piece for piece, _ in pieces)
        if not any(token in piece for piece, is_literal in pieces if not is_literal for token in self.specials):
            if not (goes_on and self.begins_with_space):
                return self._ids(text, goes_on)
            # After a special token no blank is put before a text.
            token = next(iter(self.specials))
            encoded = self.tokenizer.encode(f"{token}a", add_special_tokens=False).tokens
            if encoded[1:] != ["a"]:
                sys.exit("this tokenizer puts a blank before every text, so no text goes on from another; use rows with `tokens`")
            return self.tokenizer.encode(token + text, add_special_tokens=False).ids[1:]
        if self.begins_with_space:
            sys.exit(f"a row spells a special token, which this tokenizer does not read as text: {text[:200]!r}")
        ids, segment = [], ""
        self.tokenizer.encode_special_tokens = True
        for piece, is_literal in pieces:
            while is_literal and piece:
                found = min(
                    ((piece.find(token), -len(token), token) for token in self.specials if token in piece), default=None)
                if found is None:
                    break
                ids += self._ids(segment + piece[: found[0]], True) + [self.specials[found[2]]]
                segment, piece = "", piece[found[0] + len(found[2]) :]
            segment += piece
        ids += self._ids(segment, True)
        self.tokenizer.encode_special_tokens = False
        return ids if goes_on else self._begun(ids)

    def _ids(self, text, goes_on):
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids if text else []
        return ids if goes_on else self._begun(ids)

    def _begun(self, ids):
        return [self.begin, *ids] if self.begin is not None and ids[:1] != [self.begin] else ids

    def drawn(self, ids, text):
        """The ids of a text that was drawn, the last of them encoded anew where the text ends inside one; None for those of another."""
        anchor = self.tokenizer.encode("a", add_special_tokens=False).ids[-1:]
        start = len(self.tokenizer.decode(anchor))

        def decoded(count):
            return self.tokenizer.decode(anchor + ids[:count], skip_special_tokens=True)[start:]

        if decoded(len(ids)) == text:
            return ids, True
        if not decoded(len(ids)).startswith(text):
            return None
        count = next(count for count in range(len(ids), -1, -1) if text.startswith(decoded(count)))
        return ids[:count] + self.encode([(text[len(decoded(count)) :], False)], goes_on=True), False


class Conditioning:
    """What stands before prompts, and what of it is kept in `plumb.json`."""

    MOST_EXEMPLARS = 64

    def __init__(self, options):
        self.kind, self.column, self.best_by, self.opening = (
            options.conditioning, options.column, options.best_by, options.opening)
        self.template, self.prefixes = None, options.prefixes
        if self.kind == "tokens":
            self.prefixes = [f"_QUANTILE_TOKEN_{k}_" for k in range(options.classes)]
        elif self.kind == "text":
            if (options.template is None) == (options.prefixes is None):
                sys.exit("--conditioning text needs either --template, with {value}, or --prefixes, one a class")
            if options.template is not None:
                parts = options.template.replace("{{", "\0").replace("}}", "\1").split("{value}")
                self.template = options.template, [part.replace("\0", "{").replace("\1", "}") for part in parts]
                if len(parts) != 2:
                    sys.exit("--template must name {value} once")
        self.missing, self.best, self.exemplars = 0, -math.inf, []

    def pieces(self, row, index):
        """Of a sample; None for one that is left out."""
        if self.kind == "none":
            return []
        if self.column not in row:
            hint = "; is `quantize` missing?" if self.column == "quantiles" else ""
            sys.exit(f"row {row['id']!r} has no column {self.column!r}{hint}")
        value = row[self.column][index]
        if self.prefixes:
            if not isinstance(value, int) or not 0 <= value < len(self.prefixes):
                sys.exit(f"row {row['id']!r}: sample {index} is of class {value!r}; expected 0 to {len(self.prefixes) - 1}")
            return [(self.opening + self.prefixes[value], True)]
        if value is None:
            self.missing += 1
            return None
        self._note(value, row, index)
        before, after = self.template[1]
        return [(self.opening + before, True), (self._text(value), False), (after, True)]

    @staticmethod
    def _text(value):
        return value if isinstance(value, str) else json.dumps(value)

    def _note(self, value, row, index):
        number = row[self.best_by][index] if self.best_by else None
        if number is None or number < self.best:
            return
        if number > self.best:
            self.best, self.exemplars = number, []
        if len(self.exemplars) < self.MOST_EXEMPLARS and self._text(value) not in self.exemplars:
            self.exemplars.append(self._text(value))

    @property
    def json(self):
        if self.kind == "none":
            return None
        own = {"template": self.template[0], "exemplars": self.exemplars} if self.template else {"prefixes": self.prefixes}
        return {"kind": self.kind, **own, **({"opening": self.opening} if self.opening else {})}


def prompt_pieces(row):
    """A prompt's text, cut where the author's words begin and end."""
    prompt, pieces, end = row["prompt"].encode(), [], 0
    for start, length in row.get("prompt_literals") or []:
        pieces += [(prompt[end:start].decode(), False), (prompt[start : start + length].decode(), True)]
        end = start + length
    return pieces + [(prompt[end:].decode(), False)]


def ends(text, finish, vocabulary, options, id):
    """Whether the end token follows a sample."""
    if options.end in ("always", "never"):
        return options.end == "always"
    if options.end == "finished":
        return finish != "length"
    if text.strip()[-1:] in (".", "?", "!"):
        return True
    if options.max_new_tokens is None:
        if finish is None:
            sys.exit(f"sample {id}: --end terminated needs the column `finish`, or --max-new-tokens")
        return finish != "length"
    return len(vocabulary.encode([(text.strip(), False)], goes_on=True)) != options.max_new_tokens


def read_examples(path, vocabulary, conditioning, options, most_tokens, log):
    """The samples of rows as tokens, with how many were too long."""
    examples, counts = [], collections.Counter()
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for row in rows:
        prompt = prompt_pieces(row)
        unconditioned = vocabulary.encode(prompt)
        for index, generation in enumerate(row["generations"]):
            id = f"{row['id']}#{index}"
            finish = (row.get("finish") or {index: None})[index]
            if finish is None and row.get("finished") and row["finished"][index] is not None:
                finish = "end" if row["finished"][index] else "length"
            text = " " + generation.strip() if options.targets == "spaced_text" else generation
            end = vocabulary.end if vocabulary.end is not None and ends(text, finish, vocabulary, options, id) else None
            output = None
            drawn = row["tokens"][index] if options.targets == "tokens" and row.get("tokens") else None
            if drawn is not None and all(0 <= token < vocabulary.drawable for token in drawn):
                last = drawn[-1] if finish == "end" and drawn else None
                found = vocabulary.drawn(drawn[:-1] if last is not None else drawn, text)
                if found:
                    output, is_whole = found
                    end = last if end is not None and last is not None and is_whole else end
            counts["drawn" if output is not None else "encoded"] += 1
            if output is None:
                output = vocabulary.encode([(text, False)], goes_on=True)
            prefix = conditioning.pieces(row, index)
            if prefix is None:
                continue
            context = vocabulary.encode(prefix + prompt) if prefix else unconditioned
            output = output + ([end] if end is not None else [])
            if not context or not output:
                counts["empty"] += 1
            elif len(context) + len(output) > most_tokens:
                counts["long"] += 1
                counts["longest"] = max(counts["longest"], len(context) + len(output))
            else:
                counts["ended"] += end is not None
                examples.append(Example(id, context, unconditioned, output))
    if counts["long"] and options.overflow == "fail":
        sys.exit(
            f"{counts['long']} samples have more than {most_tokens} tokens, the longest {counts['longest']}; "
            "--overflow drop leaves them out")
    if not examples:
        sys.exit("there is nothing to train on")
    log(
        f"{len(examples)} samples, {counts['ended']} with the end token appended; {counts['drawn']} read as the tokens that were "
        f"drawn, {counts['encoded']} encoded; left out: {conditioning.missing} without {conditioning.column}, {counts['empty']} "
        f"empty, {counts['long']} too long")
    return examples, {"samples_dropped": counts["long"]} if options.overflow == "drop" else {}
