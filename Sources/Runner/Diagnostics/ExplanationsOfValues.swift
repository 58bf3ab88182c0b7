// Explanations: keys and values of the language and of a stage's options.

extension Explanation {
  static let ofValues: [Explanation] = [
    Explanation(
      "unknown-version", "the experiment is written for another version of the language",
      "`version` names the language the file is written in. This program reads version 1.",
      wrong: Example(smallest.replacing("version: 1", with: "version: 2")), right: Example(smallest)),
    Explanation(
      "missing-key", "a key that is needed is not there",
      """
      Some keys have no default: the experiment's `version`, `name` and `stages`, a carried value's `first` and `next`, and
      the options of a stage that `\(Program.name) stages NAME` shows as required.
      """,
      wrong: Example("version: 1\nstages:\n  rows: {uses: data, with: {path: train.jsonl}}"),
      right: Example(smallest)),
    Explanation(
      "unknown-key", "a key that nothing knows",
      """
      Keys are checked everywhere, so that a slip of the fingers cannot silently leave a default in place. The nearest
      key that exists is suggested; `\(Program.name) stages NAME` lists a stage's options.
      """,
      wrong: Example(smallest.replacing("train.jsonl}", with: "train.jsonl, limt: 10}")),
      right: Example(smallest.replacing("train.jsonl}", with: "train.jsonl, limit: 10}"))),
    Explanation(
      "wrong-type", "a value is of another kind than is wanted",
      """
      Values are what the YAML 1.2 core schema says: `no`, `on`, `1:30` and `1_000` are strings, `012` is twelve, what is quoted
      is a string. A value is never turned into another kind to make it fit.
      """,
      wrong: Example(smallest + "\nseed: \"42\""), right: Example(smallest + "\nseed: 42")),
    Explanation(
      "out-of-range", "a number or a list's length is out of its range",
      """
      The range stands in the message. Numbers must be finite: `.inf` and `.nan` are out of every range. A number that a stage
      computes with in single precision must not be so small or large that it is 0 or infinite there.
      """,
      wrong: Example(smallest.replacing("train.jsonl}", with: "train.jsonl, limit: 0}")),
      right: Example(smallest.replacing("train.jsonl}", with: "train.jsonl, limit: 1}"))),
    Explanation(
      "unknown-choice", "a word is not one of those that may stand here",
      "The option takes one of a few words; they are in the message.",
      wrong: Example(smallest + "\nnumeric: fp16"), right: Example(smallest + "\nnumeric: fp32")),
    Explanation(
      "conflicting-keys", "two keys exclude each other",
      "Both say the same thing in different ways, such as two sources of one model. Remove one of them.",
      wrong: Example(smallest + "\nmodels: {start: {path: sft, pypi: package==1.0/model.gguf}}"),
      right: Example(smallest + "\nmodels: {start: {path: sft}}")),
    Explanation(
      "literal-secret", "a secret is written into the experiment",
      """
      An experiment is committed, copied into every run's record and shown in reports, so it must not hold keys, tokens
      or passwords. Name the environment variable that holds the secret: `{env: NAME}`. Only the name is ever stored or
      shown. A value written under a key such as `api_key`, `token` or `password` counts as a secret, and so does a text in the
      shape of a known provider's key, wherever it stands. If it has been saved anywhere, replace it at the provider.
      """,
      wrong: Example(smallest + "\nparams: {api_key: correct-horse-battery}"),
      right: Example(smallest + "\nparams: {api_key: {env: JUDGE_KEY}}")),
    Explanation(
      "bad-override", "`--set` without a value, or with more than one",
      """
      `--set name=value` gives a parameter another value, read as one value of YAML: a number, a text, `[a, b]`, `{a: b}`. Without
      `=` there is none. A text that YAML would cut or take for something else, such as `a #b`, `a: b` or `- a`, stands in quotes of its own
      inside those of the shell: `--set 'name="a: b"'`.
      """,
      wrong: Example(smallest + "\nparams: {limit: 5}", set: ["limit"]),
      right: Example(smallest + "\nparams: {limit: 5}", set: ["limit=10"])),
    Explanation(
      "unknown-parameter", "a parameter that is not under `params`",
      """
      `$name`, `${name}` and `--set name=…` name entries of `params:`. Declare the parameter there, with the value it has when
      nothing else is said. A literal `${` is written `$${`.
      """,
      wrong: Example(
        smallest.replacing("train.jsonl}", with: "train.jsonl, limit: $rows}") + "\nparams: {row: 5}"),
      right: Example(
        smallest.replacing("train.jsonl}", with: "train.jsonl, limit: $rows}") + "\nparams: {rows: 5}")),
    Explanation(
      "bad-reference", "`${` that names no parameter",
      """
      `${name}` inside a longer string inserts a parameter that is a word or a number. It is not closed, is no name, or names
      a list or mapping. A literal `${` is written `$${`.
      """,
      wrong: Example(smallest + "\ndescription: \"costs ${5\""),
      right: Example(smallest + "\ndescription: \"costs $${5\"")),
    Explanation(
      "outside-project", "a path leaves the project",
      """
      The project is the nearest folder above the experiment that holds `.plumb`, else `.git`, else its own folder. What an
      experiment reads lies inside it, symbolic links followed, so that it can be handed on whole.
      """,
      wrong: Example(smallest.replacing("train.jsonl", with: "../../../etc/hosts")), right: Example(smallest)),
    Explanation(
      "not-a-file", "no file where a file is wanted",
      """
      What is read is a regular file. The path names a folder, or what may have no end: a named pipe, a device, a socket, a file that
      the kernel makes while it is read. An experiment itself may come from standard input: `-`.
      """,
      wrong: Example(smallest.replacing("train.jsonl", with: "sft")), right: Example(smallest)),
    Explanation(
      "missing-model", "a model is not there yet", severity: .warning,
      """
      The path of a model names nothing that can be read. That is no mistake of the file, which may be checked before the
      model is there; a run refuses to start.
      """,
      wrong: Example(smallest + "\nmodels: {start: {path: nowhere}}"),
      right: Example(smallest + "\nmodels: {start: {path: sft}}")),
  ]
}
