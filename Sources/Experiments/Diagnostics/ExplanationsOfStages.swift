// Explanations: what stages take and give.

import System

extension Explanation {
  private static let sampling =
    smallest.replacing("stages:", with: "models: {sft: {path: sft}}\nstages:")
    + "\n  answers: {uses: sample, in: {model: sft, prompts: rows}, with: {max_new_tokens: 8}}"

  private static let training =
    sampling
    + "\n  tuned: {uses: train, in: {model: sft, rows: answers}, with: {lr: 1e-5, conditioning: {kind: none}}}"

  /// A stage that scores `answers`.
  static let scoring =
    "{uses: score, in: {model: sft, rows: answers}, with: {scorer: {kind: choice, template: \"{prompt}{generation} Good? \", labels: [\"yes\", \"no\"], reward: \"yes\"}}}"

  private static func program(columns: String) -> String {
    "{uses: command, in: {rows: answers}, with: {run: [./words], rows: stream, inputs: [{name: rows}], outputs: [{name: rows, columns: [\(columns)]}]}}"
  }

  static let unknownPlugIn = Explanation(
    "a stage of a kind that does not exist",
    "`uses:` names the kind of a stage and defaults to the stage's own name. `\(Program.name) stages` lists them.",
    wrong: Example(smallest.replacing("uses: data", with: "uses: dta")), right: Example(smallest))

  static let unknownInput = Explanation(
    "an input that the stage does not have",
    "`in:` binds a stage's inputs by their names. `\(Program.name) stages NAME` lists them.",
    wrong: Example(smallest + "\n  drawn: {uses: draw, in: {row: rows}, with: {count: 8}}"),
    right: Example(smallest + "\n  drawn: {uses: draw, in: {rows: rows}, with: {count: 8}}"))

  static let missingInput = Explanation(
    "a required input is not bound",
    "The stage requires this input: name under `in:` what it reads.",
    wrong: Example(smallest + "\n  drawn: {uses: draw, with: {count: 8}}"),
    right: Example(smallest + "\n  drawn: {uses: draw, in: {rows: rows}, with: {count: 8}}"))

  static let nullInput = Explanation(
    "a required input is null",
    """
    Only an optional input may be `null`. A carried value that begins as `null` is null in the first iteration, and fits only
    optional inputs.
    """,
    wrong: Example(smallest + "\n  drawn: {uses: draw, in: {rows: null}, with: {count: 8}}"),
    right: Example(smallest + "\n  drawn: {uses: draw, in: {rows: rows}, with: {count: 8}}"))

  static let typeMismatch = Explanation(
    "an input is bound to another type than it takes",
    "Outputs are rows, models, metrics or files. Another output of the same stage may fit.",
    wrong: Example(
      sampling.replacing("{model: sft, prompts: rows}", with: "{model: rows, prompts: sft}")),
    right: Example(sampling))

  static let missingColumn = Explanation(
    "rows lack a column that a stage reads",
    """
    A stage declares the columns it reads and those it gives. The rows that reach this input come from stages that do not
    give it.
    """,
    wrong: Example(sampling + "\n  sorted: {uses: quantize, in: {rows: answers}}"),
    right: Example(sampling + "\n  scored: \(scoring)\n  sorted: {uses: quantize, in: {rows: scored}}"))

  static let unknownColumn = Explanation(
    "rows may lack a column that a stage reads", severity: .warning,
    """
    No stage declares the column, but the rows come from a program, which may give more columns than it declares. If it does
    not, the stage fails when it reads them. Declare the columns that a program gives.
    """,
    wrong: Example(
      sampling + "\n  words: \(program(columns: ""))\n  sorted: {uses: quantize, in: {rows: words}}"),
    right: Example(
      sampling + "\n  words: \(program(columns: "rewards"))\n  sorted: {uses: quantize, in: {rows: words}}")
  )

  static let numericMode = Explanation(
    "a stage that cannot compute in its numeric mode",
    """
    In `int8` the weights are rounded to integers, and in `file` they are the integers of a GGUF file; these have no gradient,
    so `train` cannot use either mode. In `file` each model of a stage has to be a GGUF file with such integers (Q8_0, Q4_0, Q4_1,
    Q5_0, Q5_1, Q4_K, Q5_K or Q6_K). A stage may have a `numeric` of its own beside `with:`.
    """,
    wrong: Example(training + "\nnumeric: int8"),
    right: Example(
      training.replacing("{kind: none}}", with: "{kind: none}}, numeric: bf16") + "\nnumeric: int8")
  )

  static let notShardable = Explanation(
    "a stage that cannot be split into shards",
    """
    `shards: n` lets n workers each compute a part of the rows, which is possible where the result of a row depends on that row alone.
    This stage needs all rows together.
    """,
    wrong: Example(smallest + "\n  drawn: {uses: draw, in: {rows: rows}, with: {count: 8}, shards: 4}"),
    right: Example(sampling.replacing("max_new_tokens: 8}", with: "max_new_tokens: 8}, shards: 4")))
}
