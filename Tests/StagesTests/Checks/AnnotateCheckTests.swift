// What `check` says of `annotate` and `exemplar` before anything runs.

import Stages
import Testing
import TinyModel

@Suite struct AnnotateCheckTests {
  private static let whole = """
    version: 1
    name: x
    models: {m: {path: sft}, rm: {path: reward}}
    stages:
      rows: {uses: data, with: {path: train.jsonl}}
      s: {uses: sample, in: {model: m, prompts: rows}, with: {n: 4, max_new_tokens: 4}}
      sc: {uses: score, in: {model: m, rows: s}, with: {scorer: {kind: choice, template: "{prompt}{generation}", labels: [a, b], reward: a}}}
      q: {uses: quantize, in: {rows: sc}, with: {classes: 3}}
      rule: {uses: annotate, in: {rows: q}, with: {annotator: {kind: rule, texts: [Good., Fair., Bad.]}}}
      ask: {uses: annotate, in: {model: m, rows: q}, with: {annotator: {kind: model, template: "{prompt}{generation}?", max_new_tokens: 9}, parser: {kind: text}}}
      read: {uses: annotate, in: {rows: ask}, with: {annotator: {kind: reply}, parser: {kind: category, labels: {good: 0, bad: 1}}}}
      p: {uses: pool, in: {rows: read}, with: {classes: [0, 1]}}
      e: {uses: exemplar, in: {prompts: rows, feedbacks: read}, with: {by: quantiles, classes: [0, 1]}}

    """

  private static let cases: [(old: String, new: String, expected: [String])] = [
    ("", "", []),
    // A rule.
    (
      "[Good., Fair., Bad.]", "[Good., \"\"]",
      [
        "error[unknown-class] at 9 \"Good.\": stage `rule`: the rows have classes 0 to 2, but `texts` has 2 texts, for classes 0 to 1",
        "error[wrong-value] at 9 \"\"\"\": stage `rule`: `texts` has an empty text for class 1",
      ]
    ),
    (
      "Fair., Bad.]}", "Fair., Bad., Awful.]}, parser: {kind: json, fields: {a: b}}, fail_above: 0.1",
      [
        "warning[unused-class] at 9 \"Good.\": stage `rule`: `texts` has 4 texts, but the rows have only classes 0 to 2",
        "error[conflicting-options] at 9 \"json\": stage `rule`: `parser` reads replies, and with `annotator` of kind `rule` there are none: the text of the class is the feedback",
        "error[conflicting-options] at 9 \"0.1\": stage `rule`: `fail_above` counts replies that cannot be read, and `annotator` of kind `rule` has none",
      ]
    ),
    (
      "in: {rows: q}, with: {annotator: {kind: rule", "in: {rows: s}, with: {annotator: {kind: rule",
      ["error[missing-column] at 9 \"s\": "]
    ),
    // A model.
    (
      "{model: m, rows: q}, with: {annotator: {kind: model",
      "{model: rm, rows: q}, with: {annotator: {kind: model",
      ["error[wrong-model] at 10 \"rm\": stage `ask`: input `model` needs a language model, but"]
    ),
    (
      "?\", max_new_tokens: 9}",
      "{genration} {rewards} {x.y}\", max_new_tokens: 200, attempts: 3, stop: [\"\"], chat: true}",
      [
        "error[unknown-field] at 10 \"\"{prompt}{generation}{genration} {rewards} {x.y}\"\": stage `ask`: `genration` is no column of the rows",
        "error[wrong-value] at 10 \"200\": stage `ask`: `max_new_tokens` is 200, but the model's context is 160 tokens, the question's included",
        "error[conflicting-options] at 10 \"3\": stage `ask`: `attempts` is 3, but at `temperature` 0 each attempt gives the same reply",
        "error[wrong-value] at 10 \"\"\"\": stage `ask`: `stop` contains an empty text, which every reply contains",
      ]
    ),
    (
      "?\", max_new_tokens: 9}",
      "{a}{c}\", max_new_tokens: 9, attempts: 3, temperature: 1, fields: {a: {from: prompt, after_first: b, after_last: c}, b: {from: generation}, c: {from: post}}}",
      [
        "error[conflicting-options] at 10 \"prompt\": stage `ask`: `fields.a` names the first and the last occurrence of a text",
        "warning[unused-input] at 10 \"generation\": stage `ask`: `fields` makes `b`, which `template` does not name",
        "error[unknown-field] at 10 \"post\": stage `ask`: `post` is no column of the rows",
      ]
    ),
    (
      "{prompt}{generation}?", "{prompt",
      ["error[bad-template] at 10 \"\"{prompt\"\": stage `ask`: `template`: `{` at byte 1 is not closed"]
    ),
    (
      "{prompt}{generation}?", "<|nobody|>{prompt}",
      [
        "warning[unread-marker] at 10 \"\"<|nobody|>{prompt}\"\": stage `ask`: `<|nobody|>` is not a token of the model at `model`, which reads it as 7 tokens of ordinary text"
      ]
    ),
    // Parsers.
    (
      "{kind: text}", "{kind: regex, pattern: \"(a\"}",
      [
        "error[wrong-value] at 10 \"\"(a\"\": stage `ask`: `pattern`: character 1: `(` is not closed; as text it is written `\\(`"
      ]
    ),
    (
      "{kind: text}", "{kind: regex, pattern: \"a\", numbers: [b]}",
      [
        "error[wrong-value] at 10 \"\"a\"\": stage `ask`: `pattern` has no named group, so nothing would be read",
        "error[unknown-field] at 10 \"b\": stage `ask`: `numbers` names `b`, which the parser does not read",
      ]
    ),
    (
      "{kind: text}", "{kind: json, fields: {replies: a, prompt: b}}",
      [
        "error[wrong-value] at 10 \"json\": stage `ask`: `parser` reads a column `prompt`, which the rows have for something else"
      ]
    ),
    (
      "{kind: text}", "{kind: analysis_feedback_score, range: [3, 0]}",
      [
        "error[wrong-value] at 10 \"3\": stage `ask`: `range` goes from 3.0 to 0.0, which no score is within"
      ]
    ),
    (
      "labels: {good: 0, bad: 1}", "match: ignore_case, labels: [Good, good, \"\", \" bad\"]",
      [
        "error[wrong-value] at 11 \"good\": stage `read`: `labels` contains `Good` and `good`, which `match: ignore_case` takes for one",
        "error[wrong-value] at 11 \"\"\"\": stage `read`: a label of `labels` is empty",
        "error[wrong-value] at 11 \"\" bad\"\": stage `read`: the label \" bad\" has white space at its ends, and replies are read without it",
      ]
    ),
    (
      "labels: {good: 0, bad: 1}", "labels: {good: 0, bad: worse}",
      [
        "error[conflicting-options] at 11 \"0\": stage `read`: `labels` gives some labels a class and others a text"
      ]
    ),
    (
      "{kind: reply}", "{kind: reply, column: said}",
      ["error[missing-column] at 11 \"ask\": "]
    ),
    // Classes go on to who reads them.
    (
      "bad: 1}}}}", "bad: 0}}}}",
      [
        "error[unknown-class] at 12 \"1\": stage `p`: `classes` names class 1, but the rows have classes 0 to 0"
      ]
    ),
    // Exemplars.
    (
      "{by: quantiles, classes: [0, 1]}", "{by: feedbacks}",
      [
        "error[conflicting-options] at 13 \"feedbacks\": stage `e`: `by: feedbacks` needs the classes in `classes`, which is empty"
      ]
    ),
    (
      "{by: quantiles, classes: [0, 1]}", "{empty: fail}",
      [
        "error[missing-column] at 13 \"read\": stage `e`: `by: scores` reads the column `scores`, which the rows at `feedbacks` do not have",
        "error[conflicting-options] at 13 \"fail\": stage `e`: `empty` is `fail`, but without `classes` the best class is the best that there is, which is never empty",
      ]
    ),
    (
      "{by: quantiles, classes: [0, 1]}", "{by: quantiles, classes: [0, a, 0]}",
      [
        "error[wrong-value] at 13 \"a\": stage `e`: `classes` holds \"a\", but `quantiles` are numbers",
        "error[wrong-value] at 13 \"0\": stage `e`: `classes` holds 0 twice",
      ]
    ),
  ]

  @Test(arguments: cases.indices) func `each mistake is said once, at its place`(_ index: Int) throws {
    let bench = try CheckBench()
    try bench.model("reward") { $0.head = TinyModel.rewardHead }
    let (old, new, expected) = Self.cases[index]
    let text = old.isEmpty ? Self.whole : Self.whole.replacing(old, with: new, maxReplacements: 1)
    let found = try bench.check(text)
    let matches = found.count == expected.count && zip(found, expected).allSatisfy { $0.hasPrefix($1) }
    #expect(
      matches,
      "\(new)\nfound:\n\(found.joined(separator: "\n"))\nexpected:\n\(expected.joined(separator: "\n"))")
  }
}
