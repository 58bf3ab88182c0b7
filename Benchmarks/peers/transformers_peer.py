"""transformers_peer.py MODEL WORKLOAD: what a user would run instead, in PyTorch and transformers.

Takes a line on stdin for each time and answers {"seconds", "cpu"}, then {"peak_bytes"} at the end of input, as EngineBench does.
MODEL is a Hugging Face directory; the workload's `mode` is fp32 or bf16.
"""
import contextlib
import json
import resource
import sys
import time

import torch
from transformers import AutoModelForCausalLM

LABELS_IGNORED = -100
SCORED_TOGETHER = 8


def main():
    path, workload = sys.argv[1], json.loads(sys.argv[2])
    torch.set_num_threads(workload.get("threads", 2))
    torch.manual_seed(0)
    work = {"gemm": product, "sample": sampling, "score": scoring, "train": training}[workload["kind"]](path, workload)
    for _ in sys.stdin:
        start, used = time.perf_counter(), time.process_time()
        measured = work()
        wall = time.perf_counter() - start
        print(json.dumps({"seconds": measured or wall, "cpu": time.process_time() - used}), flush=True)
    print(json.dumps({"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)


def model(path, dtype):
    return AutoModelForCausalLM.from_pretrained(path, dtype=dtype)


def dtype(workload):
    return torch.bfloat16 if workload.get("mode", "bf16") == "bf16" else torch.float32


def product(path, workload):
    m, n, k = workload["m"], workload["n"], workload["k"]
    layer = torch.nn.Linear(k, n, bias=False, dtype=dtype(workload))
    x = torch.randn(m, k, dtype=dtype(workload))
    calls = max(1, int(4e9 / (2 * m * n * k)))

    def work():
        start = time.perf_counter()
        with torch.inference_mode():
            for _ in range(calls):
                layer(x)
        return (time.perf_counter() - start) / calls

    return work


def sampling(path, workload):
    net = model(path, dtype(workload)).eval()
    net.generation_config.eos_token_id = None
    new, length, samples = workload["new"], workload["length"], workload["samples"]
    prompts = torch.randint(100, 49000, (workload["prompts"], length)).repeat_interleave(samples, 0)

    def work():
        with torch.inference_mode():
            out = net.generate(
                prompts, attention_mask=torch.ones_like(prompts), max_new_tokens=new, min_new_tokens=new,
                do_sample=True, temperature=0.9, top_p=0.9, top_k=0, pad_token_id=0, eos_token_id=None)
        assert out.shape[1] == length + new

    return work


def padded(rows):
    """Random tokens of these lengths, padded on the right; what is given carries no label."""
    longest = max(given + wanted for given, wanted in rows)
    tokens = torch.zeros(len(rows), longest, dtype=torch.long)
    labels = torch.full_like(tokens, LABELS_IGNORED)
    mask = torch.zeros_like(tokens)
    for i, (given, wanted) in enumerate(rows):
        tokens[i, :given + wanted] = torch.randint(100, 49000, (given + wanted,))
        labels[i, given:given + wanted] = tokens[i, given:given + wanted]
        mask[i, :given + wanted] = 1
    return tokens, mask, labels


def scoring(path, workload):
    net = model(path, dtype(workload)).eval()
    # Sorted by length, so that there is as little padding as a careful user would have.
    rows = sorted(workload["rows"], key=sum)
    batches = [padded(rows[i:i + SCORED_TOGETHER]) for i in range(0, len(rows), SCORED_TOGETHER)]

    def work():
        with torch.inference_mode():
            for tokens, mask, labels in batches:
                logits = net(input_ids=tokens, attention_mask=mask).logits[:, :-1]
                torch.nn.functional.cross_entropy(
                    logits.float().flatten(0, 1), labels[:, 1:].flatten(), reduction="none",
                    ignore_index=LABELS_IGNORED)

    return work


def training(path, workload):
    net = model(path, torch.float32).train()
    net.config.use_cache = False
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-6, fused=True)
    tokens, mask, labels = padded(workload["rows"])
    precision = (lambda: torch.autocast("cpu", dtype=torch.bfloat16)) if dtype(workload) == torch.bfloat16 \
        else contextlib.nullcontext

    def work():
        with precision():
            loss = net(input_ids=tokens, attention_mask=mask, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return work


if __name__ == "__main__":
    main()
