// What `check` says of a conditioning on columns, and of a condition that asks for it.

import JSON
import Runner
import Stages
import Testing
import TinyModel

@Suite struct ConditioningCheckTests {
  private static let whole = """
    version: 1
    name: x
    models: {m: {path: sft}}
    stages:
      rows: {uses: data, with: {path: train.jsonl}}
      s: {uses: sample, in: {model: m, prompts: rows}, with: {n: 4, max_new_tokens: 4}}
      f: {uses: command, in: {rows: s}, with: {run: [cat], inputs: [{name: rows, type: rows}], outputs: [{name: rows, type: rows, columns: [prompt, {name: generations, per: sample}, {name: feedbacks, per: sample}, {name: scores, per: sample}]}]}}
      t: {uses: train, in: {model: m, rows: f}, with: {lr: 1e-4, conditioning: CONDITIONING}}
      again: {uses: sample, in: {model: t.model, prompts: rows}, with: {max_new_tokens: 4, condition: CONDITION}}

    """

  private static func text(_ conditioning: String, _ condition: String) -> String {
    whole.replacing("CONDITIONING", with: conditioning).replacing("CONDITION", with: condition)
  }

  static let open = "{kind: text, column: feedbacks, template: \"feedback: {value} input: \"}"
  static let best =
    "{kind: text, column: feedbacks, template: \"feedback: {value} input: \", best_by: scores}"

  static let cases: [(conditioning: String, condition: String, expected: [String])] = [
    (best, "best", []),
    (open, "{text: \"feedback: fine input: \"}", []),
    (
      open, "best",
      [
        "error[unknown-class] at 9 \"best\": stage `again`: `condition: best` asks for the best texts that the model was trained with, and it keeps none"
      ]
    ),
    (
      best, "{class: 1}",
      [
        "error[unknown-class] at 9 \"1\": stage `again`: `condition` asks for class 1, but the model has classes 0 to 0"
      ]
    ),
    (
      best, "{column: exemplar}",
      [
        "error[missing-column] at 9 \"rows\": stage `again`: `condition: {column: exemplar}` reads the column `exemplar`, which the rows at `prompts` do not have"
      ]
    ),
    (
      best, "{column: prompt, template: \"{values} \"}",
      [
        "error[bad-template] at 9 \"\"{values} \"\": stage `again`: `template` is \"{values} \"; expected one that names `{value}`, once"
      ]
    ),
    (
      "{kind: text}", "none",
      [
        "warning[unknown-column] at 8 \"f\": stage `t`: `conditioning` of kind `text` reads the column `quantiles`, which no earlier stage declares for the rows at `rows`",
        "error[conflicting-options] at 8 \"text\": stage `t`: `conditioning` of kind `text` has neither `prefixes` nor `template`",
      ]
    ),
    (
      "{kind: text, column: scores, prefixes: [a, b], template: \"{value}\"}", "none",
      [
        "error[conflicting-options] at 8 \"\"{value}\"\": stage `t`: `prefixes` and `template` are two rules for one text"
      ]
    ),
    (
      "{kind: text, column: feedbacks, prefixes: [a, b], labels: [good, bad, good]}", "none",
      [
        "error[conflicting-options] at 8 \"a\": stage `t`: `conditioning.labels` has 3 entries for 2 classes; expected one for each",
        "error[wrong-value] at 8 \"good\": stage `t`: `labels` holds \"good\" twice",
      ]
    ),
    (
      "{kind: text, column: feedbacks, prefixes: [a, b], labels: [good, bad], keep: [off_list], best_by: scores}",
      "best",
      [
        "error[conflicting-options] at 8 \"off_list\": stage `t`: `keep: [off_list]` trains on entries that are none of `labels`, in a `template`, but there is no template",
        "error[conflicting-options] at 8 \"scores\": stage `t`: `best_by` keeps the best of the samples' own texts, but there are classes",
      ]
    ),
  ]

  @Test(arguments: cases.indices) func `a mistake is said before work starts`(_ index: Int) throws {
    let example = Self.cases[index]
    let found = try CheckBench().check(Self.text(example.conditioning, example.condition))
    #expect(found == example.expected)
  }
}
