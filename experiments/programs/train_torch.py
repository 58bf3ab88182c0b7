"""`train` of Plumb in PyTorch, for GPUs: `train_torch.py --rows ROWS --model MODEL --out MODEL --metrics METRICS --lr LR [OPTION…]`.

Trains a policy on rows conditioned on their class: the mean over target tokens of lm + kl * KL - entropy * H, with AdamW. Options have the
names and defaults that `train` has, and the same rows, options and seed give the same steps, up to rounding. The result is a folder that
transformers and Plumb load, with the conditioning in `plumb.json`. Needs torch and transformers; several processes need accelerate, and
start as `accelerate launch [OPTION…] train_torch.py …`. The other files train_torch_*.py must lie beside it.
"""

import argparse
import contextlib
import json
import math
import pathlib
import shutil
import sys
import time

import torch
from transformers.utils.logging import disable_progress_bar

from train_torch_model import Policy, Reference, Rows, freeze, shrink_frozen, starting_policy
from train_torch_processes import Checkpoints, start_processes
from train_torch_rows import Conditioning, read_examples, read_json, shuffled

BOTH = dict(type=lambda text: {"true": True, "false": False}[text], metavar="true|false")


def read_options():
    parser = argparse.ArgumentParser(description="Trains a policy on rows conditioned on their class.", allow_abbrev=False)
    add = parser.add_argument
    for name in ("rows", "model", "out", "metrics"):
        add(f"--{name}", required=True)
    add("--reference", help="the model that KL compares with")
    add("--seed", type=int, default=0)
    add("--kl", type=float, default=0.0)
    add("--entropy", type=float, default=0.0)
    add("--kl-direction", choices=["reference_policy", "policy_reference"], default="reference_policy")
    add("--reference-conditioning", choices=["strip", "keep"], default="strip")
    add("--conditioning", choices=["tokens", "text", "none"], default="tokens")
    add("--classes", type=int, default=5)
    add("--words", nargs="+", help="for each class, best first, words as whose mean embedding its token starts")
    add("--prefixes", nargs="+", help="a text for each class, best first")
    add("--template", help="a text around {value}, each sample's own entry of the column")
    add("--opening", default="", help="before the class")
    add("--column", default="quantiles")
    add("--best-by", help="a column whose best samples' texts are kept with the model")
    add("--targets", choices=["tokens", "text", "spaced_text"], default="tokens")
    add("--end", choices=["finished", "terminated", "always", "never"], default="finished")
    add("--max-new-tokens", type=int)
    add("--max-length", type=int)
    add("--overflow", choices=["fail", "drop"], default="fail")
    add("--vocabulary", choices=["model", "tokenizer"], default="model")
    add("--lr", type=float, required=True)
    add("--conditioning-lr", type=float)
    add("--warmup-ratio", type=float, default=0.05)
    add("--warmup-steps", type=int)
    add("--warmup", choices=["linear", "logarithmic"], default="linear")
    add("--decay", choices=["linear", "constant", "cosine"], default="linear")
    add("--decay-floor", type=float, default=0.0)
    add("--epochs", type=int, default=1)
    add("--steps", type=int)
    add("--batch-size", type=int, default=8, help="samples in a step, of all processes and micro-batches together")
    add("--micro-batch", type=int, default=8, help="samples that a process computes at once; changes no result beyond rounding")
    add("--drop-last", **BOTH, default=False)
    add("--unfrozen-ratio", type=float, default=1.0)
    add("--train-embeddings", **BOTH, default=True)
    add("--max-gradient-norm", type=float, default=1.0, help="inf does not clip")
    add("--betas", type=float, nargs=2, default=[0.9, 0.999])
    add("--epsilon", type=float, default=1e-8)
    add("--weight-decay", type=float, default=0.0)
    add("--no-decay", nargs="+", default=[], help="parts of names of tensors whose weights do not decay")
    add("--dtype", choices=["bf16", "fp32"], default="bf16", help="what is computed in; weights and moments are fp32")
    add("--gradient-checkpointing", action="store_true", help="less memory, a third more time")
    add("--threads", type=int, help="of the CPU")
    add("--shard-size", default="5GB", help="of a file of weights")
    add("--checkpoints", metavar="FOLDER", help="from which an interrupted training goes on, such as ~/.cache/train_torch")
    add("--checkpoint-minutes", type=float, default=30)
    return parser.parse_args()


def learning_rate(step, steps, options):
    length = options.warmup_steps
    if length is None:
        length = max(1, math.ceil(options.warmup_ratio * steps - 1e-9)) if options.warmup_ratio else 0
    warmup = 0 if length == 0 or steps < 2 else max(length, 2 if options.warmup == "logarithmic" else 1)
    if step < warmup:
        share = step / warmup if options.warmup == "linear" else min(1, math.log(step + 1) / math.log(warmup))
        return options.lr * share
    length = max(1, steps - warmup)
    shares = {
        "constant": 1,
        "linear": max(0, (steps - step) / length),
        "cosine": (1 + math.cos(math.pi * min(1, (step - warmup) / length))) / 2,
    }
    floor = 0 if options.decay == "constant" else options.decay_floor
    return options.lr * (floor + (1 - floor) * shares[options.decay])


class Training:
    def __init__(self, options, model, reference, examples, conditioning_rows, machine, log):
        self.options, self.reference, self.examples, self.machine, self.log = options, reference, examples, machine, log
        trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
        kept = [parameter for name, parameter in trained if any(part in name for part in options.no_decay)]
        decayed = [parameter for name, parameter in trained if not any(part in name for part in options.no_decay)]
        groups = [{"params": decayed}, {"params": kept, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(
            [group for group in groups if group["params"]], lr=options.lr, betas=tuple(options.betas), eps=options.epsilon,
            weight_decay=options.weight_decay)
        self.policy, self.optimizer = machine.prepare(Policy(model, options), optimizer)
        self.own_rows = conditioning_rows
        self.checkpoints = Checkpoints(options, examples, machine)

    def batch(self, step):
        """The examples of a step; a batch never holds those of two epochs."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if getattr(self, "epoch", None) != epoch:
            self.epoch, self.order = epoch, shuffled([example.id for example in self.examples], self.options.seed, epoch)
        size = self.options.batch_size
        return [self.examples[index] for index in self.order[place * size : (place + 1) * size]]

    @property
    def steps_per_epoch(self):
        count, size = len(self.examples), self.options.batch_size
        return count // size if self.options.drop_last else -(-count // size)

    def run(self):
        """The series over the steps."""
        if not self.steps_per_epoch:
            sys.exit(f"{len(self.examples)} samples make no full batch of {self.options.batch_size}, and --drop-last is true")
        steps = self.options.steps or self.steps_per_epoch * self.options.epochs
        first, series = self.checkpoints.restore()
        if first:
            self.log(f"continues at step {first + 1} of {steps}")
        self.policy.train()
        started, tokens = time.monotonic(), 0
        for step in range(first, steps):
            batch = self.batch(step)
            rate = learning_rate(step, steps, self.options)
            for name, value in self.step(batch, rate).items():
                series.setdefault(name, []).append(value)
            tokens += sum(len(example.context) + len(example.output) for example in batch)
            speed = tokens / (time.monotonic() - started)
            self.log(f"step {step + 1} of {steps} · loss {series['loss'][-1]:.4f} · {speed:.0f} tokens/s")
            if step + 1 < steps:
                self.checkpoints.save(step + 1, series)
        return {**series, "steps": steps, "samples": len(self.examples)}

    def step(self, batch, rate):
        machine, options = self.machine, self.options
        count = sum(len(example.output) for example in batch)
        sums = torch.zeros(3, dtype=torch.float64)
        parts = self.micro_batches(batch)
        for number, part in enumerate(parts):
            with contextlib.nullcontext() if number == len(parts) - 1 else machine.no_sync(self.policy):
                loss, terms = self.loss(part or batch[:1])
                # Processes average their gradients. One without samples computes some, which count for nothing.
                machine.backward(loss * (machine.num_processes / count if part else 0))
            if part:
                sums += terms.double().cpu()
        sums = machine.reduce(sums.to(machine.device), "sum").tolist()
        lm, kl, entropy = (value / count for value in sums)
        loss = lm + options.kl * kl - options.entropy * entropy
        norm = float(machine.clip_grad_norm_(self.policy.parameters(), options.max_gradient_norm))
        if not math.isfinite(loss) or not math.isfinite(norm):
            sys.exit(f"the training diverged: loss {loss}, gradient norm {norm}; a lower --lr may help")
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.update()
        return {"loss": loss, "lm": lm, "kl": kl, "entropy": entropy, "gradient_norm": norm, "lr": rate}

    def micro_batches(self, batch):
        """This process's share of a batch. All have as many, some of them empty."""
        machine, size = self.machine, self.options.micro_batch
        own = batch[machine.process_index :: machine.num_processes]
        longest = -(-len(batch) // machine.num_processes)
        return [own[start : start + size] for start in range(0, longest, size)]

    def loss(self, examples):
        device = self.machine.device
        labels = torch.tensor([token for example in examples for token in example.output], device=device)
        reference = self.reference.logarithms(examples, device) if self.reference else None
        return self.policy(*Rows.batch(examples, True, device), labels, reference)

    def update(self):
        """A step of the optimizer, which moves rows with a rate of their own as much farther."""
        if self.own_rows is None:
            self.optimizer.step()
        else:
            weight = self.machine.unwrap_model(self.policy).model.get_input_embeddings().weight.data[self.own_rows :]
            before = weight.clone()
            self.optimizer.step()
            weight.sub_(before).mul_(self.options.conditioning_lr / self.options.lr).add_(before)
        self.optimizer.zero_grad()


def write_model(training, vocabulary, conditioning, options):
    """As `train` does: weights in fp32, the model's own files with what changed, the tokenizer and `plumb.json`."""
    machine = training.machine
    state = machine.get_state_dict(training.policy)
    if not machine.is_main_process:
        return
    source, out = pathlib.Path(options.model), pathlib.Path(options.out)
    model = machine.unwrap_model(training.policy).model
    state = {name.removeprefix("model."): tensor.float() for name, tensor in state.items()}
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out, state_dict=state, max_shard_size=options.shard_size)
    for name in ("generation_config.json", "chat_template.jinja"):
        if (source / name).exists():
            shutil.copyfile(source / name, out / name)
    config = read_json(source / "config.json") | {"vocab_size": vocabulary.rows, "torch_dtype": "float32"}
    config.pop("dtype", None)
    settings = read_json(source / "tokenizer_config.json")
    settings |= {"tokenizer_class": "PreTrainedTokenizerFast"}
    settings.pop("added_tokens_decoder", None)  # tokenizer.json has them
    plumb = {
        "format": 1, "conditioning": conditioning.json,
        "added_tokens": {"classes": vocabulary.classes, "fillers": vocabulary.fillers}}
    vocabulary.tokenizer.save(str(out / "tokenizer.json"))
    for name, content in {"config.json": config, "tokenizer_config.json": settings, "plumb.json": plumb}.items():
        (out / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main():
    options = read_options()
    disable_progress_bar()
    processes = start_processes()

    def log(text):
        if processes.is_main_process:
            print(text, file=sys.stderr, flush=True)

    log(f"{processes.num_processes} processes, {options.dtype}, {processes.device.type}")
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.kl and not options.reference:
        sys.exit("--kl needs --reference")
    conditioning = Conditioning(options)
    model, vocabulary = starting_policy(options, conditioning, log)
    own_rows = None
    if options.conditioning_lr is not None:
        if options.conditioning != "tokens" or not options.train_embeddings:
            sys.exit("--conditioning-lr is for --conditioning tokens, with --train-embeddings true")
        own_rows = min(vocabulary.tokenizer.token_to_id(token) for token in conditioning.prefixes)
        if vocabulary.rows - own_rows != len(conditioning.prefixes):
            sys.exit("--conditioning-lr needs the class tokens to be the last of the vocabulary")
    context = model.config.max_position_embeddings
    examples, counts = read_examples(
        options.rows, vocabulary, conditioning, options, min(options.max_length or context, context), log)
    freeze(model, options)
    kind = str(processes.distributed_type)
    is_sharded = kind.endswith("FSDP")
    if not is_sharded and not kind.endswith(("NO", "MULTI_GPU", "MULTI_CPU")):
        sys.exit(f"{kind} of accelerate is not supported; data parallel processes and FSDP are")
    if is_sharded and own_rows is not None:
        sys.exit("--conditioning-lr needs whole tensors on every process, as without FSDP")
    if options.dtype == "bf16" and not is_sharded:
        shrink_frozen(model)
    if options.gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    reference = Reference(options, vocabulary.base, processes.device) if options.kl else None
    training = Training(options, model, reference, examples, own_rows, processes, log)
    metrics = training.run() | counts
    write_model(training, vocabulary, conditioning, options)
    if processes.is_main_process:
        pathlib.Path(options.metrics).write_text(json.dumps(metrics))
    processes.wait_for_everyone()
    training.checkpoints.remove()


if __name__ == "__main__":
    main()
