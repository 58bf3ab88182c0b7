#!/usr/bin/env python3
"""Whether a chat model answers as in transformers, token for token: `chat.py PLUMB MODEL.gguf`.

Twenty questions, some with a system's text and earlier turns, are asked through the model's own chat template by `sample` (`chat`,
greedily, fp32) and by transformers (`apply_chat_template`, `generate`): the 40 ids that they answer must be the same. Then the loss of one
step of `train` on whole conversations is compared with that of transformers over the assistant's mask. Prints a line a question;
fails where one differs.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import torch
from tokenizers import Tokenizer
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


def trained_loss(place):
    (place / "train.jsonl").write_text("".join(json.dumps({"id": str(i), "c": c}) + "\n" for i, c in enumerate(TRAINED)))
    (place / "train.yaml").write_text(
        f"""version: 1
name: train
numeric: fp32
inputs: [{model.parent}]
models: {{m: {{path: {model}}}}}
stages:
  rows: {{uses: data, with: {{path: train.jsonl, messages: c, id: id}}}}
  tuned:
    uses: train
    in: {{model: m, rows: rows}}
    with: {{lr: 1e-6, batch_size: {len(TRAINED)}, objective: {{kind: sft}}, conditioning: {{kind: none}}, unfrozen_ratio: 0, chat: true}}
""")
    run = subprocess.run([plumb, "run", "train.yaml"], cwd=place, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(run.stderr)
    export = subprocess.run(
        [plumb, "export", "train.yaml::tuned.metrics", "trained"], cwd=place, capture_output=True, text=True)
    if export.returncode != 0:
        sys.exit(export.stderr)
    metrics = json.loads(next((place / "trained").rglob("*.json")).read_text())
    return metrics["loss"][0]


TRAINED = [
    [dict(role=r, content=t) for r, t in HISTORY + [("assistant", "Why did the chicken cross the road?"), ("user", "Why?"),
                                                    ("assistant", "To get to the other side.")]],
    [dict(role="user", content="Who wrote Hamlet?"), dict(role="assistant", content="William Shakespeare wrote it.")],
]
chats = [[{"role": role, "content": text} for role, text in chat] for chat in conversations()]
with tempfile.TemporaryDirectory() as folder:
    place = pathlib.Path(folder)
    (place / "chats.jsonl").write_text(
        "".join(json.dumps({"id": str(i), "c": chat}, ensure_ascii=False) + "\n" for i, chat in enumerate(chats)))
    (place / "chat.yaml").write_text(
        f"""version: 1
name: chat
numeric: fp32
inputs: [{model.parent}]
models: {{m: {{path: {model}}}}}
stages:
  rows: {{uses: data, with: {{path: chats.jsonl, messages: c, last_turn: drop, id: id}}}}
  answers: {{uses: sample, in: {{model: m, prompts: rows}}, with: {{temperature: 0, max_new_tokens: {NEW}, chat: true}}}}
""")
    run = subprocess.run([plumb, "run", "chat.yaml"], cwd=place, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(run.stderr)
    loss_of_training = trained_loss(place)
    export = subprocess.run(
        [plumb, "export", "chat.yaml::answers", "out"], cwd=place, capture_output=True, text=True)
    if export.returncode != 0:
        sys.exit(export.stderr)
    found = [json.loads(line) for line in next((place / "out").rglob("*.jsonl")).read_text().splitlines()]

tokenizer = AutoTokenizer.from_pretrained(model.parent, gguf_file=model.name)
reference = AutoModelForCausalLM.from_pretrained(model.parent, gguf_file=model.name, dtype=torch.float32).eval()
end = tokenizer.convert_tokens_to_ids("<|im_end|>")
plain = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
plain.encode_special_tokens = True


def encoded(chat):
    """What the model is given. A special token that a question spells is text, which transformers cannot be told."""
    held = [dict(m, content=m["content"].replace("<|im_end|>", "\ue000")) for m in chat]
    text = tokenizer.apply_chat_template(held, add_generation_prompt=True, tokenize=False)
    if "\ue000" not in text:
        return tokenizer(text, add_special_tokens=False)["input_ids"]
    ids = []
    for part in re.split(r"(<\|im_start\|>|<\|im_end\|>)", text):
        if part in ("<|im_start|>", "<|im_end|>"):
            ids.append(tokenizer.convert_tokens_to_ids(part))
        else:
            ids += plain.encode(part.replace("\ue000", "<|im_end|>"), add_special_tokens=False).ids
    return ids


wrong = 0
for chat, row in zip(chats, found):
    ids = encoded(chat)
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
# The template of ChatML that the model has, with the assistant's words and the end of its turn marked.
marked = (
    "{% for m in messages %}{% if loop.first and m.role != 'system' %}{{ '<|im_start|>system\nYou are a helpful AI assistant named "
    "SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' %}"
    "{% generation %}{{ m.content + '<|im_end|>' }}{% endgeneration %}{% else %}{{ m.content + '<|im_end|>' }}{% endif %}{{ '\n' }}{% endfor %}")
total, count = 0.0, 0
for chat in TRAINED:
    encoding = tokenizer.apply_chat_template(
        chat, chat_template=marked, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    ids, mask = encoding["input_ids"], encoding["assistant_masks"]
    assert ids == tokenizer.apply_chat_template(chat, tokenize=True, return_dict=True)["input_ids"]
    with torch.no_grad():
        scores = torch.log_softmax(reference(torch.tensor([ids])).logits[0].double(), -1)
    for place in range(1, len(ids)):
        if mask[place]:
            total, count = total - scores[place - 1, ids[place]].item(), count + 1
same = abs(total / count - loss_of_training) < 1e-4
wrong += not same
print("equal" if same else "WRONG", "loss over", count, "trained tokens:", loss_of_training, "and", total / count)
sys.exit(wrong > 0)
