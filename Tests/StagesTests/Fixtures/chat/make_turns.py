"""Freezes what transformers trains on in a conversation: ids and the assistant's mask, of templates of several families.

    pip install transformers tokenizers jinja2 && python make_turns.py

Each template stands here with `{% generation %}` around what the assistant writes: its text and the token that ends its turn. From it
comes the mask (`apply_chat_template(..., return_assistant_tokens_mask=True)`). The tests are given it with and without these tags,
and have to find the same. `prompt` is what is put in so that the assistant gives the last answer (`add_generation_prompt=True`).
No token lies across the beginning of an answer here: where one does (a template that asks by two newlines, a tokenizer that joins them only
at a text's end), transformers trains on other ids than it samples from, and Plumb on those that it samples from.
"""
import json, pathlib, re
from transformers import PreTrainedTokenizerFast

here = pathlib.Path(__file__).parent
tokenizer_file = here.parents[2] / "ModelsTests/Fixtures/tokenizer/smollm.json"

G, E = "{% generation %}", "{% endgeneration %}"
TEMPLATES = {
    # Qwen2, SmolLM2: a system text of its own.
    "chatml": "{% for m in messages %}{% if loop.first and m.role != 'system' %}{{ '<|im_start|>system\nYou help.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' %}" + G + "{{ m.content + '<|im_end|>' }}" + E
    + "{{ '\n' }}{% else %}{{ m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    # Llama 2: no generation prompt; a space at both ends of what the assistant says; texts are trimmed.
    "llama2": "{% for m in messages %}{% if m.role == 'assistant' %}" + G + "{{ ' ' + m.content | trim + ' <|im_end|>' }}" + E
    + "{% else %}{{ '<|im_start|>[INST] ' + m.content | trim + ' [/INST]' }}{% endif %}{% endfor %}",
    # Llama 3: a token begins the text; headers are trimmed content.
    "llama3": "{{ '<|endoftext|>' }}{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' %}"
    + G + "{{ m.content | trim + '<|im_end|>' }}" + E + "{% else %}{{ m.content | trim + '<|im_end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    # Phi 3: another token at the end of all.
    "phi3": "{% for m in messages %}{{ '[LEFT]' + m.role + '\n' }}{% if m.role == 'assistant' %}" + G + "{{ m.content + '<|im_end|>' }}" + E
    + "{{ '\n' }}{% else %}{{ m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '[LEFT]assistant\n' }}{% else %}{{ '<|endoftext|>' }}{% endif %}",
    # Gemma: the assistant is called model; texts are trimmed.
    "gemma": "{% for m in messages %}{{ '<|im_start|>' + ('model' if m.role == 'assistant' else m.role) + '\n' }}{% if m.role == 'assistant' %}"
    + G + "{{ m.content | trim + '<|im_end|>' }}" + E + "{{ '\n' }}{% else %}{{ m.content | trim + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>model\n' }}{% endif %}",
    # Qwen3: the last answer begins with thoughts, earlier ones lose theirs.
    "qwen3": "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' %}{% set text = m.content.split('</think>')[-1].lstrip('\n') %}"
    + G + "{% if loop.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{{ text + '<|im_end|>' }}" + E
    + "{{ '\n' }}{% else %}{{ m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
}
CONVERSATIONS = {
    "one": [("user", "The film was"), ("assistant", "They had been fine, and so it was.")],
    "three": [
        ("system", "Speak shortly."), ("user", "Hi"), ("assistant", "Hello there! é"), ("user", "  What? <|im_end|> "),
        ("assistant", "Nobody: <|im_end|> is text."), ("user", "42"), ("assistant", "for the old 42 and nobody counted"),
    ],
    "thoughts": [("user", "a"), ("assistant", "<think>\nhm\n</think>\n\nWell."), ("user", "b"), ("assistant", "So.")],
}


def encoded(tokenizer, template, messages):
    """ids and mask. Special tokens inside the messages are text here: U+E000 stands for their `<`, and is put back below."""
    held = [{"role": r, "content": c.replace("<|im", "\ue000|im")} for r, c in messages]
    rendered = tokenizer.apply_chat_template(held, chat_template=template, tokenize=False)
    ask = tokenizer.apply_chat_template(
        held[:-1], chat_template=template, tokenize=False, add_generation_prompt=True)
    _, spans = __import__("transformers.utils.chat_template_utils", fromlist=["x"]).render_jinja_template(
        [held], chat_template=template, return_assistant_tokens_mask=True)
    def tokens(text, offset=0):
        # Pieces between special tokens, each encoded alone, as tokenizers does.
        ids, places, position = [], [], 0
        for part in re.split(r"(<\|im_start\|>|<\|im_end\|>|<\|endoftext\|>)", text):
            if re.fullmatch(r"<\|\w+\|>", part):
                ids.append(tokenizer.convert_tokens_to_ids(part)); places.append((position, position + len(part)))
            elif part:
                plain = part.replace("\ue000", "<")
                backend.encode_special_tokens = True
                result = backend.encode(plain, add_special_tokens=False)
                ids += result.ids; places += [(position + a, position + b) for a, b in result.offsets]
            position += len(part)
        return ids, places
    ids, places = tokens(rendered)
    mask = [0] * len(ids)
    for start, end in spans[0]:
        for index, (a, b) in enumerate(places):
            if a < end and b > start: mask[index] = 1
    plain = [m for m in messages if "<|im" in m[1]]
    if not plain:
        whole = tokenizer.apply_chat_template(
            held, chat_template=template, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
        assert whole["input_ids"] == ids and whole["assistant_masks"] == mask, (template, messages)
    return ids, mask, tokens(ask)[0]


tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(tokenizer_file))
from tokenizers import Tokenizer
backend = Tokenizer.from_file(str(tokenizer_file))
cases = []
for name, template in TEMPLATES.items():
    for conversation, messages in CONVERSATIONS.items():
        ids, mask, prompt = encoded(tokenizer, template, messages)
        cases.append({
            "template": name, "conversation": conversation, "ids": ids, "mask": mask, "prompt": prompt})
document = {
    "templates": TEMPLATES,
    "conversations": {n: [{"role": r, "content": c} for r, c in m] for n, m in CONVERSATIONS.items()},
    "cases": cases,
}
(here / "turns.json").write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
print(len(cases), "cases")
