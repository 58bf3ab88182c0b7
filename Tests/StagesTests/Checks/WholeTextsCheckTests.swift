// `train` with objectives of whole texts, before anything runs.

import Stages
import Testing
import TinyModel

@Suite struct WholeTextsCheckTests {
  private static let pairwise = "objective: {kind: pairwise}"
  private static let classify = "objective: {kind: classify, labels: [bad, good], column: label}"

  /// Each with its place after `LINE `.
  private func problems(
    _ train: String, model: String = "m",
    score: String = "{uses: score, in: {model: it.model, rows: rows}, with: {scorer: {kind: reward}}}",
    rows: String = "keep: [label], samples: {rewards: [a, b]}"
  ) throws -> [String] {
    let bench = try CheckBench()
    try bench.model("m")
    try bench.model("value") { $0.head = .value }
    try bench.model("labels") { $0.head = .classification(labels: ["bad", "good"]) }
    try bench.write(
      (1...8).map {
        #"{"id": "\#($0)", "p": "x", "c": "y", "r": "z", "a": 1, "b": 0, "label": "good"}"# + "\n"
      }
      .joined(), to: "pairs.jsonl")
    return try bench.check(
      """
      version: 1
      name: example
      models: {m: {path: m}, value: {path: value}, labels: {path: labels}}
      stages:
        rows: {uses: data, with: {path: pairs.jsonl, prompt: "{p}", generations: ["{c}", "{r}"], \(rows)}}
        it: {uses: train, in: {model: \(model), rows: rows}, with: {lr: 1e-3, \(train)}}
        scored: \(score)
      """)
  }

  @Test func `a language model and a model with a fitting head are trained, and then score`() throws {
    #expect(try problems(Self.pairwise) == [])
    #expect(try problems(Self.pairwise, model: "value") == [])
    let label =
      "{uses: score, in: {model: it.model, rows: rows}, with: {scorer: {kind: reward, label: good}}}"
    #expect(try problems(Self.classify, score: label) == [])
    #expect(try problems(Self.classify, model: "labels", score: label) == [])
    #expect(try problems("objective: {kind: pairwise, preferred: first}", rows: "limit: 4") == [])
    #expect(try problems(Self.pairwise + ", conditioning: {kind: none}") == [])
  }

  @Test func `a wrong head is refused where the model is bound`() throws {
    #expect(
      try problems(Self.pairwise, model: "labels", score: "{uses: draw, in: {rows: rows}, with: {count: 1}}")
        == [
          "error[wrong-model] at 6 \"labels\": stage `it`: input `model` needs a language model, or a reward model whose head gives one number, but this is a classifier of 2 labels: `bad`, `good`"
        ])
    let wrong = try problems(
      "objective: {kind: classify, labels: [good, bad], column: label}", model: "labels",
      score: "{uses: draw, in: {rows: rows}, with: {count: 1}}")
    #expect(
      wrong == [
        "error[wrong-model] at 6 \"labels\": stage `it`: input `model` needs a language model, or a classifier of `good`, `bad`, in this order, but this is a classifier of 2 labels: `bad`, `good`"
      ])
    // What comes of it is no language model.
    let sampled = try problems(
      Self.pairwise, score: "{uses: sample, in: {model: it.model, prompts: rows}, with: {max_new_tokens: 1}}")
    #expect(sampled.count == 1)
    #expect(sampled[0].contains("needs a language model, but this is a reward model with a value head"))
    let unnamed = try problems(Self.classify)
    #expect(unnamed.count == 1)
    #expect(unnamed[0].contains("the model has 2 labels, and `label` does not say which one is the reward"))
  }

  @Test func `held-out rows need the column of the objective and no classes`() throws {
    let held = "m, validation: rows"
    #expect(try problems(Self.pairwise + ", evaluate_every: 1", model: held) == [])
    #expect(
      try problems(
        "objective: {kind: pairwise, preferred: first}, evaluate_every: 1", model: held, rows: "limit: 4")
        == [])
    let missing = try problems(Self.pairwise + ", evaluate_every: 1", model: held, rows: "limit: 4")
    #expect(missing.count == 2)
    for port in ["rows", "validation"] {
      #expect(
        missing.contains {
          $0.contains("reads the column `rewards`, which the rows at `\(port)` do not have")
        })
    }
  }

  @Test func `rows without the column are refused`() throws {
    #expect(
      try problems(Self.pairwise, rows: "limit: 4") == [
        "error[missing-column] at 6 \"rows\": stage `it`: `objective` of kind `pairwise` reads the column `rewards`, which the rows at `rows` do not have"
      ])
    let missing = try problems(
      "objective: {kind: classify, labels: [bad, good], column: kind}",
      score: "{uses: draw, in: {rows: rows}, with: {count: 1}}")
    #expect(missing.count == 1)
    #expect(missing[0].contains("reads the column `kind`"))
  }

  /// Each alone.
  @Test(arguments: [
    ("conditioning: {kind: text, prefixes: [a]}", "conditioning"),
    ("end: always", "end"), ("max_new_tokens: 4", "max_new_tokens"),
    ("max_length: 8", "max_length"), ("chat: true", "chat"),
    ("conditioning_lr: 1e-3", "conditioning_lr"), ("targets: text", "targets"),
  ])
  func `options of outputs after prompts have nothing to act on`(
    written: String, name: String
  ) throws {
    let found = try problems(Self.pairwise + ", " + written)
    #expect(found.count == 1, "\(found)")
    #expect(found.first?.hasPrefix("error[conflicting-options] at 6 ") == true, "\(found)")
    #expect(
      found.first?.hasSuffix(
        "`\(name)` is for objectives that train outputs after their prompts, and `pairwise` reads whole texts"
      )
        == true, "\(found)")
  }

  @Test(arguments: [
    ("template: \"{post}\"", "unknown-field", "`template` names `{post}`"),
    ("split: everywhere", "conflicting-options", "`split` is `everywhere`, but there is no `separator`"),
    ("read_before: \"<end>\"", "wrong-value", "`read_before` is `<end>`, which is no special token"),
    ("pad: \"<pad>\"", "wrong-value", "`pad` is `<pad>`, which is no special token of the model at `model`"),
    ("pad: \"<|im_end|>\", positions: last", "conflicting-options", "`pad` fills the shorter text"),
    ("preferred: first, column: scores", "conflicting-options", "`preferred: first` compares no numbers"),
    (
      "max_length: 1000", "wrong-value",
      "`max_length` is 1000, but the context of the model at `model` is 160"
    ),
  ])
  func `a wrong option of the objective is found at its place`(written: String, code: String, text: String)
    throws
  {
    let found = try problems(
      "objective: {kind: pairwise, \(written)}", score: "{uses: draw, in: {rows: rows}, with: {count: 1}}")
    #expect(found.count == 1, "\(found)")
    #expect(found.first?.hasPrefix("error[\(code)] at 6 ") == true, "\(found)")
    #expect(found.first?.contains(text) == true, "\(found)")
  }

  @Test func `labels are given once`() throws {
    let found = try problems(
      "objective: {kind: classify, labels: [bad, good, bad], column: label}",
      score: "{uses: draw, in: {rows: rows}, with: {count: 1}}")
    #expect(found == ["error[wrong-value] at 6 \"bad\": stage `it`: `labels` contains `bad` twice"])
  }

  @Test func `a scorer that makes other texts than the training is warned of`() throws {
    let found = try problems(
      "objective: {kind: pairwise, template: \"{prompt} {generation}\"}",
      score: "{uses: score, in: {model: it.model, rows: rows}, with: {scorer: {kind: reward, strip: true}}}")
    #expect(
      found.map { String($0.prefix { $0 != "\"" }) } == [
        "warning[conflicting-options] at 7 ", "warning[conflicting-options] at 7 ",
      ], "\(found)")
    #expect(
      found.first?.contains("but the model at `model` was trained with \"{prompt} {generation}\"") == true)
    #expect(found.last?.hasSuffix("`strip` is true, but the model at `model` was trained with false") == true)
  }
}
