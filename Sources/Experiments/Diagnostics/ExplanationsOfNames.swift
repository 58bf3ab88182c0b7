// Explanations: names, and what they refer to.

import System

extension Explanation {
  private static let models = "models: {sft: {path: sft}}\n"

  static let badName = Explanation(
    "a name with characters that a name cannot have",
    """
    Names of stages, loops, models, parameters and metrics are a letter or `_`, then letters, digits, `_` and `-`; `.` and `@`
    belong to addresses. The experiment's own name may hold `.` and names a folder.
    """,
    wrong: Example(smallest.replacing("rows:", with: "my rows:")),
    right: Example(smallest.replacing("rows:", with: "my_rows:")))

  static let duplicateName = Explanation(
    "one name for two things",
    """
    A reference is a bare name, so all names that are visible in one place must differ: models, stages, loops, and inside
    a loop its carried values.
    """,
    wrong: Example(
      smallest.replacing("rows:", with: "sft:").replacing("stages:", with: models + "stages:")),
    right: Example(smallest.replacing("stages:", with: models + "stages:")))

  static let unknownReference = Explanation(
    "a reference to something that does not exist",
    """
    `in:`, `needs:` and `carry:` name stages, models and carried values. Inside a loop, write the bare names of its stages;
    from outside with an iteration: `loop@2.stage`, `loop@last.stage`.
    """,
    wrong: Example(smallest + "\n  drawn: {uses: draw, in: {rows: row}, with: {count: 8}}"),
    right: Example(smallest + "\n  drawn: {uses: draw, in: {rows: rows}, with: {count: 8}}"))

  static let unknownOutput = Explanation(
    "a reference to an output that the stage does not have",
    "`stage` means its first output, `stage.name` the one of that name. `\(Program.name) stages NAME` lists them.",
    wrong: Example(smallest + "\n  drawn: {uses: draw, in: {rows: rows.row}, with: {count: 8}}"),
    right: Example(smallest + "\n  drawn: {uses: draw, in: {rows: rows.rows}, with: {count: 8}}"))

  static let unknownMetric = Explanation(
    "a metric that no stage reports",
    """
    A metric is the address of a number in the metrics of a stage: `evaluate.reward`, `loop@last.evaluate.reward`, and
    `loop@all.evaluate.reward` for one value an iteration.
    """,
    wrong: Example(smallest + "\nmetrics: {quality: rows.reward}"),
    right: Example(
      smallest.replacing("stages:", with: models + "stages:") + """

          answers: {uses: sample, in: {model: sft, prompts: rows}, with: {max_new_tokens: 8}}
          scored: \(scoring)
          evaluate: {in: {rows: scored}, with: {metrics: [reward]}}
        metrics: {quality: evaluate.reward}
        """))

  static let cycle = Explanation(
    "stages depend on each other",
    """
    Each of these stages needs the result of the next, and the last one needs that of the first. To pass a value from one
    iteration to the next, use a loop: `carry: {name: {first: …, next: …}}`.
    """,
    wrong: Example(
      smallest + """

          a: {uses: draw, in: {rows: b}, with: {count: 8}}
          b: {uses: draw, in: {rows: a}, with: {count: 8}}
        """),
    right: Example(
      smallest + """

          a: {uses: draw, in: {rows: rows}, with: {count: 8}}
          b: {uses: draw, in: {rows: a}, with: {count: 8}}
        """))
}
