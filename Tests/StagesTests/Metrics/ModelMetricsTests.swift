// Metrics that read with a model: kl and win_rate.

import Glibc
import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

struct ModelMetricsTests {
  let bench = ModelBench()

  private func evaluate(
    _ options: JSON, models: [String: String], rows: [Row], baseline: [Row]? = nil,
    _ circumstances: ModelBench.Circumstances = .init()
  ) throws -> JSON {
    try bench.json(
      bench.run(
        EvaluateStage(), options, models: models, rows: rows,
        others: baseline.map { ["baseline": $0] } ?? [:],
        circumstances) + "/metrics.json")
  }

  // MARK: kl

  /// From all logits of both models, in Double.
  @Test func `the divergence is the mean difference of log-probabilities, and their sum by generation`()
    throws
  {
    let policy = try bench.model("policy") { $0.seed = 7 }
    let reference = try bench.model("reference")
    var rows = pooledRows(2)
    rows[0]["conditioning"] = ["Good. ", nil, "Bad. "]
    rows[1]["conditioning"] = [nil, nil, nil]
    let models = ["policy": policy, "reference": reference]
    let found = try evaluate(["metrics": ["kl"]], models: models, rows: rows)
    var differences: [[Double]] = []
    for row in rows {
      for (index, text) in (row["generations"]?.arrayValue ?? []).compactMap(\.stringValue).enumerated() {
        let prefix = row["conditioning"]?.arrayValue?[index].stringValue ?? ""
        let prompt = row["prompt"]?.stringValue ?? ""
        let p = try logProbabilities(policy, prefix + prompt, text)
        let q = try logProbabilities(reference, prompt, text)
        differences.append(zip(p, q).map { $0 - $1 })
      }
    }
    let tokens = differences.flatMap { $0 }
    let mean = tokens.reduce(0, +) / Double(tokens.count)
    let sum = tokens.reduce(0, +) / Double(differences.count)
    #expect(abs(mean) > 1e-3)
    #expect(abs((found["kl"]?.doubleValue ?? .nan) - mean) < 1e-3 * abs(mean))
    #expect(abs((found["kl_sum"]?.doubleValue ?? .nan) - sum) < 1e-3 * abs(sum))
    #expect(found["kl_se"]?.doubleValue != nil && found["kl_sum_low"]?.doubleValue != nil)
    for circumstances in [ModelBench.Circumstances(threads: 3), .init(engine: ["batch": 1])] {
      #expect(try evaluate(["metrics": ["kl"]], models: models, rows: rows, circumstances) == found)
    }
  }

  private func logProbabilities(_ path: String, _ prompt: String, _ text: String) throws -> [Double] {
    let checkpoint = try openCheckpoint(path)
    let tokenizer = try checkpoint.requireTokenizer()
    let decoder = try Decoder(
      checkpoint.configuration, from: checkpoint.tensors, mode: .bf16, backend: CPUBackend(threads: 1))
    let (context, tokens) = (tokenizer.encode(prompt), tokenizer.encode(text))
    let logits = try SequenceLogits(decoder).logits(context + tokens)
    return tokens.enumerated().map { index, token in
      let row = logits[context.count - 1 + index].map { Double($0) }
      return row[Int(token)] - log(row.reduce(0) { $0 + exp($1) })
    }
  }

  @Test func `a policy is at no distance from itself`() throws {
    let model = try bench.model()
    let found = try evaluate(
      ["metrics": ["kl"]], models: ["policy": model, "reference": model], rows: pooledRows())
    #expect(found["kl"] == 0 && found["kl_sum"] == 0 && found["kl_se"] == 0)
  }

  // MARK: win_rate

  private func judge(
    _ kind: [(String, JSON)], rows: [Row], baseline: [Row],
    _ circumstances: ModelBench.Circumstances = .init()
  ) throws -> JSON {
    let model = try bench.model()
    let entry = JSON.object(JSONObject([("kind", "win_rate")] + kind))
    return try evaluate(
      ["metrics": [entry]], models: ["judge": model], rows: rows, baseline: baseline, circumstances)
  }

  /// A tiny random judge says nothing sensible, but always the same: words that its replies end with are made the verdicts.
  @Test func `in both orders a judge that looks at the place alone wins half, and so do equal texts`() throws
  {
    let rows = pooledRows(3)
    let model = try bench.model()
    // A question that it answers with a word.
    let checkpoint = try openCheckpoint(model)
    let tokenizer = try checkpoint.requireTokenizer()
    let decoder = try Decoder(
      checkpoint.configuration, from: checkpoint.tensors, mode: .bf16, backend: CPUBackend(threads: 1))
    var template: JSON = nil
    var word = ""
    for ending in ["?", " The film", " they", " old", ": A", " for nobody", " had", " 42", " been"]
    where word == "" {
      let engine = SamplingEngine(
        decoder, parameters: .greedy, maximumNewTokens: 12, endTokens: checkpoint.endTokens, seed: 0)
      let question = "Which is better?  had been fine or  had been fine" + ending
      try engine.run([SamplingRequest(row: 0, prompt: tokenizer.encode(question), samples: [0])]) {
        let written = $0.text(tokenizer).split { !$0.isLetter && !$0.isNumber }
        word = written.last.map { String($0) } ?? ""
      }
      template = .string("Which is better? {a} or {b}" + ending)
    }
    try #require(word != "")
    let same = [Row(["id": "q0", "prompt": "p", "generations": [" had been fine"]])]
    let verdicts: JSON = ["a": .string(word), "b": "never"]
    let options: [(String, JSON)] = [
      ("template", template), ("verdicts", verdicts), ("order", "both"), ("max_new_tokens", 12),
    ]
    let found = try judge(options, rows: same, baseline: same)
    #expect(found["win_rate"] == 0.5 && found["win_rate_comparisons"] == 1 && found["win_rate_first"] == 1)
    #expect(found["win_rate_unparsable"] == 0 && found["win_rate_ties"] == 0)
    #expect(found["win_rate_words"] == 3 && found["win_rate_baseline_words"] == 3)
    let ties = try judge(
      [
        ("template", template), ("verdicts", ["a": "never", "b": "ever", "tie": .string(word)]),
        ("max_new_tokens", 12),
      ], rows: same, baseline: same)
    #expect(ties["win_rate"] == 0.5 && ties["win_rate_ties"] == 1 && ties["win_rate_first"] == .some(.null))
    let none = try judge(
      [("template", template), ("verdicts", ["a": "never", "b": "ever"])], rows: rows, baseline: rows)
    #expect(none["win_rate"] == .some(.null) && none["win_rate_unparsable"] == 9)
    #expect(bench.log.contains("9 comparisons without a verdict left out"))
    for circumstances in [ModelBench.Circumstances(threads: 3), .init(engine: ["batch": 1])] {
      #expect(try judge(options, rows: same, baseline: same, circumstances) == found)
    }
    #expect(
      inputError {
        _ = try judge(options, rows: same, baseline: [Row(["id": "z", "prompt": "", "generations": ["x"]])])
      }.contains("no row has a generation and one at `baseline`"))
  }

  @Test func `the last word of a verdict counts, where it stands alone`() {
    let words = JudgeVerdict.Words(first: "A", second: "B", tie: "tie")
    let cases: [(String, JudgeVerdict)] = [
      ("A", .first), ("B is worse than A.", .first), ("A or B? B", .second), ("Both: tie", .tie),
      ("An Apple", .unreadable), ("", .unreadable), ("(B)", .second), ("**A**\n", .first),
      ("AB", .unreadable),
      ("\u{E9}A", .unreadable),
    ]
    for (reply, verdict) in cases { #expect(JudgeVerdict(of: reply, words) == verdict, "\(reply)") }
  }

  /// Beside scipy.optimize of the same loss: `Fixtures/statistics/make_statistics.py`.
  @Test func `a rate at equal length is that of the logistic regression`() throws {
    for entry in try ClusteredMeanTests.fixture()["controlled"]?.arrayValue ?? [] {
      func numbers(_ name: String) -> [Double] { (entry[name]?.arrayValue ?? []).compactMap(\.doubleValue) }
      let expected = try #require(entry["rate"]?.doubleValue)
      let found = try #require(
        LengthControl.rate(numbers("outcomes"), lengthDifferences: numbers("differences")))
      // Our exponential is single precision.
      #expect(abs(found - expected) < 1e-6, "\(found), expected \(expected)")
    }
    #expect(LengthControl.rate([1, 1], lengthDifferences: [1, 2]) == nil)
    #expect(LengthControl.rate([], lengthDifferences: []) == nil)
    let even = try #require(LengthControl.rate([1, 0, 1, 1], lengthDifferences: [2, 2, 2, 2]))
    #expect(abs(even - 0.75) < 1e-6)
  }
}
