// Explanations: keys and values of the language and of a stage's options.

import System

extension Explanation {
  static let unknownVersion = Explanation(
    "the experiment is written for another version of the language",
    "`version` names the language the file is written in. This program reads version 1.",
    wrong: Example(smallest.replacing("version: 1", with: "version: 2")), right: Example(smallest))

  static let missingKey = Explanation(
    "a required key is missing",
    """
    Some keys have no default: the experiment's `version`, `name` and `stages`, a carried value's `first` and `next`, and
    the options of a stage that `\(Program.name) stages NAME` shows as required.
    """,
    wrong: Example("version: 1\nstages:\n  rows: {uses: data, with: {path: train.jsonl}}"),
    right: Example(smallest))

  static let unknownKey = Explanation(
    "an unknown key",
    """
    Every key is checked, so that a typing error cannot silently leave a default in place. The nearest
    known key is suggested; `\(Program.name) stages NAME` lists a stage's options.
    """,
    wrong: Example(smallest.replacing("train.jsonl}", with: "train.jsonl, limt: 10}")),
    right: Example(smallest.replacing("train.jsonl}", with: "train.jsonl, limit: 10}")))

  static let wrongType = Explanation(
    "a value has the wrong type",
    """
    Types are those of the YAML 1.2 core schema: `no`, `on`, `1:30` and `1_000` are strings, `012` is twelve, a quoted value
    is a string. A value is never converted to another type.
    """,
    wrong: Example(smallest + "\nseed: \"42\""), right: Example(smallest + "\nseed: 42"))

  static let outOfRange = Explanation(
    "a number or a list's length is out of its range",
    """
    The message gives the range. Numbers must be finite: `.inf` and `.nan` are out of every range. A number that a stage
    computes with in single precision must not be so small or large that it is 0 or infinite there.
    """,
    wrong: Example(smallest.replacing("train.jsonl}", with: "train.jsonl, limit: 0}")),
    right: Example(smallest.replacing("train.jsonl}", with: "train.jsonl, limit: 1}")))

  static let unknownChoice = Explanation(
    "a word is not one of the allowed words",
    "The option takes one of a few words; the message lists them.",
    wrong: Example(smallest + "\nnumeric: fp16"), right: Example(smallest + "\nnumeric: fp32"))

  static let conflictingKeys = Explanation(
    "two keys exclude each other",
    "Both set the same thing in different ways, such as two sources of one model. Remove one of them.",
    wrong: Example(smallest + "\nmodels: {start: {path: sft, pypi: package==1.0/model.gguf}}"),
    right: Example(smallest + "\nmodels: {start: {path: sft}}"))

  static let literalSecret = Explanation(
    "a secret is written into the experiment",
    """
    An experiment is committed, copied into every run's record and shown in reports, so it must not hold keys, tokens
    or passwords. Name the environment variable that holds the secret: `{env: NAME}`. Only the name is ever stored or
    shown. A value written under a key such as `api_key`, `token` or `password` counts as a secret, and so does a text in the
    shape of a known provider's key, under any key. If it has been saved anywhere, replace it at the provider.
    """,
    wrong: Example(smallest + "\nparams: {api_key: correct-horse-battery}"),
    right: Example(smallest + "\nparams: {api_key: {env: JUDGE_KEY}}"))

  static let badOverride = Explanation(
    "`--set` without a value, or with more than one",
    """
    `--set name=value` gives a parameter another value, read as one value of YAML: a number, a text, `[a, b]`, `{a: b}`. Without
    `=` there is none. A text that YAML would cut or read as something else, such as `a #b`, `a: b` or `- a`, needs quotes of its own
    inside those of the shell: `--set 'name="a: b"'`.
    """,
    wrong: Example(smallest + "\nparams: {limit: 5}", set: ["limit"]),
    right: Example(smallest + "\nparams: {limit: 5}", set: ["limit=10"]))

  static let unknownParameter = Explanation(
    "a parameter that is not under `params`",
    """
    `$name`, `${name}` and `--set name=…` name entries of `params:`. Declare the parameter there, with its
    default value. A literal `${` is written `$${`.
    """,
    wrong: Example(
      smallest.replacing("train.jsonl}", with: "train.jsonl, limit: $rows}") + "\nparams: {row: 5}"),
    right: Example(
      smallest.replacing("train.jsonl}", with: "train.jsonl, limit: $rows}") + "\nparams: {rows: 5}"))

  static let badReference = Explanation(
    "`${` that names no parameter",
    """
    `${name}` inside a longer string inserts a parameter that is a word or a number. Here it is not closed, is not a name, or names
    a list or mapping. A literal `${` is written `$${`.
    """,
    wrong: Example(smallest + "\ndescription: \"costs ${5\""),
    right: Example(smallest + "\ndescription: \"costs $${5\""))

  static let outsideProject = Explanation(
    "a path outside the project",
    """
    The project is the nearest folder above the experiment that holds `.plumb`, else `.git`, else its own folder. What an
    experiment reads must be inside it, after symbolic links are resolved, so that the project can be shared as a whole.
    """,
    wrong: Example(smallest.replacing("train.jsonl", with: "../../../etc/hosts")), right: Example(smallest))

  static let notAFile = Explanation(
    "a path that is not a regular file",
    """
    Only regular files are read. The path names a folder where one file is meant, a folder without data files, or something that may
    have no end: a named pipe, a device, a socket, or a file that the kernel generates. An experiment itself may come from standard input: `-`.
    """,
    wrong: Example(smallest.replacing("train.jsonl", with: "sft")), right: Example(smallest))

  static let missingModel = Explanation(
    "a model does not exist yet", severity: .warning,
    """
    The path of a model names nothing that can be read. The experiment can be checked before the
    model exists, but a run refuses to start.
    """,
    wrong: Example(smallest + "\nmodels: {start: {path: nowhere}}"),
    right: Example(smallest + "\nmodels: {start: {path: sft}}"))

  static let notFetched = Explanation(
    "a data set is not here yet", severity: .warning,
    """
    `{hf: datasets/…, sha256: …}` names data of a hub that were not fetched yet. A run fetches them once into the model cache and
    checks them against their SHA-256. Until then nothing is known of their rows: fields that the options name are not looked for.
    """,
    wrong: Example(
      smallest.replacing(
        "train.jsonl", with: "{hf: datasets/owner/name@main, sha256: \(String(repeating: "ab", count: 32))}")),
    right: Example(smallest))

  static let serverRisk = Explanation(
    "a model's server that may leak a key or end its service", severity: .warning,
    """
    A key sent over `http` to another machine can be read by everyone on the way; inside a network that is yours it may be meant. Perspective
    is announced to end its service on 31 December 2026: an experiment that needs it cannot be repeated after that day.
    """,
    wrong: Example(smallest + "\nmodels: {judge: {server: \"http://judge.example/v1\", key: {env: PATH}}}"),
    right: Example(smallest + "\nmodels: {judge: {server: \"https://judge.example/v1\", key: {env: PATH}}}"))
}
