#!/usr/bin/env python3
"""Whether models that `plumb convert` writes are, in transformers, those that it read: `models.py PLUMB`.

For each family a random model of transformers is written as transformers and PyTorch do, as safetensors and as `.bin`, in one file and
in shards, and converted. What is loaded from the result must give the logits of the first, to the last bit: of its own weights in
f32, of its weights rounded by PyTorch in bf16 and f16. Heads alike. As GGUF it must come back the same, and hold what gguf's own package
decodes; transformers loads those of Llama and GPT-2. Prints a line a check; fails where one differs.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from gguf import GGUFReader, dequantize
from safetensors.torch import load_file
from transformers import (
    AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification, GPT2Config, GPTJConfig,
    GPTNeoXConfig, LlamaConfig, MistralConfig,
)
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

COMMON = dict(vocab_size=96, bos_token_id=0, eos_token_id=0)
CONFIGURATIONS = {
    "llama": LlamaConfig(
        hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2,
        max_position_embeddings=64, **COMMON),
    "mistral": MistralConfig(
        hidden_size=40, intermediate_size=72, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=64, sliding_window=8, **COMMON),
    "gpt2": GPT2Config(n_embd=60, n_layer=2, n_head=3, n_positions=64, **COMMON),
    "gptj": GPTJConfig(n_embd=64, n_layer=2, n_head=4, n_positions=64, rotary_dim=8, **COMMON),
    "gpt_neox": GPTNeoXConfig(
        hidden_size=72, intermediate_size=120, num_hidden_layers=2, num_attention_heads=3,
        max_position_embeddings=64, rotary_pct=0.25, **COMMON),
    "gpt_neox sequential": GPTNeoXConfig(
        hidden_size=72, intermediate_size=120, num_hidden_layers=2, num_attention_heads=3,
        max_position_embeddings=64, rotary_pct=0.25, use_parallel_residual=False, **COMMON),
}
TYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}
TOKENS = torch.tensor([[5, 17, 80, 2, 9, 33, 0, 41, 41, 7, 12]])

plumb = pathlib.Path(sys.argv[1]).resolve()
failed = False


def report(name, difference, problems=None):
    global failed
    wrong = difference != 0 or bool(problems)
    failed |= wrong
    print(f"{'WRONG' if wrong else 'equal'}  {name}" + (f": {difference} {problems or ''}" if wrong else ""))


def convert(source, target, *options):
    result = subprocess.run([plumb, "convert", source, target, *options], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"convert {source} {target} {' '.join(options)}: {result.stderr}")
    return target


def outputs(model):
    with torch.no_grad():
        return model.eval()(TOKENS).logits


def load(kind, path, **options):
    model, found = kind.from_pretrained(path, dtype=torch.float32, output_loading_info=True, **options)
    return outputs(model), {key: value for key, value in found.items() if value}


def rounded(kind, model, dtype):
    """The logits of the model with its weights rounded, computed in fp32."""
    copy = kind.from_config(model.config)
    copy.load_state_dict({name: value.to(dtype).float() for name, value in model.state_dict().items()})
    return outputs(copy)


def save_shards(state, folder, count=2):
    """As transformers wrote PyTorch files."""
    names = list(state)
    map = {}
    for number in range(count):
        file = f"pytorch_model-{number + 1:05}-of-{count:05}.bin"
        part = names[number::count]
        torch.save({name: state[name] for name in part}, folder / file)
        map |= {name: file for name in part}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": map}))


def write(model, folder):
    """The same model in three folders."""
    model.save_pretrained(folder / "safetensors")
    for name in ["bin", "shards"]:
        (folder / name).mkdir()
        model.config.save_pretrained(folder / name)
    torch.save(model.state_dict(), folder / "bin" / "pytorch_model.bin")
    save_shards(model.state_dict(), folder / "shards")
    return [folder / name for name in ["safetensors", "bin", "shards"]]


def check_family(name, configuration, folder):
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(configuration)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    folder.mkdir()
    expected = {key: rounded(AutoModelForCausalLM, model, dtype) for key, dtype in TYPES.items()}
    sources = write(model, folder)
    for source in sources:
        for dtype in TYPES:
            target = convert(source, folder / f"{source.name}-{dtype}", "--dtype", dtype, "--shard", "40kB")
            found, problems = load(AutoModelForCausalLM, target)
            report(f"{name}: {source.name} to {dtype}", float((found - expected[dtype]).abs().max()), problems)
    if name != "mistral":  # whose architecture in GGUF is Llama's, without a window
        (folder / "gguf").mkdir()
        check_gguf(name, model, sources[0], folder / "gguf")


def numbers(tensors):
    """Those of each tensor, in no order of rows and columns and under no name."""
    return sorted(value.float().flatten().sort().values.numpy().tobytes() for value in tensors.values())


def check_gguf(name, model, source, folder):
    """A GGUF file of the model: converted back, read by gguf's package, and by transformers where that knows the family."""
    for dtype in [*TYPES, "q8_0"]:
        file = convert(source, folder / f"{dtype}.gguf", "--dtype", dtype)
        back, problems = load(AutoModelForCausalLM, convert(file, folder / f"{dtype}-back"))
        stored = {
            tensor.name: torch.tensor(dequantize(tensor.data, tensor.tensor_type)) for tensor in GGUFReader(file).tensors
        }
        read = load_file(folder / f"{dtype}-back" / "model.safetensors")
        same = numbers(stored) == numbers(read)
        report(f"{name}: {dtype} in GGUF, decoded by gguf", 0 if same else "other numbers")
        if dtype == "f32":
            report(f"{name}: {dtype} in GGUF and back", float((back - outputs(model)).abs().max()), problems)
        if name in ["llama", "gpt2"]:
            found = AutoModelForCausalLM.from_pretrained(
                folder, gguf_file=file.name, config=model.config, dtype=torch.float32)
            report(f"{name}: {dtype} in GGUF, loaded by transformers", float((outputs(found) - back).abs().max()))


def check_classifier(name, configuration, folder):
    torch.manual_seed(2)
    labels = {"id2label": {0: "bad", 1: "fair", 2: "good"}, "label2id": {"bad": 0, "fair": 1, "good": 2}}
    configuration = AutoConfig.for_model(**{**configuration.to_dict(), **labels, "pad_token_id": 95})
    model = AutoModelForSequenceClassification.from_config(configuration)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    folder.mkdir()
    for source in write(model, folder):
        target = convert(source, folder / f"{source.name}-converted")
        found, problems = load(AutoModelForSequenceClassification, target)
        report(
            f"{name} of 3 labels: {source.name}", float((found - outputs(model)).abs().max()), problems)


def check_value_head(name, configuration, folder):
    """trlx's layout: the decoder's tensors under their prefix, and `v_head.weight`; no language head."""
    torch.manual_seed(3)
    model = AutoModel.from_config(configuration)
    prefix = AutoModelForCausalLM.from_config(configuration).base_model_prefix + "."
    state = {prefix + key: value for key, value in model.state_dict().items()}
    state["v_head.weight"] = torch.randn(1, model.config.hidden_size)
    folder.mkdir()
    configuration.save_pretrained(folder / "source")
    torch.save(state, folder / "source" / "pytorch_model.bin")
    written = load_file(convert(folder / "source", folder / "target") / "model.safetensors")
    wanted = {prefix + key for key, _ in model.named_parameters()} | {"v_head.weight"}
    difference = max(float((state[key] - written[key]).abs().max()) for key in wanted & written.keys())
    report(f"{name} with a value head", difference, sorted(written.keys() ^ wanted))


def main():
    disable_progress_bar()
    set_verbosity_error()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, configuration) in enumerate(CONFIGURATIONS.items()):
            place = pathlib.Path(folder) / str(number)
            place.mkdir()
            check_family(name, configuration, place / "language")
            check_classifier(name, configuration, place / "classifier")
            check_value_head(name, configuration, place / "value")
    sys.exit(failed)


if __name__ == "__main__":
    main()
