"""What an annotator of summaries learns to say: `summary_lessons.py (feedback|categories) OUT PREFERRED OTHER`, files of rows.

They come from a judge's reasons. PREFERRED has a row for the preferred summary of each pair, OTHER for the other one: the summary
(`summary`), what the judge said of both in one sentence (`explanation`), and by which letter it called this one (`letter`: `Summary A` or
`Summary B`). OUT has all these rows with one generation each, the reply that the annotator should give on that summary.

The sentence is cut at words of contrast, such as `whereas`. What is said of a summary is the first part that names it and not the other
one. The axes that this part names, or where it names none the rest of the sentence, make the feedback.

feedback    `Analysis: …`, that part, of at most 24 words, or where there is none which axes the sentence names; `Feedback: …`, an
            adjective for each axis, at most ten words; `Score: …`, 3 for the preferred summary, 2 for the other one where the judge finds
            both good or the preferred one slightly better, else 1
categories  one of six: precise by the same three cases (`Very precise`, `Precise`, `Not precise`), concise with at most 30 words
"""

import json
import re
import sys

CONTRAST = (
    r"[.;]\s|,\s+(?:which )?(?=summary [AB]\b)|"
    r",?\s*\b(?:whereas|while|although|though|but(?! also)|unlike|compared to|as opposed to)\b,?\s*"
)
# An axis, the beginnings of words by which the judge speaks of it, and what is said of a summary that has it and of one that lacks it.
AXES = [
    ("coherence", "clear|clarity|coheren|vague|confus|informal|casual|ambigu|structure", "clear", "unclear"),
    ("accuracy", "accura|faithful|correct|distort|mislead|misrepresent|misinterpret|fals|exagger", "accurate", "inaccurate"),
    (
        "coverage",
        "detail|context|comprehens|cover|complet|key|specific|thorough|encapsul|captur|inform(?!al)|includ|miss|omit|omission|overlook",
        "complete",
        "incomplete",
    ),
    ("conciseness", "concis|succinct|brief|unnecessar|extraneous|irrelevant|repe|wordy", "concise", "wordy"),
]
NAME = r"^(?:overall, |however, |i prefer )?summary [AB](?:'s)?\s*"
PREFERENCE = r"^(?:is|was)(?: \w+)?(?: better| preferred| preferable| superior)\b.*?\b(?:because|as|since) (?:it )?"
WORDS_OF_ANALYSIS = 24
WORDS_OF_CONCISE = 30


def other(letter):
    return "B" if letter == "A" else "A"


def axes_in(text):
    return [axis for axis in AXES if re.search(rf"\b(?:in|un)?(?:{axis[1]})", text, re.IGNORECASE)]


def part_on(letter, explanation):
    """What the sentence says of one summary alone; none where no part does."""
    for part in re.split(CONTRAST, explanation, flags=re.IGNORECASE):
        # `A` alone may be a summary too, `a` is an article.
        if re.search(rf"(?i:\bsummary) {letter}\b", part) and not re.search(rf"\b{other(letter)}\b", part):
            return part
    return None


def analysis(part):
    """The part without the summary's name, without what merely says that it is preferred, and not too long."""
    text = part
    for pattern, replacement in [(NAME, ""), (PREFERENCE, ""), (r"\bsummary [AB]\b", "it")]:
        text = re.sub(pattern, replacement, text, flags=re.IGNORECASE)
    words = text.split()
    text = " ".join(words[:WORDS_OF_ANALYSIS])
    if len(words) > WORDS_OF_ANALYSIS:
        text = text.rpartition(",")[0] or text
    text = text.strip(" .,;")
    return text[:1].upper() + text[1:] + "."


def listed(words):
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def reply(row, form, preferred):
    explanation = row["explanation"]
    is_close = re.search(r"\b(?:both|slightly|somewhat|a bit|a little)\b", explanation, re.IGNORECASE)
    score = 3 if preferred else 2 if is_close else 1
    if form == "categories":
        precise = ["Not precise", "Precise", "Very precise"][score - 1]
        if len(row["summary"].split()) <= WORDS_OF_CONCISE:
            return precise + (" but" if score == 1 else " and") + " concise"
        return precise + (" nor" if score == 1 else " but not") + " concise"
    part = part_on(row["letter"], explanation) or ""
    # What the judge likes about the summary that it does not prefer is no fault of it.
    told = part if preferred else re.sub(r"\bmore \w+", "", part)
    axes = axes_in(told) or axes_in(explanation.replace(part, "")) or [AXES[2]]
    names = listed([axis[0] for axis in axes])
    said = analysis(part) if part else f"It {'does well' if preferred else 'falls short'} in {names}."
    if score == 2:
        feedback = f"Good, but less {listed([axis[2] for axis in axes])} than possible."
    else:
        feedback = listed([axis[2 if preferred else 3] for axis in axes]).capitalize() + " summary."
    return f"Analysis: {said}\nFeedback: {feedback}\nScore: {score}"


if __name__ == "__main__":
    form, out, *inputs = sys.argv[1:]
    with open(out, "w", encoding="utf-8") as file:
        for path, preferred in zip(inputs, [True, False]):
            with open(path, encoding="utf-8") as rows:
                for row in map(json.loads, rows):
                    row["generations"] = [reply(row, form, preferred)]
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
