"""Numbers of rouge.json by the rouge-score package (0.1.2) and the stemmer of nltk.

    python make_rouge.py [tldr_prompts_summaries.jsonl] > rouge.json

`stems`: words and their stems: every suffix of Porter's steps after stems of several shapes, and irregular words. `pairs`: texts with their
F-measures without and with stems. `corpus`: of the first 1,000 rows of the file, `model_summary` against `reference`: for each number the mean
and the mean weighted by the row's place, so that no row is taken for another; the texts stay where they are.
"""

import json
import sys

from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer

stemmer = PorterStemmer()
KINDS = ["rouge1", "rouge2", "rougeL"]
plain, stemmed = (rouge_scorer.RougeScorer(KINDS, use_stemmer=stem) for stem in (False, True))

STEMS = [
    "t", "sk", "tr", "hop", "fall", "hiss", "fizz", "control", "relat", "gener", "oper", "conform", "differ", "enjoy",
    "spy", "ey", "yy", "troubl", "conflat", "siz", "box", "sn0w", "archaeo", "geo", "adopt", "4", "us", "al",
]
SUFFIXES = (
    " s es ies sses ss ed eed ied ing ying ational tional enci anci izer bli abli alli entli eli ousli ization ation"
    " ator alism iveness fulness ousness aliti iviti biliti fulli logi icate ative alize iciti ical ful ness al ance"
    " ence er ic able ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e ee y ll lle ly alled bled izing"
).split(" ")
IRREGULAR = "sky skies dying lying tying news innings inning outings outing cannings canning howe proceed exceed succeed".split()
WORDS = sorted({s + e for s in STEMS for e in SUFFIXES} | set(IRREGULAR) | {"dies", "died", "flies", "spied", "yyyying"})

PAIRS = [
    ("the cat sat on the mat", "the cat was sitting on the mats"),
    ("the the the cat", "the cat the"),
    ("", "something"), ("something", ""), ("", ""), ("?!", "..."),
    ("one", "one"), ("one two", "two one"), ("a b c d e f g", "g a b x c d y e"),
    ("Caresses, ponies; FLIES!", "caress pony fly"),
    ("\u0130stanbul \u212a9 stra\u00dfe na\u00efve", "i stanbul k9 stra e na ve"),
    ("it's 3.14 and e-mail", "its 3 14 and email"),
    ("relational conditional rationally generously", "relate condition rational generous"),
    ("tab\tand\nnewline\u00a0space", "tab and newline space"),
    ("can't stop running, she ran and runs", "she cannot stop to run; runs, ran"),
]


def scores(generation, reference):
    return [[s[k].fmeasure for k in KINDS] for s in (r.score(reference, generation) for r in (plain, stemmed))]


result = {
    "stems": [[w, stemmer.stem(w)] for w in WORDS],
    "pairs": [{"generation": g, "reference": r, "scores": scores(g, r)} for g, r in PAIRS],
}
if len(sys.argv) > 1:
    rows = [json.loads(line) for line, _ in zip(open(sys.argv[1]), range(1000))]
    found = [scores(row["model_summary"], row["reference"]) for row in rows]
    flat = [plain + stemmed for plain, stemmed in found]
    result["corpus"] = {
        "mean": [sum(f[i] for f in flat) / len(flat) for i in range(6)],
        "weighted": [sum((n + 1) * f[i] for n, f in enumerate(flat)) / len(flat) ** 2 for i in range(6)],
    }
print("{" + ",\n".join(json.dumps(k) + ":" + json.dumps(v, separators=(",", ":")) for k, v in result.items()) + "}")
