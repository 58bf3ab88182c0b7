"""experiment_peer.py MODEL ROWS OUT: the quickstart as a user would write it with transformers and PyTorch, in one process.

MODEL is a Hugging Face directory; ROWS holds the prompts that our run drew, a folder for `valid` and for each iteration; each
trained model is saved to OUT. Prints one JSON object: the seconds of each stage, its tokens, and what came of it.

With --dtype bf16 models sample and score in bf16 and train under autocast, with weights and moments in fp32.
"""

import argparse
import contextlib
import copy
import json
import math
import os
import random
import resource
import time

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

import quickstart as q

LABELS_IGNORED = -100


class Experiment:
    def __init__(self, options):
        self.options, self.seconds, self.tokens, self.results = options, {}, {}, {}
        self.dtype = torch.bfloat16 if options.dtype == "bf16" else torch.float32
        self.tokenizer = AutoTokenizer.from_pretrained(options.model, padding_side="left")
        self.policy = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
        self.start = self.at_work(copy.deepcopy(self.policy))
        self.label_ids = [self.ids(label)[0] for label in q.LABELS]

    def run(self):
        valid = q.read_prompts(self.options.rows, "valid")
        generations = self.timed("before", self.sample, self.start, valid, valid, q.SAMPLES_BEFORE)
        rewards = self.timed("before_score", self.score, generations)
        self.timed("before_evaluate", self.evaluate, generations, rewards)
        for iteration in range(1, self.options.iterations + 1):
            prompts = q.read_prompts(self.options.rows, str(iteration))
            # A model that was never conditioned samples without condition.
            conditioned = prompts if iteration == 1 else list(map(q.best, prompts))
            generations = self.timed(f"{iteration}.sample", self.sample, self.policy, prompts, conditioned, self.options.samples)
            rewards = self.timed(f"{iteration}.score", self.score, generations)
            pooled = self.timed(f"{iteration}.pool", self.pool, generations, rewards)
            self.timed(f"{iteration}.train", self.train, pooled, iteration)
            generations = self.timed(
                f"{iteration}.answer", self.sample, self.policy, valid, list(map(q.best, valid)), q.SAMPLES_BEFORE)
            rewards = self.timed(f"{iteration}.judge", self.score, generations)
            self.timed(f"{iteration}.evaluate", self.evaluate, generations, rewards)

    def timed(self, stage, work, *arguments):
        start = time.perf_counter()
        self.stage = stage
        result = work(*arguments)
        self.seconds[stage] = time.perf_counter() - start
        return result

    def at_work(self, model):
        """For sampling and scoring."""
        return (model if model.dtype == self.dtype else copy.deepcopy(model).to(self.dtype)).eval()

    def ids(self, text):
        return self.tokenizer(text, add_special_tokens=False).input_ids

    @torch.inference_mode()
    def sample(self, model, prompts, conditioned, count):
        """Triples of a prompt, a generation and its number of tokens."""
        model = self.at_work(model)
        order = sorted(range(len(prompts)), key=lambda index: len(conditioned[index]))
        together = max(1, self.options.sampled_together // count)
        generations, tokens = [None] * len(prompts), 0
        for first in range(0, len(order), together):
            part = order[first:first + together]
            given = self.tokenizer([conditioned[index] for index in part], return_tensors="pt", padding=True)
            drawn = model.generate(
                **given, do_sample=True, temperature=q.TEMPERATURE, top_p=q.TOP_P, top_k=0, num_return_sequences=count,
                max_new_tokens=self.options.tokens, stop_strings=q.STOP, tokenizer=self.tokenizer,
                pad_token_id=self.tokenizer.pad_token_id)[:, given.input_ids.shape[1]:]
            lengths = (drawn != self.tokenizer.pad_token_id).sum(1).tolist()
            texts = [q.until_stop(text)[0] for text in self.tokenizer.batch_decode(drawn, skip_special_tokens=True)]
            for place, index in enumerate(part):
                own = range(place * count, (place + 1) * count)
                generations[index] = [(prompts[index], texts[row], lengths[row]) for row in own]
            tokens += sum(lengths)
        self.tokens[self.stage] = tokens
        return [generation for own in generations for generation in own]

    def batches(self, texts, size):
        """Indices of texts of similar length, which are lists of ids, and the batch that they make."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for first in range(0, len(order), size):
            part = order[first:first + size]
            yield part, self.tokenizer.pad({"input_ids": [texts[index] for index in part]}, return_tensors="pt")

    @torch.inference_mode()
    def score(self, generations):
        """The probability of the first label."""
        texts = self.tokenizer([q.QUESTION.format(prompt=prompt, generation=text) for prompt, text, _ in generations]).input_ids
        self.tokens[self.stage] = sum(map(len, texts))
        rewards = [None] * len(texts)
        for part, batch in self.batches(texts, self.options.scored_together):
            # Padded on the left, so that the head reads the last token alone.
            logits = self.start(**batch, logits_to_keep=1).logits[:, 0, self.label_ids]
            for index, reward in zip(part, logits.float().softmax(1)[:, 0].tolist()):
                rewards[index] = reward
        return rewards

    @staticmethod
    def pool(generations, rewards):
        """Pairs of a generation and its class, 0 the best: of each prompt the same number of each class, rather such that end early."""
        order = sorted(range(len(rewards)), key=lambda index: -rewards[index])
        share, rest = divmod(len(order), q.CLASSES)
        sizes = [share + (k < rest) for k in range(q.CLASSES)]
        classes = {index: k for k in range(q.CLASSES) for index in order[sum(sizes[:k]):sum(sizes[:k + 1])]}
        groups = {}
        for index, generation in enumerate(generations):
            groups.setdefault((generation[0], classes[index]), []).append(generation)
        most = max(length for _, _, length in generations)
        pooled = []
        for (_, k), own in groups.items():
            random.shuffle(own)
            pooled += [(generation, k) for generation in sorted(own, key=lambda generation: generation[2] >= most)[:q.PER_CLASS]]
        return pooled

    def train(self, pooled, iteration):
        model, tokenizer = self.policy, self.tokenizer
        if tokenizer.convert_tokens_to_ids(q.CLASS_TOKENS[0]) in (None, tokenizer.unk_token_id):
            tokenizer.add_special_tokens({"additional_special_tokens": q.CLASS_TOKENS})
            words = torch.stack([model.get_input_embeddings().weight.data[self.ids(word)].mean(0) for word in q.WORDS])
            model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
            model.get_input_embeddings().weight.data[-q.CLASSES:] = words
        examples = []
        for (prompt, text, _), k in pooled:
            given = self.ids(q.OPENING + q.CLASS_TOKENS[k] + prompt)
            wanted = self.ids(text) + ([tokenizer.eos_token_id] if q.until_stop(text)[1] else [])
            examples.append((given + wanted, [LABELS_IGNORED] * len(given) + wanted))
        random.shuffle(examples)
        self.tokens[self.stage] = sum(len(ids) for ids, _ in examples)
        model.train()
        optimizer = torch.optim.AdamW(model.parameters(), lr=self.options.lr, weight_decay=0, fused=True)
        steps = math.ceil(len(examples) / q.BATCH)
        warmup = math.ceil(q.WARMUP * steps) if steps > 1 else 0
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: step / warmup if step < warmup else (steps - step) / max(1, steps - warmup))
        precision = torch.autocast("cpu", dtype=torch.bfloat16) if self.dtype == torch.bfloat16 else contextlib.nullcontext()
        classes = model.get_input_embeddings().weight.data[-q.CLASSES:]
        losses = []
        for step in range(steps):
            batch = examples[step * q.BATCH:(step + 1) * q.BATCH]
            longest = max(len(ids) for ids, _ in batch)
            ids = torch.tensor([ids + [tokenizer.pad_token_id] * (longest - len(ids)) for ids, _ in batch])
            labels = torch.tensor([labels + [LABELS_IGNORED] * (longest - len(labels)) for _, labels in batch])
            mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in batch])
            with precision:
                loss = model(input_ids=ids, attention_mask=mask, labels=labels, use_cache=False).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), q.CLIP)
            before = classes.clone()
            optimizer.step()
            # A learning rate of their own for rows of a tensor: they move as much farther.
            classes.sub_(before).mul_(q.CONDITIONING_LR / self.options.lr).add_(before)
            schedule.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        folder = os.path.join(self.options.out, str(iteration))
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        self.results[self.stage] = {"samples": len(examples), "steps": steps, "loss": losses[-1]}

    @torch.inference_mode()
    def evaluate(self, generations, rewards):
        """The mean reward, the mean perplexity under the start model, and distinct n-grams."""
        given = [self.ids(prompt) for prompt, _, _ in generations]
        wanted = [self.ids(text) for _, text, _ in generations]
        texts = [first + second for first, second in zip(given, wanted)]
        self.tokens[self.stage] = sum(map(len, texts))
        perplexities = []
        for part, batch in self.batches(texts, self.options.scored_together):
            # Padded on the left: the generation's tokens are the last ones.
            most = max(len(wanted[index]) for index in part)
            logits = self.start(**batch, logits_to_keep=most + 1).logits[:, :-1].float()
            losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), batch["input_ids"][:, -most:], reduction="none")
            for index, row in zip(part, losses):
                if wanted[index]:
                    perplexities.append(row[-len(wanted[index]):].mean().exp().item())
        result = {"reward": sum(rewards) / len(rewards), "perplexity": sum(perplexities) / len(perplexities)}
        words = [text.split() for _, text, _ in generations]
        for n in (1, 2, 3):
            grams = {tuple(own[i:i + n]) for own in words for i in range(len(own) - n + 1)}
            result[f"distinct_{n}"] = len(grams) / max(1, sum(map(len, words)))
        self.results[self.stage] = result


def main():
    begun = time.perf_counter()
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("model", "rows", "out"):
        arguments.add_argument(name)
    arguments.add_argument("--dtype", choices=["bf16", "fp32"], default="bf16")
    arguments.add_argument("--iterations", type=int, default=2)
    arguments.add_argument("--samples", type=int, default=9)
    arguments.add_argument("--tokens", type=int, default=12)
    arguments.add_argument("--lr", type=float, default=6e-5)
    arguments.add_argument("--sampled-together", type=int, default=144, help="sequences of a batch that is sampled")
    arguments.add_argument("--scored-together", type=int, default=32, help="texts of a batch that is scored")
    arguments.add_argument("--threads", type=int)
    options = arguments.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    disable_progress_bar()
    torch.manual_seed(42)
    random.seed(42)
    experiment = Experiment(options)
    loaded = time.perf_counter() - begun
    experiment.run()
    print(json.dumps({
        "seconds": {"load": loaded, **experiment.seconds}, "tokens": experiment.tokens, "results": experiment.results,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
