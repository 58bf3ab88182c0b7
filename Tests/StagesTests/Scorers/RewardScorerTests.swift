// `kind: reward`: value heads and classifiers, their labels, probabilities, and what is refused.

import Glibc
import JSON
import Models
import Runner
import Stages
import System
import Testing
import TinyModel

@Suite struct RewardScorerTests {
  let bench: ModelBench
  init() { bench = ModelBench() }

  static let labels = Head.classification(labels: ["negative", "neutral", "1"])

  private func rewards(_ model: String, _ options: [(String, JSON)] = [], mode: String = "bf16") throws
    -> [Double]
  {
    var scorer = JSONObject([("kind", "reward"), ("template", "{prompt}{generation}")])
    for (name, value) in options { scorer[name] = value }
    let output = try bench.run(
      ScoreStage(), ["scorer": .object(scorer)], models: ["model": model], rows: pooledRows(), mode: mode)
    return try bench.rows(output).flatMap { ($0["rewards"]?.arrayValue ?? []).compactMap(\.doubleValue) }
  }

  /// The head's outputs at the last token of each text, in fp32.
  private func outputs(_ model: String) throws -> [[Float]] {
    let checkpoint = try openCheckpoint(model)
    let decoder = try Decoder(
      checkpoint.configuration, from: checkpoint.tensors, mode: .fp32, backend: CPUBackend(threads: 1))
    let tokenizer = try checkpoint.requireTokenizer()
    return try pooledRows().flatMap { row in
      try (row["generations"]?.arrayValue ?? []).map { generation in
        let text = (row["prompt"]?.stringValue ?? "") + (generation.stringValue ?? "")
        return try #require(try SequenceLogits(decoder).logits(tokenizer.encode(text)).last)
      }
    }
  }

  @Test func `a value head's score is its value`() throws {
    let model = try bench.model { $0.head = .value }
    #expect(try rewards(model, mode: "fp32") == outputs(model).map { Double($0[0]) })
  }

  @Test func `a label is named or numbered, and its number is a logit or a probability`() throws {
    let model = try bench.model { $0.head = Self.labels }
    let all = try outputs(model)
    func expected(_ value: ([Double]) -> Double) -> [Double] { all.map { value($0.map { Double($0) }) } }
    func near(_ found: [Double], _ expected: [Double]) -> Bool {
      zip(found, expected).allSatisfy { abs($0 - $1) < 1e-6 } && found.count == 15
    }
    for label in ["neutral", 1] as [JSON] {
      #expect(try rewards(model, [("label", label)], mode: "fp32") == expected { $0[1] }, "\(label.text())")
    }
    // A name may look like a number.
    #expect(try rewards(model, [("label", "1")], mode: "fp32") == expected { $0[2] })
    func softmax(_ x: [Double], _ index: Int) -> Double { exp(x[index]) / x.reduce(0) { $0 + exp($1) } }
    #expect(
      near(
        try rewards(model, [("label", "negative"), ("output", "probability")], mode: "fp32"),
        expected { softmax($0, 0) }))
    #expect(
      near(
        try rewards(model, [("label", "negative"), ("output", "log_probability")], mode: "fp32"),
        expected { log(softmax($0, 0)) }))
    // Labels of which any number may hold have a probability each.
    try change(model, "problem_type", "multi_label_classification")
    #expect(
      near(
        try rewards(model, [("label", "neutral"), ("output", "probability")], mode: "fp32"),
        expected { 1 / (1 + exp(-$0[1])) }))
    let one = try bench.model("one") { $0.head = TinyModel.rewardHead }
    let logits = try outputs(one).map { Double($0[0]) }
    #expect(
      near(try rewards(one, [("output", "probability")], mode: "fp32"), logits.map { 1 / (1 + exp(-$0)) }))
    #expect(
      near(
        try rewards(one, [("output", "log_probability")], mode: "fp32"), logits.map { -log(1 + exp(-$0)) }))
  }

  private func change(_ model: String, _ key: String, _ value: JSON) throws {
    var config = try #require(try bench.json("\(model)/config.json").objectValue)
    config[key] = value
    try File.writeWhole(JSON.object(config).text(), to: "\(model)/config.json")
  }

  @Test func `a label or a probability that the model does not have is refused`() throws {
    let model = try bench.model { $0.head = Self.labels }
    #expect(
      inputError { _ = try rewards(model) }.hasSuffix(
        "the model has 3 labels, and `label` does not say which one is the reward; the labels are: `negative`, `neutral`, `1`"
      ))
    #expect(
      inputError { _ = try rewards(model, [("label", "Neutral")]) }.hasSuffix(
        "`label` is `Neutral`, which is none of the model's; did you mean `neutral`?"))
    #expect(
      inputError { _ = try rewards(model, [("label", 3)]) }.contains(
        "`label` is `3`, which is none of the model's")
    )
    let value = try bench.model("value") { $0.head = .value }
    #expect(
      inputError { _ = try rewards(value, [("label", 0)]) }.contains(
        "`label` is `0`, but the model is a reward model with a value head, which has no labels"))
    #expect(
      inputError { _ = try rewards(value, [("output", "probability")]) }.contains(
        "so its number is no probability"))
    let regression = try bench.model("regression") { $0.head = TinyModel.rewardHead }
    try change(regression, "problem_type", "regression")
    #expect(
      inputError { _ = try rewards(regression, [("output", "probability")]) }.contains(
        "but its `problem_type` is `regression`"))
    #expect(try rewards(regression).count == 15)
  }

  @Test func `texts are cut to a length, and the log says how many`() throws {
    let model = try bench.model { $0.head = .value }
    let whole = try rewards(model)
    let cut = try rewards(model, [("max_length", 8)])
    #expect(bench.log.contains("10 texts cut"), "\(bench.log)")
    #expect(cut != whole && cut.count == whole.count)
    #expect(try rewards(model, [("max_length", 160)]) == whole)
    // Nothing after the token at which the score is read has a part in it.
    let marked = try rewards(
      model, [("template", "{prompt}{generation}<|im_end|> and more"), ("read_before", "<|im_end|>")])
    #expect(marked == whole)
  }
}
