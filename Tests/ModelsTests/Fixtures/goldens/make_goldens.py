#!/usr/bin/env python3
"""Golden numbers for the decoder, its backward pass, the losses and AdamW, from PyTorch and transformers.

    python3 -m venv venv && venv/bin/pip install torch transformers safetensors numpy
    venv/bin/python make_goldens.py            # or with names: those models alone

Run on the CPU, one thread, float32 throughout, eager attention. The tests read only what this writes; no
Python is needed to run them. Every file lies beside this script.

Models (Llama family, seeded, weights drawn wide enough that the distributions are far from uniform)
    tied/       vocab 96, hidden 64, 3 layers, 4 heads, 2 key-value heads, head_dim 16, ffn 80, tied head.
                config.json as transformers 5 writes it (`rope_parameters`).
    untied/     vocab 96, hidden 48, 2 layers, 3 heads, 1 key-value head, head_dim 32 (so heads * head_dim
                is 96 and not hidden), ffn 64, own head. config.json in the older form (`rope_theta`).
    mistral/    vocab 96, hidden 48, 2 layers, 6 heads, 2 key-value heads, head_dim 16, ffn 64, tied head, a sliding window of 11:
                token t attends to t-10 ... t.
    gpt2/       GPT-2, vocab 96, hidden 60, 2 layers, 3 heads of 20, ffn 100, 128 learned positions, tied head. Its
                config.json asks for dropout, which evaluation does not apply.
    gpt2-own/   GPT-2, hidden 36, 3 layers, 2 heads of 18, ffn 144 (not stated), own head, gelu by erf, scores
                divided by the layer's number as well; names without `transformer.`, and the causal masks that old
                files hold.
    gptj/       GPT-J, hidden 42, 2 layers, 3 heads of 14 of which 6 turn, ffn 50, own head.
    gptj-tied/  GPT-J, hidden 36, 2 layers, 2 heads of 18 which turn whole, ffn 144 (not stated), gelu by erf, tied head, whose
                bias stays.
    gpt-neox/   GPT-NeoX, hidden 42, 2 layers, 3 heads of 14 of which 6 turn, ffn 50, own head. config.json in the older form
                (`rotary_pct`, `rotary_emb_base`).
    gpt-neox-sequential/  GPT-NeoX, hidden 36, 2 layers, 2 heads of 18 which turn whole, ffn 64, one branch after the other, no
                biases in the attention, tied head. config.json as transformers 5 writes it (`rope_parameters`).
    reference/  vocab 91 = 96 less the 5 added tokens 91...95, hidden 32, 1 layer, tied. Read by `conditional`.

Formulas. x is one sequence of T tokens, z[t] the logits computed from x[0...t], shape [V].

    nll[t]     = -log_softmax(z[t-1])[x[t]]                                  for t = 1 ..< T
    mask[t]    = 1 when token t counts; mask[0] is always 0
    M(v)       = sum of mask[t] * v[t] over all sequences and t / sum of mask   (a mean over tokens)

    language model loss    L = M(nll)

    conditional loss       L = M(nll + b * KL - a * H)
        the policy sees    x = [c] + p + y: conditioning token c (one of the added ones), prompt p, output y
        the reference sees p + y, without c: its logits r are aligned so that r[t-1] predicts the same token
        mask               1 on the tokens of y, else 0
        H[t]               = -sum_v P(v) log P(v), P = softmax(z[t-1]) over all 96 columns
        KL[t]              over the 91 columns both have: the policy's last 5 columns are dropped before its
                           softmax (in KL only), Pk = softmax(z[t-1][:91]), R = softmax(r[t-1])
            direction `reference_policy`:  KL(R || Pk) = sum_v R (log R - log Pk)
            direction `policy_reference`:  KL(Pk || R) = sum_v Pk (log Pk - log R)
        The reference has no gradient.

    AdamW, decoupled weight decay, on every parameter, norms and embeddings too; step k = 1, 2, ...
        w <- w - lr * decay * w
        m <- beta1 * m + (1 - beta1) * g;    v <- beta2 * v + (1 - beta2) * g * g
        w <- w - lr * (m / (1 - beta1^k)) / (sqrt(v / (1 - beta2^k)) + eps)
        No clipping, no schedule. The loss listed for step k is the one before its update; `norms` are the
        2-norms of all parameters after the last step.

    greedy (GPTs alone)    40 tokens, each the largest logit's, after the first 5, 11 and 17 tokens of the sequences;
                           `margin` is the smallest gap to the second largest in any step

Precision: float32 sums of a few dozen to a hundred terms. Another order of summation changes logits by
about 1e-6 and gradients by about 1e-6 of their tensor's norm; see README.md for tolerances that make sense.
"""

import json
import math
import pathlib
import sys

import numpy
import torch
from safetensors.torch import save_file
from transformers import (GPT2Config, GPT2LMHeadModel, GPTJConfig, GPTJForCausalLM, GPTNeoXConfig, GPTNeoXForCausalLM,
                          LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM)
from transformers.utils.logging import disable_progress_bar

HERE = pathlib.Path(__file__).resolve().parent
SHARED = dict(max_position_embeddings=128, attn_implementation="eager", bos_token_id=1, eos_token_id=2,
              hidden_act="silu")
LLAMA = dict(attention_bias=False, mlp_bias=False)
MODELS = {
    "tied": dict(vocab_size=96, hidden_size=64, num_hidden_layers=3, num_attention_heads=4,
                 num_key_value_heads=2, head_dim=16, intermediate_size=80, tie_word_embeddings=True,
                 rms_norm_eps=1e-5, theta=10000.0, seed=11),
    "untied": dict(vocab_size=96, hidden_size=48, num_hidden_layers=2, num_attention_heads=3,
                   num_key_value_heads=1, head_dim=32, intermediate_size=64, tie_word_embeddings=False,
                   rms_norm_eps=1e-6, theta=100000.0, seed=12),
    "mistral": dict(vocab_size=96, hidden_size=48, num_hidden_layers=2, num_attention_heads=6,
                    num_key_value_heads=2, head_dim=16, intermediate_size=64, tie_word_embeddings=True,
                    rms_norm_eps=1e-5, sliding_window=11, theta=10000.0, seed=14),
    "reference": dict(vocab_size=91, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                      num_key_value_heads=1, head_dim=16, intermediate_size=48, tie_word_embeddings=True,
                      rms_norm_eps=1e-5, theta=10000.0, seed=13),
}
GPTS = {
    "gpt2": dict(vocab_size=96, n_embd=60, n_layer=2, n_head=3, n_inner=100, seed=15),
    "gpt2-own": dict(vocab_size=96, n_embd=36, n_layer=3, n_head=2, tie_word_embeddings=False,
                     activation_function="gelu", scale_attn_by_inverse_layer_idx=True, seed=16),
    "gptj": dict(vocab_size=96, n_embd=42, n_layer=2, n_head=3, n_inner=50, rotary_dim=6, seed=17),
    "gptj-tied": dict(vocab_size=96, n_embd=36, n_layer=2, n_head=2, rotary_dim=18, tie_word_embeddings=True,
                      activation_function="gelu", seed=18),
    "gpt-neox": dict(vocab_size=96, hidden_size=42, num_hidden_layers=2, num_attention_heads=3, intermediate_size=50,
                     rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.45},
                     seed=19),
    "gpt-neox-sequential": dict(
        vocab_size=96, hidden_size=36, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        rope_parameters={"rope_type": "default", "rope_theta": 500.0, "partial_rotary_factor": 1.0},
        use_parallel_residual=False, attention_bias=False, hidden_act="gelu_new", tie_word_embeddings=True, seed=20),
}
GPT_SHARED = dict(bos_token_id=1, eos_token_id=2)
GPT_CLASSES = {"gpt2": (GPT2Config, GPT2LMHeadModel), "gptj": (GPTJConfig, GPTJForCausalLM),
               "gpt-neox": (GPTNeoXConfig, GPTNeoXForCausalLM)}
GREEDY = ((0, 5), (1, 11), (2, 17))  # sequence, length of its beginning
LENGTHS = (5, 17, 40)
KL, ENTROPY = 0.3, 0.2
ADAM = dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
STEPS = 10


def build(name):
    fields = dict(MODELS[name])
    seed, theta = fields.pop("seed"), fields.pop("theta")
    mistral = name == "mistral"
    own = {} if mistral else LLAMA
    config = (MistralConfig if mistral else LlamaConfig)(
        **fields, **SHARED, **own, rope_parameters={"rope_type": "default", "rope_theta": theta})
    family = MistralForCausalLM if mistral else LlamaForCausalLM
    model = family(config).float().eval()
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=draw)
            if weight.ndim == 1:
                weight.copy_(1 + 0.2 * noise)  # norm gains
            elif "embed_tokens" in key:
                weight.copy_(0.25 * noise)
            else:
                weight.copy_(1.2 * noise / math.sqrt(weight.shape[1]))
    directory = HERE / name
    directory.mkdir(exist_ok=True)
    write_tensors(directory / "model.safetensors", dict(model.named_parameters()))
    description = {
        "architectures": [family.__name__], "model_type": config.model_type, "hidden_act": "silu",
        **own, "bos_token_id": 1, "eos_token_id": 2,
        "max_position_embeddings": 128, **fields,
    }
    if name == "untied":
        description |= {"torch_dtype": "float32", "rope_theta": theta, "rope_scaling": None}
    else:
        description |= {"dtype": "float32", "rope_parameters": {"rope_theta": theta, "rope_type": "default"}}
    (directory / "config.json").write_text(json.dumps(description, indent=2, sort_keys=True) + "\n")
    # What is on disk is what is measured.
    loaded = family.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager")
    assert loaded.config.rope_parameters["rope_theta"] == theta
    return loaded.eval()


def build_gpt(name):
    fields = dict(GPTS[name])
    seed = fields.pop("seed")
    configuration, family = next(pair for prefix, pair in GPT_CLASSES.items() if name.startswith(prefix))
    neox = family is GPTNeoXForCausalLM
    shared = GPT_SHARED | (dict(max_position_embeddings=128, layer_norm_eps=1e-5) if neox
                           else dict(n_positions=128, layer_norm_epsilon=1e-5))
    model = family(configuration(**fields, **shared, attn_implementation="eager")).float().eval()
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=draw)
            if key.endswith("bias"):
                weight.copy_(0.2 * noise)
            elif weight.ndim == 1:
                weight.copy_(1 + 0.2 * noise)
            elif any(table in key for table in ("wte", "wpe", "embed_in")):
                weight.copy_(0.25 * noise)
            else:  # GPT-2's are [inputs, outputs], but for a head of its own
                inputs = weight.shape[0 if family is GPT2LMHeadModel and "lm_head" not in key else 1]
                weight.copy_(1.2 * noise / math.sqrt(inputs))
    directory = HERE / name
    directory.mkdir(exist_ok=True)
    tensors = {file_name(model, key): weight for key, weight in model.named_parameters()}
    if name == "gpt2-own":
        tensors = {key.removeprefix("transformer."): weight for key, weight in tensors.items()}
        for layer in range(fields["n_layer"]):
            mask = torch.tril(torch.ones(128, 128)).reshape(1, 1, 128, 128)
            tensors[f"h.{layer}.attn.bias"] = mask[:, :, :8, :8]
            tensors[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    write_tensors(directory / "model.safetensors", tensors)
    description = {"architectures": [family.__name__], "model_type": configuration.model_type, "torch_dtype": "float32"}
    if neox:
        description |= {"attention_dropout": 0.0, "hidden_dropout": 0.1, "hidden_act": "gelu"}
    else:
        description |= {"n_ctx": 128, "attn_pdrop": 0.1, "embd_pdrop": 0.1, "resid_pdrop": 0.1,
                        "summary_type": "cls_index", "activation_function": "gelu_new"}
    if name == "gpt-neox":  # the older form
        rotary = fields.pop("rope_parameters")
        description |= {"rotary_emb_base": 10000, "rotary_pct": rotary["partial_rotary_factor"]}
    description |= shared | fields
    (directory / "config.json").write_text(json.dumps(description, indent=2, sort_keys=True) + "\n")
    if name == "gpt2-own":
        return model
    # What is on disk is what is measured.
    loaded, report = family.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager",
                                            output_loading_info=True)
    assert not any(report.values()), report
    return loaded.eval()


def file_name(model, key):
    """What a file calls a parameter: GPT-NeoX's head has its older name there."""
    return key.replace("lm_head.", "embed_out.") if isinstance(model, GPTNeoXForCausalLM) else key


def greedy(model, batch):
    items = []
    for index, length in GREEDY:
        tokens, margin = batch[index]["tokens"][:length], math.inf
        for _ in range(40):
            with torch.no_grad():
                best = model(torch.tensor([tokens])).logits[0, -1].topk(2)
            margin = min(margin, float(best.values[0] - best.values[1]))
            tokens = tokens + [int(best.indices[0])]
        items.append({"prompt": tokens[:length], "tokens": tokens[length:], "margin": round(margin, 5)})
    return items


def write_tensors(path, tensors):
    save_file({k: v.detach().float().contiguous().clone() for k, v in sorted(tensors.items())}, path,
              metadata={"format": "pt"})
    path.chmod(0o644)


def numbers(tensor):
    return [float(repr(numpy.float32(x)).removeprefix("np.float32(").removesuffix(")"))
            for x in tensor.detach().float().flatten().tolist()]


def sequences():
    draw = numpy.random.default_rng(7)
    result = []
    for length in LENGTHS:
        tokens = draw.integers(3, 91, size=length).tolist()
        mask = [0] + [int(x) for x in draw.integers(0, 4, size=length - 1) > 0]
        if length == LENGTHS[0]:
            mask = [0] + [1] * (length - 1)
        result.append({"tokens": tokens, "mask": mask})
    return result


def token_nll(model, tokens):
    logits = model(torch.tensor([tokens])).logits[0]
    logp = torch.log_softmax(logits[:-1], dim=-1)
    return logits, -logp.gather(1, torch.tensor(tokens[1:])[:, None])[:, 0]


def language_loss(model, batch):
    total, count = 0.0, 0
    for item in batch:
        _, nll = token_nll(model, item["tokens"])
        mask = torch.tensor(item["mask"][1:], dtype=torch.float32)
        total = total + (nll * mask).sum()
        count += int(mask.sum())
    return total / count


def conditional_batch(batch):
    """The same tokens as prompt + output, conditioned on the added tokens 91, 93, 95."""
    items = []
    for index, item in enumerate(batch):
        tokens = item["tokens"]
        prompt = max(1, len(tokens) // 3)
        items.append({"conditioning": 91 + 2 * index, "prompt": tokens[:prompt], "output": tokens[prompt:]})
    return items


def conditional_loss(model, reference, items, direction):
    totals = {"nll": 0.0, "kl": 0.0, "entropy": 0.0}
    count = 0
    for item in items:
        plain = item["prompt"] + item["output"]
        policy = model(torch.tensor([[item["conditioning"]] + plain])).logits[0]
        with torch.no_grad():
            guide = reference(torch.tensor([plain])).logits[0]
        first = len(item["prompt"])
        # Logits that predict the output tokens: one position later in the policy, which has the conditioning.
        policy, guide = policy[first:-1], guide[first - 1:-1]
        target = torch.tensor(item["output"])
        logp = torch.log_softmax(policy, dim=-1)
        shared = torch.log_softmax(policy[:, :guide.shape[1]], dim=-1)
        other = torch.log_softmax(guide, dim=-1)
        if direction == "reference_policy":
            kl = (other.exp() * (other - shared)).sum(-1)
        else:
            kl = (shared.exp() * (shared - other)).sum(-1)
        totals["nll"] = totals["nll"] - logp.gather(1, target[:, None]).sum()
        totals["kl"] = totals["kl"] + kl.sum()
        totals["entropy"] = totals["entropy"] - (logp.exp() * logp).sum()
        count += len(target)
    means = {key: value / count for key, value in totals.items()}
    return means["nll"] + KL * means["kl"] - ENTROPY * means["entropy"], means


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {file_name(model, key): weight.grad.clone() for key, weight in model.named_parameters()}


def adam_losses(model, compute):
    start = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = torch.optim.AdamW(model.parameters(), foreach=False, fused=False, **ADAM)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = compute()
        loss.backward()
        losses.append(loss)
        optimizer.step()
    norms = {key: numbers(weight.norm())[0] for key, weight in sorted(model.named_parameters())}
    model.load_state_dict(start)
    return {"losses": numbers(torch.stack(losses)), "norms": norms}


def main():
    disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    wanted = sys.argv[1:] or [*MODELS, *GPTS]
    models = {name: build_gpt(name) if name in GPTS else build(name) for name in wanted}
    reference = models.get("reference")
    batch = sequences()
    items = conditional_batch(batch)
    for name in wanted:
        if name == "reference":
            continue
        model, directory = models[name], HERE / name
        logits, golden = {}, {"sequences": []}
        for index, item in enumerate(batch):
            z, nll = token_nll(model, item["tokens"])
            logits[f"logits.{index}"] = z
            golden["sequences"].append(item | {"logprobs": numbers(-nll)})
        write_tensors(directory / "logits.safetensors", logits)
        loss = language_loss(model, batch)
        golden["loss"] = numbers(loss)[0]
        write_tensors(directory / "gradients.safetensors", gradients(model, loss))
        golden["adamw"] = {
            "lr": ADAM["lr"], "beta1": ADAM["betas"][0], "beta2": ADAM["betas"][1], "eps": ADAM["eps"],
            "weight_decay": ADAM["weight_decay"],
            "language_model": adam_losses(model, lambda: language_loss(model, batch)),
        }
        if name in GPTS:
            golden["greedy"] = greedy(model, batch)
        if name == "tied":
            conditional = {"kl_coefficient": KL, "entropy_coefficient": ENTROPY, "items": items}
            for direction in ("reference_policy", "policy_reference"):
                loss, means = conditional_loss(model, reference, items, direction)
                conditional[direction] = {"loss": numbers(loss)[0]} | {k: numbers(v)[0] for k, v in means.items()}
                write_tensors(directory / f"gradients.{direction}.safetensors", gradients(model, loss))
                golden["adamw"]["conditional_" + direction] = adam_losses(
                    model, lambda: conditional_loss(model, reference, items, direction)[0])
            golden["conditional"] = conditional
        (directory / "goldens.json").write_text(dump(golden) + "\n")
        print(name, "loss", golden["loss"], "adamw", golden["adamw"]["language_model"]["losses"])
        if name == "tied":
            print({k: v for k, v in golden["conditional"].items() if k != "items"})


def dump(value, indent=0):
    """Indented, but a list of numbers stays on one line."""
    pad = "  " * (indent + 1)
    if isinstance(value, dict):
        inner = ",\n".join(f"{pad}{json.dumps(k)}: {dump(v, indent + 1)}" for k, v in value.items())
        return "{\n" + inner + "\n" + "  " * indent + "}"
    if isinstance(value, list) and any(isinstance(x, (dict, list)) for x in value):
        return "[\n" + ",\n".join(pad + dump(x, indent + 1) for x in value) + "\n" + "  " * indent + "]"
    return json.dumps(value)


if __name__ == "__main__":
    main()
