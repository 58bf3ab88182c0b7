// Explanations: what the library's stages find before anything runs, and what commands find.

import JSON

extension Explanation {
  private static let sampling =
    smallest.replacing("stages:", with: "models: {sft: {path: sft}}\nstages:")
    + "\n  answers: {uses: sample, in: {model: sft, prompts: rows}, with: {max_new_tokens: 8}}"

  private static let scored =
    sampling + "\n  scored: \(scoring)"

  private static let training =
    scored + """

        sorted: {uses: quantize, in: {rows: scored}, with: {classes: 5}}
        tuned: {uses: train, in: {model: sft, rows: sorted}, with: {lr: 1e-5, conditioning: {kind: tokens, classes: 5}}}
      """

  private static let tuning = training.replacing("lr: 1e-5,", with: "lr: 1e-5, objective: {kind: sft},")

  /// Its rows are those of one of the two prompts in `train.jsonl`.
  private static let asked =
    tuning.replacing("train.jsonl", with: "train.jsonl, where: [{field: prompt, is: b}]") + """

        others: {uses: data, with: {path: train.jsonl, where: [{field: prompt, is: OTHERS}]}}
        answer: {uses: sample, in: {model: tuned.model, prompts: others}, with: {max_new_tokens: 8}}
        evaluate: {in: {rows: answer}, with: {metrics: [distinct]}}
      """

  static let conflictingOptions = Explanation(
    "two options that contradict each other",
    "Each of them is valid alone, but no run can satisfy both. Remove or change one of them.",
    wrong: Example(sampling.replacing("max_new_tokens: 8", with: "max_new_tokens: 8, min_new_tokens: 9")),
    right: Example(sampling.replacing("max_new_tokens: 8", with: "max_new_tokens: 8, min_new_tokens: 4")))

  static let unreadMarker = Explanation(
    "a special token that the model does not have", severity: .warning,
    """
    A template, a prefix or a condition contains what looks like a special token, such as `<|im_start|>` or `[INST]`, but the tokenizer of the
    model that reads it has no such token and would read it as ordinary text. Every family of chat models has its own markers.
    """,
    wrong: Example(
      sampling.replacing("max_new_tokens: 8", with: "max_new_tokens: 8, condition: {text: \"<|nobody|>\"}")),
    right: Example(
      sampling.replacing(
        "max_new_tokens: 8", with: "max_new_tokens: 8, condition: {text: \"<|im_start|>\"}")))

  private static let conversing = sampling.replacing(
    "train.jsonl", with: "chat.jsonl, messages: messages, last_turn: drop")

  static let unreadMessages = Explanation(
    "conversations that are not given to the model", severity: .warning,
    """
    The rows have conversations, in the column `messages`. A stage without `chat` gives the model the column `prompt` alone, which is
    the last text of the user.
    """,
    wrong: Example(conversing),
    right: Example(conversing.replacing("max_new_tokens: 8", with: "max_new_tokens: 8, chat: true")))

  static let wrongValue = Explanation(
    "a value that the stage cannot use",
    """
    The value has the right type, but no run can use it: an empty stop text, a reward label that is not among the labels,
    a new column that the rows already have.
    """,
    wrong: Example(scored.replacing("reward: \"yes\"", with: "reward: \"Yes\"")), right: Example(scored))

  static let badTemplate = Explanation(
    "a template whose braces do not match",
    "`{field}` inserts a field; `{{` and `}}` are the braces themselves.",
    wrong: Example(smallest.replacing("train.jsonl", with: "train.jsonl, prompt: \"{prompt\"")),
    right: Example(smallest.replacing("train.jsonl", with: "train.jsonl, prompt: \"{prompt}\"")))

  static let unknownField = Explanation(
    "a field that the rows do not have",
    """
    A template, `keep`, `where` or `id` names a field that the lines of the data file do not have. Only the first lines of
    the file are read. A scorer's template can name `{prompt}` and `{generation}`.
    """,
    wrong: Example(smallest.replacing("train.jsonl", with: "train.jsonl, prompt: \"{post}\"")),
    right: Example(smallest.replacing("train.jsonl", with: "train.jsonl, prompt: \"{prompt}\"")))

  static let wrongData = Explanation(
    "a data file that cannot be read",
    """
    A line of the file is not a JSON object. The message gives the line and the column. `on_bad_row: skip` leaves such lines
    out and counts them.
    """,
    wrong: Example(smallest.replacing("train.jsonl", with: "broken.jsonl")), right: Example(smallest))

  static let noRows = Explanation(
    "a data file that gives no rows",
    "The file is empty, or no line of it satisfies `where`.",
    wrong: Example(
      smallest.replacing("train.jsonl", with: "train.jsonl, where: [{field: prompt, is: nothing}]")),
    right: Example(smallest.replacing("train.jsonl", with: "train.jsonl, where: [{field: prompt, is: a}]")))

  static let noRowsSeen = Explanation(
    "no line at the beginning of a large data file satisfies `where`", severity: .warning,
    """
    Only the first lines of a large file are read before a run. None of them satisfies `where`; if no other line does,
    the stage fails.
    """,
    wrong: Example(
      smallest.replacing("train.jsonl", with: "large.jsonl, where: [{field: prompt, is: nothing}]")),
    right: Example(smallest.replacing("train.jsonl", with: "large.jsonl, where: [{field: prompt, is: a}]")))

  static let tooFewRows = Explanation(
    "more rows drawn without replacement than there are",
    "Ask for fewer rows, write `count: all`, or allow `replacement: true`.",
    wrong: Example(smallest + "\n  drawn: {uses: draw, in: {rows: rows}, with: {count: 99}}"),
    right: Example(smallest + "\n  drawn: {uses: draw, in: {rows: rows}, with: {count: all}}"))

  static let wrongModel = Explanation(
    "a model that the stage cannot use",
    """
    The model's configuration and the headers of its weights are read before a run. The family must be supported,
    every tensor must be present, and the head must match: `score` of kind `reward` takes a reward model, everything else a
    language model. A model that takes more memory than this machine has is only warned of; `inspect` shows what it takes.
    """,
    wrong: Example(
      sampling
        + "\n  scored: {uses: score, in: {model: sft, rows: answers}, with: {scorer: {kind: reward}}}"),
    right: Example(scored))

  static let unknownClass = Explanation(
    "a class that does not exist",
    """
    Classes are numbered from 0, the best. The rows that `train` reads have no more classes than its `conditioning`, and
    `sample` asks for a class that the model was conditioned on.
    """,
    wrong: Example(training.replacing("tokens, classes: 5", with: "tokens, classes: 3")),
    right: Example(training))

  static let unusedClass = Explanation(
    "a class that no sample has", severity: .warning,
    "`conditioning` has more classes than the rows: the other classes are never trained.",
    wrong: Example(training.replacing("tokens, classes: 5", with: "tokens, classes: 7")),
    right: Example(training))

  static let unusedInput = Explanation(
    "an input that the stage does not read", severity: .warning,
    """
    With these options the stage does not read the input. It is part of the key all the same: the stage runs again whenever what is bound
    there changes, with the same result. Remove it.
    """,
    wrong: Example(
      tuning.replacing(
        "in: {model: sft, rows: sorted}", with: "in: {model: sft, reference: sft, rows: sorted}")),
    right: Example(tuning))

  static let trainedPrompts = Explanation(
    "a model is evaluated on prompts that it was trained on", severity: .warning,
    """
    A prompt of the rows that are evaluated stands in rows that the model, or one that scored them, was trained on; white space and case
    do not count. Such numbers say how well the model knows these prompts, not what it does with others. `partition` of `data` keeps rows
    for training and for evaluation apart. Where it is meant, write `overlap` among the `metrics` of `evaluate`: it counts these prompts
    when it runs, and the warning is not given. Files of more than 16 MiB are not looked at.
    """,
    wrong: Example(asked.replacing("OTHERS", with: "b")),
    right: Example(asked.replacing("OTHERS", with: "a")))

  static let badSweep = Explanation(
    "a sweep that has no trials, or whose parameters do not fit together",
    """
    A grid needs values or a step; both ends of a lattice belong to it, so that its steps arrive at the second; what exists only under a
    value of another parameter stands after it; constraints name parameters that are varied and have numbers, and some trial has to meet
    all of them.
    """,
    wrong: Example(swept.replacing("VALUES", with: "{integers: [1, 10], step: 4}")),
    right: Example(swept.replacing("VALUES", with: "{integers: [1, 9], step: 4}")))

  private static let swept =
    smallest.replacing("train.jsonl", with: "train.jsonl, limit: $limit")
    + "\nparams: {limit: 1}\nsweep: {params: {limit: VALUES}}"
}
