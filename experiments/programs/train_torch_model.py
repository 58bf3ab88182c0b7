"""The models of train_torch.py: a policy with its vocabulary and what of it trains, its objective, a reference."""

import contextlib
import math
import re
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from train_torch_rows import Vocabulary, normal_numbers

# In the names of a block's tensors, with its number.
BLOCK = re.compile(r"\.(?:h|layers)\.(\d+)\.")


def load_model(folder):
    """In fp32, without dropout."""
    config = AutoConfig.from_pretrained(folder)
    for name in list(config.to_dict()):
        if name.endswith(("_pdrop", "dropout")):
            setattr(config, name, 0.0)
    config.use_cache = False
    return AutoModelForCausalLM.from_pretrained(folder, config=config, dtype=torch.float32)


def set_vocabulary(model, rows, seed):
    """Cuts the embedding and the head to so many rows, or gives them new ones: of the embedding, normal numbers with each column's
    mean and deviation, of the head with 0.02. Source: ALT's code (2024)."""
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    old, width = embedding.weight.shape
    numbers = normal_numbers(seed)
    new = torch.empty(max(0, rows - old), width, dtype=torch.float64)
    if len(new):
        table = embedding.weight.data.double()
        means = table.mean(0)
        deviations = (table.square().mean(0) - means.square()).clamp(min=0).sqrt()
        for column in range(width):
            for row in range(len(new)):
                new[row, column] = means[column].item() + deviations[column].item() * next(numbers)
    is_tied = head.weight is embedding.weight
    embedding.weight = torch.nn.Parameter(torch.cat([embedding.weight.data[:rows], new.float()]))
    if is_tied:
        head.weight = embedding.weight
    else:
        for row in range(len(new)):
            for column in range(width):
                new[row, column] = 0.02 * next(numbers)
        head.weight = torch.nn.Parameter(torch.cat([head.weight.data[:rows], new.float()]))
    if head.bias is not None:
        head.bias = torch.nn.Parameter(torch.cat([head.bias.data[:rows], torch.zeros(len(new))]))
    embedding.num_embeddings = head.out_features = model.config.vocab_size = rows


def starting_policy(options, conditioning, log):
    vocabulary, model = Vocabulary(options.model), load_model(options.model)
    vocabulary.rows = model.get_input_embeddings().weight.shape[0]
    if options.vocabulary == "tokenizer" and vocabulary.count < vocabulary.rows:
        vocabulary.rows = vocabulary.count
        set_vocabulary(model, vocabulary.rows, options.seed)
    if options.conditioning == "tokens":
        if options.words and len(options.words) != options.classes:
            sys.exit(f"--words has {len(options.words)} entries for {options.classes} classes; expected one for each")
        added = vocabulary.add(conditioning.prefixes)
        if added:
            log(f"added {len(added)} tokens: {' '.join(added)}")
            set_vocabulary(model, vocabulary.rows, options.seed)
        for token, words in zip(conditioning.prefixes, options.words or []):
            if token in added:
                weight = model.get_input_embeddings().weight.data
                ids = vocabulary.encode([(words, True)], goes_on=True)
                weight[vocabulary.tokenizer.token_to_id(token)] = weight[ids].double().mean(0).float()
    return model, vocabulary


def freeze(model, options):
    """All but the last blocks and, with `--train-embeddings false`, all that knows the vocabulary or positions."""
    blocks = model.config.num_hidden_layers
    first = blocks - math.floor(options.unfrozen_ratio * blocks)
    modules = [model.get_input_embeddings(), model.get_output_embeddings(), getattr(model.base_model, "wpe", None)]
    vocabulary = {id(parameter) for module in modules if module is not None for parameter in module.parameters()}
    for name, parameter in model.named_parameters():
        block = BLOCK.search("." + name)
        trains = int(block[1]) >= first if block else options.train_embeddings or id(parameter) not in vocabulary
        parameter.requires_grad_(trains)


def shrink_frozen(model):
    """Keeps frozen matrices of blocks in 16 bits where these hold the same numbers: what is computed of them is in bf16 anyway."""
    for name, parameter in model.named_parameters():
        if parameter.dim() == 2 and not parameter.requires_grad and BLOCK.search("." + name):
            for dtype in (torch.bfloat16, torch.float16):
                small = parameter.data.to(dtype)
                if torch.equal(small.float(), parameter.data):
                    parameter.data = small
                    break


class Rows:
    """The language head's logits at rows of a model's hidden states: those before each token of an output."""

    @staticmethod
    def batch(examples, conditioned, device):
        """Ids padded at the right, their mask, and where the rows are."""
        contexts = [example.context if conditioned else example.unconditioned for example in examples]
        texts = [context + example.output[:-1] for context, example in zip(contexts, examples)]
        longest = max(map(len, texts))
        ids = torch.tensor([text + [0] * (longest - len(text)) for text in texts], device=device)
        mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts], device=device)
        places = [
            (number, place)
            for number, (text, context) in enumerate(zip(texts, contexts))
            for place in range(len(context) - 1, len(text))
        ]
        return ids, mask, torch.tensor(places, device=device).unbind(1)

    @staticmethod
    def logits(model, ids, mask, places):
        hidden = model.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
        return model.get_output_embeddings()(hidden[places]).float()


class Policy(torch.nn.Module):
    """A model whose forward pass ends in the sums of the objective's terms over the targets of a batch."""

    def __init__(self, model, options):
        super().__init__()
        self.model, self.options = model, options

    def forward(self, ids, mask, places, labels, reference):
        options = self.options
        with torch.autocast(ids.device.type, torch.bfloat16, enabled=options.dtype == "bf16"):
            logits = Rows.logits(self.model, ids, mask, places)
        logarithms = logits.log_softmax(-1)
        lm = -logarithms.gather(1, labels[:, None]).sum()
        with contextlib.nullcontext() if options.entropy else torch.no_grad():
            entropy = -(logarithms.exp() * logarithms).sum()
        kl = torch.zeros_like(lm)
        if reference is not None:
            ours = logits[:, : reference.shape[1]].log_softmax(-1)
            first, second = (reference, ours) if options.kl_direction == "reference_policy" else (ours, reference)
            kl = (first.exp() * (first - second)).sum()
        return lm + options.kl * kl - options.entropy * entropy, torch.stack([lm, kl, entropy]).detach()


class Reference:
    """The model that the policy is compared with, whole on every device."""

    def __init__(self, options, base_rows, device):
        model = load_model(options.reference).to(device, torch.bfloat16 if options.dtype == "bf16" else torch.float32)
        self.model = model.eval().requires_grad_(False)
        self.columns = min(base_rows, Vocabulary(options.reference).base)
        self.conditioned = options.reference_conditioning == "keep"

    @torch.no_grad()
    def logarithms(self, examples, device):
        return Rows.logits(self.model, *Rows.batch(examples, self.conditioned, device))[:, : self.columns].log_softmax(-1)
