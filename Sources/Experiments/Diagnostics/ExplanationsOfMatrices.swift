// Explanations: matrices and collections, files and parameters that name each other, secrets.

import System

extension Explanation {
  private static func cells(_ matrix: String, then: String = "") -> Example {
    Example(
      smallest + "\n  drawn: {matrix: \(matrix), uses: draw, in: {rows: rows}, with: {count: $n}}" + then)
  }

  static let badLabel = Explanation(
    "a value of a matrix that cannot name its cell",
    """
    Cells have addresses such as `drawn@n=8`, so each value needs a label of letters, digits, `_`, `-`, `+` and `.`. A number or a
    word is its own label; give anything else one: `{matrix: {n: {few: 1, many: 100}}}`.
    """,
    wrong: cells("{n: [[1, 2]]}"), right: cells("{n: {few: 1, many: 2}}"))

  static let collection = Explanation(
    "several results where one is expected",
    """
    The name of a matrix alone means all of its cells, and `@all` means all iterations of a loop. An input that
    takes one result needs one of them: `drawn@n=1`, `quark@last.train`.
    """,
    wrong: cells("{n: [1, 2]}", then: "\n  again: {uses: draw, in: {rows: drawn}, with: {count: 1}}"),
    right: cells("{n: [1, 2]}", then: "\n  again: {uses: draw, in: {rows: drawn@n=1}, with: {count: 1}}"))

  static let duplicateValue = Explanation(
    "a matrix has the same value or cell twice",
    "Every value of an axis makes its own cells, so list each once; `include` adds only cells that do not exist yet.",
    wrong: cells("{n: [1, 1]}"), right: cells("{n: [1, 2]}"))

  static let emptyMatrix = Explanation(
    "a matrix has no cells",
    "After `exclude` at least one combination of values must be left.",
    wrong: cells("{n: [1], exclude: [{n: 1}]}"), right: cells("{n: [1, 2], exclude: [{n: 1}]}"))

  static let matrixShape = Explanation(
    "the cells of a matrix hold different stages",
    """
    References name a stage of a cell, so all cells must hold the same stage names. Let the axes change values,
    and keep the names under `stages:`.
    """,
    wrong: Example(
      smallest + "\n  both: {matrix: {x: {one: {p: {uses: draw}}, two: {q: {uses: draw}}}}, stages: $x}"),
    right: Example(
      smallest
        + "\n  both: {matrix: {n: [1, 2]}, stages: {p: {uses: draw, in: {rows: rows}, with: {count: $n}}}}")
  )

  static let unknownAxis = Explanation(
    "an axis that the matrix does not have",
    "`include`, `exclude` and addresses name the axes as the matrix does.",
    wrong: cells("{n: [1, 2], exclude: [{m: 1}]}"), right: cells("{n: [1, 2], exclude: [{n: 1}]}"))

  static let unknownCell = Explanation(
    "`exclude` matches no cell",
    "Each entry of `exclude` must remove at least one cell; this one removes none.",
    wrong: cells("{n: [1, 2], exclude: [{n: 1}, {n: 1}]}"), right: cells("{n: [1, 2], exclude: [{n: 1}]}"))

  static let unknownValue = Explanation(
    "a value that the axis does not have",
    "The values of an axis are those listed under its name; a cell is chosen by one of them.",
    wrong: cells("{n: [1, 2], exclude: [{n: 3}]}"), right: cells("{n: [1, 2], exclude: [{n: 2}]}"))

  static let parameterCycle = Explanation(
    "a parameter refers to itself",
    "A parameter may refer to another parameter, but not in a cycle.",
    wrong: Example(smallest + "\nparams: {a: $b, b: $a}"),
    right: Example(smallest + "\nparams: {a: 1, b: $a}"))

  static let unusedParameter = Explanation(
    "a parameter that nothing uses", severity: .warning,
    """
    A parameter has an effect only where `$name` or `${name}` is written. A parameter with the name of an option
    does not set the option.
    """,
    wrong: Example(smallest + "\nparams: {limit: 1}"),
    right: Example(
      smallest.replacing("train.jsonl", with: "train.jsonl, limit: $limit") + "\nparams: {limit: 1}"))

  static let extendsCycle = Explanation(
    "files that extend each other in a cycle",
    """
    `extends:` names the file that this one changes. The chain of these files must end.
    """,
    wrong: Example(smallest + "\nextends: experiment.yaml"), right: Example(smallest))

  static let notADirectory = Explanation(
    "an entry of `inputs` that is not a directory",
    """
    `inputs:` declares directories outside the project that may hold files and models for the experiment.
    """,
    wrong: Example(smallest + "\ninputs: [train.jsonl]"), right: Example(smallest + "\ninputs: [sft]"))

  static let missingVariable = Explanation(
    "an environment variable that is not set", severity: .warning,
    """
    `{env: NAME}` stands for the value of a variable when the stage runs; only its name is in keys, plans, logs and records.
    `\(Program.name) run` refuses to start while the variable of a stage that must run is not set or empty.
    """,
    wrong: Example(smallest.replacing("}}", with: ", prompt: {env: PLUMB_NOT_SET}}}")),
    right: Example(smallest))
}
