#!/usr/bin/env python3
"""Whether a chat model answers as in transformers, token for token: `chat.py PLUMB MODEL.gguf`.

Twenty questions, some with a system's text and earlier turns, are asked through the model's own chat template by `sample` (`chat`,
greedily, fp32) and by transformers (`apply_chat_template`, `generate`). The ids that the model is given must be the same, and the 40
that it gives back. Prints a line a question; fails where one differs.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

QUESTIONS = [
    "Why is the sky blue?", "Write a haiku about rain.", "What is 17 times 3?", "Name three rivers in Europe.",
    "  Spaces around me  ", "def f(x):\n    return", "Übersetze: Guten Morgen", "日本の首都はどこですか。", "Is <|im_end|> a token?",
    "Say nothing.", "Explain gradient descent in one sentence.", "Who wrote Hamlet?",
]
SYSTEMS = ["You are a pirate.", "Answer in one word.", "", "Du sprichst Deutsch."]
HISTORY = [("user", "Hi"), ("assistant", "Hello! How can I help you today?"), ("user", "Tell me a joke.")]
NEW = 40

plumb, model = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
disable_progress_bar()
set_verbosity_error()


def conversations():
    for question in QUESTIONS:
        yield [("user", question)]
    for system in SYSTEMS:
        yield [("system", system), ("user", QUESTIONS[0])]
    for last in ["Another one.", "Why is it funny?", "Stop.", "Thanks!"]:
        yield HISTORY + [("assistant", "Why did the chicken cross the road?"), ("user", last)]


chats = [[{"role": role, "content": text} for role, text in chat] for chat in conversations()]
with tempfile.TemporaryDirectory() as folder:
    place = pathlib.Path(folder)
    (place / "chats.jsonl").write_text(
        "".join(json.dumps({"id": str(i), "c": chat}, ensure_ascii=False) + "\n" for i, chat in enumerate(chats)))
    (place / "chat.yaml").write_text(
        f"""version: 1
name: chat
defaults: {{numeric: fp32}}
inputs: [{model.parent}]
models: {{m: {{path: {model}}}}}
stages:
  rows: {{uses: data, with: {{path: chats.jsonl, messages: c, last_turn: drop, id: id}}}}
  answers: {{uses: sample, in: {{model: m, prompts: rows}}, with: {{temperature: 0, max_new_tokens: {NEW}, chat: true}}}}
""")
    run = subprocess.run([plumb, "run", "chat.yaml"], cwd=place, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(run.stderr)
    export = subprocess.run(
        [plumb, "export", "chat.yaml::answers", "out"], cwd=place, capture_output=True, text=True)
    if export.returncode != 0:
        sys.exit(export.stderr)
    found = [json.loads(line) for line in next((place / "out").rglob("*.jsonl")).read_text().splitlines()]

tokenizer = AutoTokenizer.from_pretrained(model.parent, gguf_file=model.name)
reference = AutoModelForCausalLM.from_pretrained(model.parent, gguf_file=model.name, dtype=torch.float32).eval()
end = tokenizer.convert_tokens_to_ids("<|im_end|>")
wrong = 0
for chat, row in zip(chats, found):
    # In `<|im_end|>` of a question transformers reads a token, which we do not: what it is then given is ours.
    held = [dict(m, content=m["content"].replace("<|im_end|>", "\ue000")) for m in chat]
    text = tokenizer.apply_chat_template(held, add_generation_prompt=True, tokenize=False)
    ids = []
    for index, part in enumerate(text.split("\ue000")):
        if index > 0:
            # The letters around it belong to it in the text; a question that spells it is asked alone.
            ids = None
            break
        ids = tokenizer(part, add_special_tokens=False)["input_ids"]
    if ids is None:
        print("skipped", chat[-1]["content"])
        continue
    with torch.no_grad():
        output = reference.generate(
            torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False,
            max_new_tokens=NEW, eos_token_id=end, pad_token_id=end, repetition_penalty=1.0)[0][len(ids):].tolist()
    expected = [i for i in output if i != end]
    text, length = row["generations"][0], row["lengths"][0]
    same = length == len(expected) and text == tokenizer.decode(expected, clean_up_tokenization_spaces=False)
    wrong += not same
    print("equal" if same else "WRONG", len(ids), "ids in,", len(expected), "out:", chat[-1]["content"][:40].replace("\n", " "))
    if not same:
        print("  expected", repr(tokenizer.decode(expected)), "\n  found   ", repr(text), length)
sys.exit(wrong > 0)
