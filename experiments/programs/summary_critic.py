"""Comments on summaries of forum posts by rules, in the form of ALT-LMU's annotator. Reads rows on stdin, answers each on stdout.

A summary gets a point for each axis: coherence, at least five words, a sentence that ends, and no more than a fifth of its pairs of words
written before; accuracy, at least four fifths of its longer words stand in the post; coverage, at least three of the ten words that the
post, its title counted twice, has most often. Whether it has more than 30 words is said, and gives no point.

With --categories it answers with one of NLF's six categories instead: `Very precise` are three points, `Precise` two, `Not precise` less;
`concise` is a summary of at most 20 words.
"""

import collections
import json
import re
import sys

COMMON = set(
    "about after again also although always another around away back because been before being both came cannot could does doing done "
    "down during each even ever every feel find from gave gets getting give goes going gone good have having help here herself himself "
    "into just keep know last like little long made make many maybe mean might more most much must myself need never only other over "
    "really right said same says seem seems since some something still such take tell than that their them then there these they thing "
    "things think this those though time told took under until upon very want wanted wants well went were what when where whether which "
    "while will with without would year years your yourself".split()
)


def words(text):
    return re.findall(r"[a-z']+", text.lower())


def content(text):
    return [word for word in words(text) if len(word) > 3 and word not in COMMON]


def reply(post, summary, categories=False):
    said = words(summary)
    pairs = list(zip(said, said[1:]))
    repeated = 1 - len(set(pairs)) / len(pairs) if pairs else 1
    coherent = len(said) >= 5 and summary.rstrip()[-1:] in (".", "?", "!") and repeated <= 0.2
    title = post.partition("TITLE:")[2].partition("\n")[0]
    known = set(words(post))
    told = content(summary)
    found = sum(word in known for word in told)
    accurate = bool(told) and found >= 0.8 * len(told)
    key = [word for word, _ in collections.Counter(content(post) + content(title)).most_common(10)]
    covered = [word for word in key if word in said]
    complete = len(covered) >= 3
    score = sum((coherent, accurate, complete))
    if categories:
        concise = len(said) <= 20
        if score < 2:
            return "Not precise but concise" if concise else "Not precise nor concise"
        return ("Very precise" if score == 3 else "Precise") + (" and concise" if concise else " but not concise")
    adjectives = ["clear" if coherent else "unclear", "accurate" if accurate else "inaccurate", "complete" if complete else "incomplete"]
    length = "concise" if len(said) <= 30 else "wordy"
    return (
        f"Analysis: {len(covered)} of {len(key)} key words are covered; {found} of {len(told)} longer words stand in the post; "
        f"{repeated:.0%} of the pairs of words are repeated.\n"
        f"Feedback: {adjectives[0].capitalize()}, {adjectives[1]}, {adjectives[2]} and {length}.\n"
        f"Score: {score}"
    )


if __name__ == "__main__":
    categories = "--categories" in sys.argv[1:]
    for line in sys.stdin:
        row = json.loads(line)
        # One reply for each generation, in their order.
        replies = [reply(row["prompt"], text, categories) for text in row["generations"]]
        print(json.dumps({"id": row["id"], "replies": replies}), flush=True)
