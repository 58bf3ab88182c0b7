// What `check` says of experiments that would fail only after work: each mistake once, at its place.

import JSON
import Models
import Runner
import Stages
import System
import Testing
import TinyModel

@Suite struct StageCheckTests {
  /// Right as it stands; each case changes one thing.
  static let whole = """
    version: 1
    name: x
    models: {m: {path: sft}, rm: {path: reward}, five: {path: five}, values: {path: values}, labels: {path: labels}}
    stages:
      rows: {uses: data, with: {path: train.jsonl}}
      s: {uses: sample, in: {model: m, prompts: rows}, with: {n: 4, max_new_tokens: 4}}
      sc: {uses: score, in: {model: m, rows: s}, with: {scorer: {kind: choice, template: "{prompt}{generation} Good? ", labels: ["yes", "no"], reward: "yes"}}}
      q: {uses: quantize, in: {rows: sc}, with: {classes: 3}}
      p: {uses: pool, in: {rows: q}}
      t: {uses: train, in: {model: m, rows: p}, with: {lr: 1e-4, conditioning: {kind: tokens, classes: 3}}}
      again: {uses: sample, in: {model: t.model, prompts: rows}, with: {max_new_tokens: 4, condition: {class: 2}}}
      e: {uses: evaluate, in: {rows: sc, reference: m}}
    metrics: {reward: e.reward, loss: t.loss}

    """

  func bench() throws -> CheckBench {
    let bench = try CheckBench()
    try bench.model("reward") { $0.head = TinyModel.rewardHead }
    try bench.model("values") { $0.head = .value }
    try bench.model("labels") { $0.head = .classification(labels: ["bad", "good"]) }
    try bench.model("five") {
      $0.plumb = [
        "format": 1,
        "conditioning": ["kind": "tokens", "prefixes": ["a", "b", "c", "d", "e"]],
      ]
    }
    return bench
  }

  static let cases: [(old: String, new: String, expected: [String])] = [
    ("", "", []),
    // Markers of special tokens.
    (
      "{path: train.jsonl}", "{path: train.jsonl, prompt: \"<|im_start|>{prompt}<|nobody|>\"}",
      [
        "warning[unread-marker] at 6 \"rows\": stage `s`: `<|nobody|>` is not a token of the model at `model`, which reads it as 7 tokens of ordinary text",
        "warning[unread-marker] at 11 \"rows\": stage `again`: `<|nobody|>` is not a token of the model at `model`, which reads it as 7 tokens of ordinary text",
      ]
    ),
    (
      "max_new_tokens: 4}", "max_new_tokens: 4, condition: {text: \"[INST]\"}}",
      [
        "warning[unread-marker] at 6 \"\"[INST]\"\": stage `s`: `[INST]` is not a token of the model at `model`, which reads it as 6 tokens of ordinary text"
      ]
    ),
    // Heads and labels.
    (
      "model: m, prompts", "model: values, prompts",
      [
        "error[wrong-model] at 6 \"values\": stage `s`: input `model` needs a language model, but this is a reward model with a value head: it has the tensor `v_head.weight`"
      ]
    ),
    (
      "{model: m, rows: s}, with: {scorer: {kind: choice, template: \"{prompt}{generation} Good? \", labels: [\"yes\", \"no\"], reward: \"yes\"}}",
      "{model: values, rows: s}, with: {scorer: {kind: reward}}",
      []
    ),
    (
      "{model: m, rows: s}, with: {scorer: {kind: choice, template: \"{prompt}{generation} Good? \", labels: [\"yes\", \"no\"], reward: \"yes\"}}",
      "{model: labels, rows: s}, with: {scorer: {kind: reward, label: 1, output: probability}}", []
    ),
    (
      "{model: m, rows: s}, with: {scorer: {kind: choice, template: \"{prompt}{generation} Good? \", labels: [\"yes\", \"no\"], reward: \"yes\"}}",
      "{model: labels, rows: s}, with: {scorer: {kind: reward}}",
      [
        "error[wrong-value] at 7 \"sc\": stage `sc`: the model has 2 labels, and `label` does not say which one is the reward"
      ]
    ),
    (
      "{model: m, rows: s}, with: {scorer: {kind: choice, template: \"{prompt}{generation} Good? \", labels: [\"yes\", \"no\"], reward: \"yes\"}}",
      "{model: values, rows: s}, with: {scorer: {kind: reward, truncation: left, split: everywhere, text_markers: [<x>], read_before: b, output: probability}}",
      [
        "error[conflicting-options] at 7 \"left\": stage `sc`: `truncation` is `left`, but without `max_length` no text is cut",
        "error[conflicting-options] at 7 \"everywhere\": stage `sc`: `split` is `everywhere`, but there is no `separator` at which to cut",
        "error[wrong-value] at 7 \"<x>\": stage `sc`: `text_markers` contains `<x>`, which `template` does not contain",
        "error[wrong-value] at 7 \"b\": stage `sc`: `read_before` is `b`, which is no special token of the model at `model`",
        "error[wrong-value] at 7 \"probability\": stage `sc`: `output` is `probability`, but the model is a reward model with a value head, so its number is no probability",
      ]
    ),
    (
      "{model: m, rows: s}, with: {scorer: {kind: choice, template: \"{prompt}{generation} Good? \", labels: [\"yes\", \"no\"], reward: \"yes\"}}",
      "{model: values, rows: s}, with: {scorer: {kind: reward, max_length: 161, template: \"<|startoftext|>{prompt}{generation}\", text_markers: [<|startoftext|>]}}",
      [
        "error[wrong-value] at 7 \"161\": stage `sc`: `max_length` is 161, but the context of the model at `model` is 160 tokens"
      ]
    ),
    // Steps and the learning rate.
    ("lr: 1e-4,", "lr: 1e-4, steps: 20, warmup_steps: 20, decay: cosine, decay_floor: 0.1,", []),
    (
      "lr: 1e-4,", "lr: 1e-4, steps: 20, epochs: 2, warmup_steps: 21, warmup_ratio: 0.1,",
      [
        "error[conflicting-options] at 10 \"2\": stage `t`: `steps` and `epochs` both say how long to train",
        "error[conflicting-options] at 10 \"21\": stage `t`: the warm-up of 21 steps is longer than the training of 20, so that `lr` is never reached",
        "error[conflicting-options] at 10 \"0.1\": stage `t`: `warmup_steps` and `warmup_ratio` both say how long the warm-up is",
      ]
    ),
    (
      "lr: 1e-4,", "lr: 1e-4, decay: constant, decay_floor: 0.1,",
      [
        "error[conflicting-options] at 10 \"0.1\": stage `t`: `decay_floor` is where a decay ends, but `decay` is `constant`"
      ]
    ),
    // The optimizer.
    ("lr: 1e-4,", "lr: 1e-4, optimizer: {kind: rmsprop, weight_decay: 0.1, no_decay: [norm]},", []),
    (
      "lr: 1e-4,", "lr: 1e-4, adam: {beta2: 0.9}, optimizer: {kind: adam, no_decay: [norm, \"\"]},",
      [
        "error[conflicting-options] at 10 \"0.9\": stage `t`: `adam` and `optimizer` both say which optimizer is used",
        "error[conflicting-options] at 10 \"norm\": stage `t`: `optimizer.no_decay` says which tensors have no weight decay, but `weight_decay` is 0",
        "error[wrong-value] at 10 \"\"\"\": stage `t`: `optimizer.no_decay` has an empty entry, which is in the name of every tensor",
      ]
    ),
    // Adaptive coefficients.
    (
      "lr: 1e-4,", "lr: 1e-4, objective: {kind: conditional, entropy: 0.1, adaptive: {entropy_target: 40}},",
      []
    ),
    (
      "lr: 1e-4,", "lr: 1e-4, objective: {kind: conditional, adaptive: {kl_target: 3, horizon: 7}},",
      [
        "error[conflicting-options] at 10 \"3\": stage `t`: `objective.adaptive` multiplies `kl`, which is 0 and stays so",
        "error[conflicting-options] at 10 \"7\": stage `t`: `objective.adaptive.horizon` is 7 samples, fewer than the 8 of a batch",
      ]
    ),
    (
      "lr: 1e-4,", "lr: 1e-4, objective: {kind: conditional, adaptive: {}},",
      [
        "error[conflicting-options] at 10 \"t\": stage `t`: `objective.adaptive` has neither `kl_target` nor `entropy_target`"
      ]
    ),
    // Trainings that go on from each other.
    (
      "  again:",
      "  u: {uses: train, in: {model: t.model, rows: p, state: t.state}, with: {lr: 1e-4, conditioning: {kind: tokens, classes: 3}}}\n  again:",
      ["error[unknown-output] at 11 \"t.state\": stage `t` has no output called `state`"]
    ),
    (
      "  again:",
      "  l:\n    loop: {times: 9, carry: {policy: {first: m, next: u.model}, training: {first: null, next: u.state}}}\n    stages:\n"
        + "      u: {uses: train, in: {model: policy, rows: p, state: training}, with: {lr: 1e-4, conditioning: {kind: tokens, classes: 3}, state: full, steps: 10, schedule: {total_steps: 42}, warmup_steps: 43}}\n"
        + "  v: {uses: train, in: {model: l@last.u.model, rows: p, state: l@last.u.state}, with: {lr: 1e-4, conditioning: {kind: tokens, classes: 3}, train_embeddings: false, optimizer: {kind: rmsprop}}}\n"
        + "  again:",
      [
        "error[conflicting-options] at 14 \"42\": stage `l.u`: `schedule.total_steps` is 42, of which earlier trainings take 40 and this one 10",
        "error[conflicting-options] at 14 \"43\": stage `l.u`: the warm-up of 43 steps is longer than the schedule of 42, so that `lr` is never reached",
        "error[conflicting-options] at 15 \"false\": stage `v`: `train_embeddings` is false, but the state at `state` is of a training with true",
        "error[conflicting-options] at 15 \"rmsprop\": stage `v`: the state at `state` holds the moments of another optimizer than `rmsprop`",
      ]
    ),
    // Held-out rows, and models from the middle.
    (
      "in: {model: m, rows: p}, with: {lr: 1e-4,",
      "in: {model: m, rows: p, validation: q}, with: {lr: 1e-4, steps: 9, evaluate_every: 3, keep_best: true, keep_every: 4,",
      []
    ),
    (
      "in: {model: m, rows: p}, with: {lr: 1e-4,",
      "in: {model: m, rows: p, validation: sc}, with: {lr: 1e-4, keep_best: true, state: light, keep_every: 4,",
      [
        "error[conflicting-options] at 10 \"sc\": stage `t`: the input `validation` is bound, but `evaluate_every` does not say when it is read",
        "error[missing-column] at 10 \"sc\": stage `t`: `conditioning` of kind `tokens` reads the column `quantiles`, which the rows at `validation` do not have",
        "error[conflicting-options] at 10 \"true\": stage `t`: `keep_best` needs `evaluate_every`: nothing else says which step is the best",
        "error[conflicting-options] at 10 \"true\": stage `t`: `keep_best` gives the model of another step than the last, from which `state` goes on",
        "error[conflicting-options] at 10 \"4\": stage `t`: `keep_every` needs `steps`: its outputs are named by them before any row is read",
      ]
    ),
    (
      "lr: 1e-4,", "lr: 1e-4, evaluate_every: 3, steps: 102, keep_every: 1,",
      [
        "error[missing-input] at 10 \"3\": stage `t`: `evaluate_every` needs the input `validation`, which is not bound",
        "error[conflicting-options] at 10 \"1\": stage `t`: `keep_every: 1` keeps 101 models of 102 steps; at most 100 are kept",
      ]
    ),
    (
      "lr: 1e-4,", "lr: 1e-4, steps: 4, keep_every: 4,",
      [
        "error[conflicting-options] at 10 \"4\": stage `t`: `keep_every` is 4, but there are 4 steps, the last of which gives `model`"
      ]
    ),
    // Lengths.
    (
      "{path: train.jsonl}", "{path: train.jsonl, prompt: \"POST: {prompt} {id}\", cuttable: [prompt, id]}",
      []
    ),
    (
      "max_new_tokens: 4}", "max_new_tokens: 4, max_length: 157, cut: {side: left}}",
      [
        "error[conflicting-options] at 6 \"157\": stage `s`: `max_length` is 157 and `max_new_tokens` 4, but the context of the model at `model` is 160 tokens",
        "error[conflicting-options] at 6 \"left\": stage `s`: `cut` says what is cut, but `overflow` is `fail`, so nothing is",
      ]
    ),
    (
      "max_new_tokens: 4}", "max_new_tokens: 4, overflow: cut}",
      [
        "error[conflicting-options] at 6 \"cut\": stage `s`: `overflow` is `cut`, but `cut` does not say what is cut"
      ]
    ),
    (
      "max_new_tokens: 4}", "max_new_tokens: 4, overflow: cut, cut: {side: left, field: generation}}",
      [
        "error[wrong-value] at 6 \"left\": stage `s`: `cut` names the field `generation`, which this stage does not read"
      ]
    ),
    (
      "lr: 1e-4,", "lr: 1e-4, overflow: cut, cut: {side: left, field: generation}, max_length: 161,",
      [
        "error[wrong-value] at 10 \"left\": stage `t`: `cut` cuts `generation` at its left, but a generation is cut at its right alone",
        "error[wrong-value] at 10 \"161\": stage `t`: `max_length` is 161, but the context of the model at `model` is 160 tokens",
      ]
    ),
    (
      "lr: 1e-4,", "lr: 1e-4, overflow: cut, cut: {side: left, field: prompts},",
      [
        "error[unknown-field] at 10 \"prompts\": stage `t`: `cut` names the field `prompts`, which the prompts do not have"
      ]
    ),
    (
      "{kind: choice,", "{kind: choice, overflow: cut, cut: {side: left, field: id},",
      [
        "error[unknown-field] at 7 \"id\": stage `sc`: `cut` names the field `id`, which the prompts do not have"
      ]
    ),
    (
      "{model: m, rows: s}, with: {scorer: {kind: choice, template: \"{prompt}{generation} Good? \", labels: [\"yes\", \"no\"], reward: \"yes\"}}",
      "{model: values, rows: s}, with: {scorer: {kind: reward, overflow: drop, truncation: left}}",
      [
        "error[conflicting-options] at 7 \"left\": stage `sc`: `truncation` is `left`, but `overflow` is `drop`, so no text is truncated"
      ]
    ),
    (
      "rows: sc, reference: m}}",
      "rows: sc, reference: m}, with: {overflow: cut, cut: {side: right, field: generation}, max_length: 200}}",
      [
        "error[wrong-value] at 12 \"200\": stage `e`: `max_length` is 200, but the context of the model at `reference` is 160 tokens"
      ]
    ),
    (
      "reference: m}}", "reference: m}, with: {metrics: [reward, difference]}}",
      [
        "error[missing-input] at 12 \"difference\": stage `e`: `metrics` asks for `difference`, which needs the input `baseline`, which is not bound"
      ]
    ),
    (
      "reference: m}}",
      "reference: m}, with: {metrics: [reward, {kind: mean, column: rewards}, {kind: mean, column: rewards, below: 1}]}}",
      [
        "error[wrong-value] at 12 \"mean\": stage `e`: two entries of `metrics` give a number `rewards`"
      ]
    ),
    (
      "reference: m}}",
      "reference: m}, with: {metrics: [reward, {kind: classes, column: rewards, values: [a b, a_b]}]}}",
      [
        "error[wrong-value] at 12 \"a_b\": stage `e`: `values` has two values whose share would be called `rewards_a_b`"
      ]
    ),
    (
      "reference: m}}",
      "reference: m, judge: m, baseline: sc}, with: {metrics: [reward, {kind: win_rate, template: \"{a}\", verdicts: {a: A, b: A}}]}}",
      [
        "error[bad-template] at 12 \"\"{a}\"\": stage `e`: `template` does not name `{b}`",
        "error[wrong-value] at 12 \"A\": stage `e`: the words of `verdicts` are not different, or one is empty",
      ]
    ),
    (
      "in: {model: m, rows: s}, with: {scorer: {kind: choice, template: \"{prompt}{generation} Good? \", labels: [\"yes\", \"no\"], reward: \"yes\"}",
      "in: {rows: s}, with: {scorer: {kind: regex, pattern: \"a)\"}",
      [
        "error[wrong-value] at 7 \"\"a)\"\": stage `sc`: `pattern`: character 2: `)` has no `(` before it; as text it is written `\\)`"
      ]
    ),
    (
      "scorer: {kind: choice, template: \"{prompt}{generation} Good? \", labels: [\"yes\", \"no\"], reward: \"yes\"}",
      "scorer: {kind: likelihood}, column: prompt",
      [
        "error[wrong-value] at 7 \"prompt\": stage `sc`: `column` is `prompt`, which cannot hold scores",
        "error[missing-column] at 8 \"sc\": input `rows` of `q` needs the column `rewards`, which `sc` does not give",
        "error[missing-column] at 12 \"sc\": stage `e`: the metric `reward` reads the column `rewards`, which the rows at `rows` do not have",
      ]
    ),
    (
      "rows: sc, reference: m}}", "rows: sc}, with: {metrics: [reward], overflow: drop, max_length: 20}}",
      [
        "error[conflicting-options] at 12 \"drop\": stage `e`: `overflow` is for metrics that read with a model, and `metrics` asks for none of them",
        "error[conflicting-options] at 12 \"20\": stage `e`: `max_length` is for metrics that read with a model, and `metrics` asks for none of them",
      ]
    ),
    // Models.
    (
      "model: m, prompts", "model: rm, prompts",
      [
        "error[wrong-model] at 6 \"rm\": stage `s`: input `model` needs a language model, but this is a reward model: it has the tensor `score.weight`"
      ]
    ),
    (
      "{kind: choice, template: \"{prompt}{generation} Good? \", labels: [\"yes\", \"no\"], reward: \"yes\"}",
      "{kind: reward}",
      [
        "error[wrong-model] at 7 \"m\": stage `sc`: input `model` needs a reward model, with a head called `score.weight` or `v_head.weight`, but this is a language model"
      ]
    ),
    (
      "{path: sft}", "{path: train.jsonl}",
      [
        "error[wrong-model] at 3 \"m\": model `m`: `train.jsonl`: expected a GGUF file or a folder with `config.json` and weights, found a JSON text"
      ]
    ),
    (
      "with: {n: 4, max_new_tokens: 4}}", "with: {n: 4, max_new_tokens: 4}, numeric: file}",
      [
        "error[numeric-mode] at 3 \"m\": model `m`: `numeric: file` computes in the integers of a GGUF file, but this is no GGUF file"
      ]
    ),
    (
      "with: {max_new_tokens: 4, condition: {class: 2}}}",
      "with: {max_new_tokens: 4, condition: {class: 2}}, numeric: file}",
      [
        "error[numeric-mode] at 11 \"t.model\": stage `again`: `numeric: file` computes in the integers of a GGUF file, but `train` writes no such file"
      ]
    ),
    // Data.
    (
      "train.jsonl}", "train.jsonl, prompt: \"POST: {post}\"}",
      [
        "error[unknown-field] at 5 \"\"POST: {post}\"\": stage `rows`: train.jsonl:1:1: option `prompt`: no field `post`; the row has `id`, `prompt`"
      ]
    ),
    (
      "train.jsonl}", "train.jsonl, prompt: \"{prompt\"}",
      [
        "error[bad-template] at 5 \"\"{prompt\"\": stage `rows`: `prompt`: `{` at byte 1 is not closed; a literal brace is written `{{`"
      ]
    ),
    (
      "train.jsonl}", "train.jsonl, keep: [prompt]}",
      [
        "error[wrong-value] at 5 \"prompt\": stage `rows`: `keep` names `prompt`, but a column of this name exists already"
      ]
    ),
    (
      "train.jsonl}", "broken.jsonl}",
      [
        "error[wrong-data] at 5 \"broken.jsonl\": stage `rows`: broken.jsonl:1:23: not JSON: expected a value, found `}`"
      ]
    ),
    (
      "train.jsonl}", "train.jsonl, where: [{field: prompt, is: c}]}",
      [
        "error[no-rows] at 5 \"prompt\": stage `rows`: train.jsonl: none of 8 lines was taken: 0 were bad, 8 did not satisfy `where`"
      ]
    ),
    (
      "train.jsonl}", "large.jsonl, where: [{field: kind, is: 2}]}",
      [
        "warning[no-rows-seen] at 5 \"kind\": stage `rows`: of the first 4854 lines of `large.jsonl` none is taken: 0 are bad, 4854 do not satisfy `where`"
      ]
    ),
    ("train.jsonl}", "large.jsonl, where: [{field: kind, is: 1}]}", []),
    (
      "prompts: rows}, with: {n: 4", "prompts: d}, with: {n: 4",
      [
        "error[too-few-rows] at 14 \"9\": stage `d`: `count` asks for 9 rows without replacement, but the input has 8"
      ]
    ),
    // Sampling.
    (
      "n: 4,", "n: 4, min_new_tokens: 9,",
      [
        "error[conflicting-options] at 6 \"9\": stage `s`: `min_new_tokens` is 9, but no sample has more than `max_new_tokens`, 4"
      ]
    ),
    (
      "n: 4,", "n: 4, stop: [\"x\", \"\"],",
      [
        "error[wrong-value] at 6 \"\"\"\": stage `s`: `stop` contains an empty text, which every sample contains"
      ]
    ),
    (
      "n: 4,", "n: 4, bad_words: [\"\"],",
      [
        "error[wrong-value] at 6 \"\"\"\": stage `s`: `bad_words` contains an empty text, which every sample contains"
      ]
    ),
    (
      "n: 4, max_new_tokens: 4", "n: 4, max_new_tokens: 160",
      [
        "error[wrong-value] at 6 \"160\": stage `s`: `max_new_tokens` is 160, but the model's context is 160 tokens, the prompt's included"
      ]
    ),
    (
      "n: 4,", "n: 4, condition: {class: 0},",
      [
        "error[unknown-class] at 6 \"0\": stage `s`: `condition` asks for class 0, but the model was never conditioned"
      ]
    ),
    (
      "class: 2", "class: 3",
      [
        "error[unknown-class] at 11 \"3\": stage `again`: `condition` asks for class 3, but the model has classes 0 to 2"
      ]
    ),
    (
      "model: m, prompts: rows}, with: {n: 4", "model: five, prompts: rows}, with: {condition: {class: 4}", []
    ),
    (
      "model: m, prompts: rows}, with: {n: 4", "model: five, prompts: rows}, with: {condition: {class: 5}",
      [
        "error[unknown-class] at 6 \"5\": stage `s`: `condition` asks for class 5, but the model has classes 0 to 4"
      ]
    ),
    // Scoring.
    (
      "{generation}", "{chosen}",
      [
        "error[unknown-field] at 7 \"\"{prompt}{chosen} Good? \"\": stage `sc`: `template` names `{chosen}`, which the rows at `rows` do not have"
      ]
    ),
    (
      "reward: \"yes\"", "reward: \"Yes\"",
      ["error[wrong-value] at 7 \"\"Yes\"\": stage `sc`: `reward` is `Yes`, which is none of `labels`"]
    ),
    (
      "\"no\"]", "\"\"]",
      ["error[wrong-value] at 7 \"\"\"\": stage `sc`: a label of `labels` is empty"]
    ),
    (
      "\"no\"]", "\"no\", \"no\"]",
      [
        "error[wrong-value] at 7 \"\"no\"\": stage `sc`: `labels` contains `no` twice"
      ]
    ),
    (
      "{kind: choice, template: \"{prompt}{generation} Good? \", labels: [\"yes\", \"no\"], reward: \"yes\"}",
      "{kind: lexicon, file: train.jsonl}",
      [
        "error[unknown-input] at 7 \"model\": stage `sc` has no input called `model`",
        "error[wrong-data] at 7 \"train.jsonl\": stage `sc`: train.jsonl:2:1: not JSON: unexpected text after the value",
      ]
    ),
    (
      "{model: m, rows: s}, with: {scorer: {kind: choice, template: \"{prompt}{generation} Good? \", labels: [\"yes\", \"no\"], reward: \"yes\"}}",
      "{rows: s}, with: {scorer: {kind: lexicon, file: train.jsonl}}",
      [
        "error[wrong-data] at 7 \"train.jsonl\": stage `sc`: train.jsonl:2:1: not JSON: unexpected text after the value"
      ]
    ),
    (
      "in: {model: m, rows: s}", "in: {rows: s}",
      ["error[missing-input] at 7 \"sc\": stage `sc` lacks the input `model`"]
    ),
    // Classes.
    (
      "rows: sc}, with: {classes: 3}", "rows: sc}, with: {classes: 5}",
      [
        "error[unknown-class] at 10 \"3\": stage `t`: the rows have classes 0 to 4, but `conditioning` has classes 0 to 2"
      ]
    ),
    (
      "{kind: tokens, classes: 3}", "{kind: text, prefixes: [good, bad]}",
      [
        "error[unknown-class] at 10 \"good\": stage `t`: the rows have classes 0 to 2, but `conditioning` has classes 0 to 1",
        "error[unknown-class] at 11 \"2\": stage `again`: `condition` asks for class 2, but the model has classes 0 to 1",
      ]
    ),
    (
      "tokens, classes: 3", "tokens, classes: 4",
      [
        "warning[unused-class] at 10 \"4\": stage `t`: `conditioning` has classes 0 to 3, but the rows have only 0 to 2"
      ]
    ),
    (
      "in: {rows: q}}", "in: {rows: q}, with: {classes: [0, 3]}}",
      [
        "error[unknown-class] at 9 \"3\": stage `p`: `classes` names class 3, but the rows have classes 0 to 2"
      ]
    ),
    (
      "in: {rows: q}}", "in: {rows: q}, with: {classes: [\"0\"]}}",
      ["error[wrong-value] at 9 \"\"0\"\": stage `p`: `classes` holds \"0\", but `quantiles` are integers"]
    ),
    (
      "in: {rows: q}}", "in: {rows: q}, with: {per_class: 2, per_prompt: 3, classes: [0, 1, 2]}}",
      [
        "error[conflicting-options] at 9 \"3\": stage `p`: `per_class` and `per_prompt` are two rules for one choice"
      ]
    ),
    (
      "in: {rows: q}}", "in: {rows: sc}, with: {by: feedbacks, classes: [good, bad]}}",
      [
        "error[missing-column] at 9 \"sc\": stage `p`: `by: feedbacks` reads the column `feedbacks`, which the rows at `rows` do not have",
        "error[missing-column] at 10 \"p\": stage `t`: `conditioning` of kind `tokens` reads the column `quantiles`, which the rows at `rows` do not have",
      ]
    ),
    // Training.
    (
      "lr: 1e-4", "lr: 1e-4, objective: {kind: conditional, kl: 0.1}",
      [
        "error[missing-input] at 10 \"0.1\": stage `t`: `objective.kl` is 0.1, and the KL term needs the input `reference`, which is not bound"
      ]
    ),
    ("lr: 1e-4", "lr: 1e-4, objective: {kind: sft}", []),
    (
      "{model: m, rows: p}, with: {lr: 1e-4,",
      "{model: m, reference: m, rows: p}, with: {lr: 1e-4, objective: {kind: sft},",
      [
        "warning[unused-input] at 10 \"m\": stage `t`: the objective `sft` reads no reference, but the input `reference` is bound"
      ]
    ),
    ("{model: m, rows: p}", "{model: m, reference: m, rows: p}", []),
    (
      "lr: 1e-4,", "lr: 1e-4, train_embeddings: false, conditioning_lr: 1e-3,",
      [
        "error[conflicting-options] at 10 \"1e-3\": stage `t`: `conditioning_lr` is the learning rate of conditioning tokens, but `train_embeddings` is false"
      ]
    ),
    (
      "tokens, classes: 3", "tokens, classes: 3, words: [good, bad]",
      [
        "error[conflicting-options] at 10 \"good\": stage `t`: `conditioning.words` has 2 entries for 3 classes; expected one for each"
      ]
    ),
    // Evaluation and its names.
    (
      "rows: sc, reference: m", "rows: sc",
      [
        "error[missing-input] at 12 \"e\": stage `e`: `metrics` asks for `perplexity`, which needs the input `reference`, which is not bound"
      ]
    ),
    (
      "{rows: sc, reference: m}", "{rows: s, reference: m}",
      [
        "error[missing-column] at 12 \"s\": stage `e`: the metric `reward` reads the column `rewards`, which the rows at `rows` do not have"
      ]
    ),
    (
      "reward: e.reward", "reward: e.rewards",
      [
        "error[unknown-metric] at 13 \"e.rewards\": metric `reward` names `rewards`, which stage `e` does not report"
      ]
    ),
    (
      "loss: t.loss", "loss: t.los",
      ["error[unknown-metric] at 13 \"t.los\": metric `loss` names `los`, which stage `t` does not report"]
    ),
    (
      "reference: m}}", "reference: m}, with: {metrics: [distinct]}}",
      [
        "error[unknown-metric] at 13 \"e.reward\": metric `reward` names `reward`, which stage `e` does not report"
      ]
    ),
  ]

  @Test(arguments: cases.indices) func `a mistake is said before work starts`(_ index: Int) throws {
    let (old, new, expected) = Self.cases[index]
    var text = old.isEmpty ? Self.whole : Self.whole.replacing(old, with: new, maxReplacements: 1)
    if new.contains("prompts: d}") {
      text = text.replacing(
        "metrics: {", with: "  d: {uses: draw, in: {rows: rows}, with: {count: 9}}\nmetrics: {"
      )
      .replacing("reference: m}}\n  d", with: "reference: m}}\n\n  d")
    }
    #expect(text != Self.whole || old.isEmpty)
    let found = try bench().check(text)
    #expect(found == expected, "\(found)")
  }

  @Test func `a model that a family has not is refused as run would`() throws {
    let bench = try bench()
    let configuration = try String(decoding: File.read("\(bench.folder)/sft/config.json"), as: UTF8.self)
    try bench.write(configuration.replacing("\"llama\"", with: "\"mamba\""), to: "sft/config.json")
    let found = try bench.check(Self.whole)
    let known = families.map { "`\($0.modelType)`" }
    #expect(
      found == [
        "error[wrong-model] at 3 \"m\": model `m`: `sft/config.json`: `model_type`: `\"mamba\"` is not supported; \(known.dropLast().joined(separator: ", ")) and \(known.last ?? "") are"
      ])
    #expect(DiagnosticList(bench.diagnostics()).isAboutInputFiles)
  }

  @Test func `a tokenizer that no stage could read is refused as run would`() throws {
    let bench = try bench()
    let tokenizer = try String(decoding: File.read("\(bench.folder)/sft/tokenizer.json"), as: UTF8.self)
    try bench.write(tokenizer.replacing("\"ByteLevel\"", with: "\"Metaspace\""), to: "sft/tokenizer.json")
    let found = try bench.check(Self.whole)
    #expect(
      found.count == 1
        && found[0].hasPrefix("error[wrong-model] at 3 \"m\": model `m`: `sft/tokenizer.json`: ")
        && found[0].contains("`\"Metaspace\"`"), "\(found)")
    #expect(DiagnosticList(bench.diagnostics()).isAboutInputFiles)
  }

  @Test func `columns that keep and a program give are known, and those it may give beside them allowed`()
    throws
  {
    let found = try bench().check(
      """
      version: 1
      name: x
      stages:
        rows: {uses: data, with: {path: large.jsonl, keep: [kind]}}
        a:
          uses: command
          in: {rows: rows}
          with: {run: [./a], inputs: [{name: rows, columns: [prompt, kind]}], outputs: [{name: out, columns: [generations, rewards]}]}
        q: {uses: quantize, in: {rows: a}}
        b:
          uses: command
          in: {rows: q}
          with: {run: [./b], rows: stream, inputs: [{name: rows, columns: [quantiles, other]}], outputs: [{name: rows}]}

      """)
    #expect(
      found == [
        "warning[unknown-column] at 12 \"q\": input `rows` of `b` needs the column `other`, which is not known of the rows that `q` gives"
      ])
  }

  @Test func `facts go round a loop`() throws {
    let text = """
      version: 1
      name: x
      models: {m: {path: sft}}
      stages:
        rows: {uses: data, with: {path: train.jsonl}}
        loop:
          loop:
            times: 4
            carry:
              policy: {first: m, next: t.model}
              history: {first: null, next: p.state}
          stages:
            s: {uses: sample, in: {model: policy, prompts: rows}, with: {max_new_tokens: 4, condition: CONDITION}}
            sc: {uses: score, in: {model: m, rows: s}, with: {scorer: {kind: choice, template: "{generation}", labels: ["yes", "no"], reward: "yes"}}}
            q: {uses: quantize, in: {rows: sc, history: history}, with: {classes: 3}}
            p: {uses: pool, in: {rows: q}, with: {drop: 0.5}}
            t: {uses: train, in: {model: policy, rows: p}, with: {lr: 1e-4, conditioning: {kind: tokens, classes: 3}}}

      """
    #expect(try bench().check(text.replacing("CONDITION", with: "best")) == [])
    #expect(
      try bench().check(text.replacing("CONDITION", with: "{class: 5}")) == [
        "error[unknown-class] at 13 \"5\": stage `loop.s`: `condition` asks for class 5, but the model was never conditioned"
      ])
  }

  @Test func `a cut names a field whose place the rows know`() throws {
    func check(_ data: String, _ sample: String = "max_new_tokens: 4", _ train: String = "lr: 1e-4") throws
      -> [String]
    {
      try bench().check(
        Self.whole.replacing(
          "{path: train.jsonl}", with: "{path: train.jsonl, prompt: \"POST: {prompt} {id}\"\(data)}"
        )
        .replacing("n: 4, max_new_tokens: 4", with: sample).replacing("lr: 1e-4", with: train))
    }
    let cut = "overflow: cut, cut: {side: left, field: id}"
    #expect(try check(", cuttable: [id]", "max_new_tokens: 4, \(cut)", "lr: 1e-4, \(cut)") == [])
    #expect(
      try check(", cuttable: [prompt]", "max_new_tokens: 4, \(cut)", "lr: 1e-4, \(cut)") == [
        "error[unknown-field] at 6 \"id\": stage `s`: `cut` names the field `id`, of which the rows do not say where it stands",
        "error[unknown-field] at 10 \"id\": stage `t`: `cut` names the field `id`, of which the rows do not say where it stands",
      ])
  }

  @Test func `what stands for a secret is not looked at`() throws {
    #expect(
      try bench().check(Self.whole.replacing("n: 4,", with: "n: 4, stop: [{env: PLUMB_NOT_SET}],")) == [
        "warning[missing-variable] at 6 \"{env: PLUMB_NOT_SET}\": `stop.0` uses the environment variable `PLUMB_NOT_SET`, which is not set or empty"
      ])
  }

  @Test func `an unbound program's words and a stream's ports are checked`() throws {
    func check(_ with: String) throws -> [String] {
      try bench().check(
        "version: 1\nname: x\nstages:\n  rows: {uses: data, with: {path: train.jsonl}}\n  c: {uses: command, in: {rows: rows}, with: {\(with)}}\n"
      )
    }
    #expect(
      try check("run: [cp, '{in.row}', '{out.o}'], inputs: [{name: rows}], outputs: [{name: o}]") == [
        "error[unknown-input] at 5 \"'{in.row}'\": stage `c`: `run` names `{in.row}`, but `inputs` declares no `row`"
      ])
    #expect(
      try check("run: [cp, a], shell: true, inputs: [{name: rows}], outputs: [{name: o}]") == [
        "error[conflicting-options] at 5 \"cp\": stage `c`: with `shell: true` `run` must have one entry, the whole line; it has 2"
      ])
    #expect(
      try check("run: [cat], rows: stream, inputs: [{name: rows}], outputs: [{name: o}]") == [
        "error[conflicting-options] at 5 \"stream\": stage `c`: `rows: stream` reads the input `rows` and writes the output `rows`, and both must be declared"
      ])
  }

  @Test func `a program's ports are checked by name, and what may be unbound`() throws {
    func check(_ with: String) throws -> [String] {
      try bench().check(
        "version: 1\nname: x\nstages:\n  rows: {uses: data, with: {path: train.jsonl}}\n  c: {uses: command, in: {rows: rows}, with: {\(with)}}\n"
      )
    }
    let optional = "inputs: [{name: rows}, {name: old, required: false}]"
    #expect(try check("run: [cat, '{in.rows}', '{in.old}'], \(optional), outputs: [{name: o}]") == [])
    #expect(
      try check("run: ['{in.old}', x], \(optional), outputs: [{name: o}]") == [
        "error[conflicting-options] at 5 \"'{in.old}'\": stage `c`: the program is `{in.old}`, and the input `old` need not be bound"
      ])
    #expect(
      try check("run: [cat], inputs: [{name: rows}, {name: old}], outputs: [{name: o}]").first?
        .hasPrefix("error[missing-input]") == true)
    #expect(
      try check("run: [cat], rows: stream, inputs: [{name: rows, required: false}], outputs: [{name: rows}]")
        == [
          "error[conflicting-options] at 5 \"false\": stage `c`: `rows: stream` reads the input `rows`, which must be bound"
        ])
    #expect(
      try check(
        "run: [cat], rows: stream, inputs: [{name: rows}], outputs: [{name: rows}, {name: m, type: metrics}]"
      ).map { $0.contains("`rows: stream` writes the output `rows` alone") } == [true])
    #expect(
      try check("run: [cat], inputs: [{name: rows}], outputs: [{name: o}, {name: ../o}, {name: o}]").map {
        String($0.split(separator: ": ", maxSplits: 2).last ?? "")
      } == [
        "`outputs` declares `../o`, which is no name of a port", "`outputs` declares `o` twice",
      ])
  }
}
