// `evaluate`: rewards, perplexity, distinct n-grams, refusals.

import Glibc
import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

struct EvaluateStageTests {
  let bench: ModelBench
  init() { bench = ModelBench() }

  private func evaluate(
    _ metrics: [JSON], rows: [Row] = pooledRows(), reference: String? = nil,
    _ circumstances: ModelBench.Circumstances = .init()
  ) throws -> JSON {
    let output = try bench.run(
      EvaluateStage(), ["metrics": .array(metrics)], models: reference.map { ["reference": $0] } ?? [:],
      rows: rows,
      circumstances)
    return try bench.json("\(output)/metrics.json")
  }

  @Test func `rewards are averaged over generations, those without one left out`() throws {
    let rows = [
      sampledRow("a", [("rewards", [1, 0.5])]), sampledRow("b", [("rewards", [nil, 3])]),
      sampledRow("c", [("rewards", [])]),
    ]
    let found = try evaluate(["reward"], rows: rows)
    #expect(found["generations"] == 4 && found["reward"] == 1.5)
    let deviation = try #require(found["reward_deviation"]?.doubleValue)
    #expect(abs(deviation - (3.5 / 3).squareRoot()) < 1e-12)
    #expect(bench.log.contains("1 generations without reward left out"))
    #expect(found["perplexity"] == nil && found["distinct_1"] == nil)
  }

  @Test(
    arguments: [
      ("prompt", nil, "row `q1`: `prompt` is null; expected text"),
      ("prompt", ["x"], "row `q1`: `prompt` is a list; expected text"),
      ("generations", "x", "row `q1`: `generations` is a string; expected a list of strings"),
      ("generations", ["a", 1, "b"], "row `q1`: generation 1 is an integer; expected a string"),
      ("rewards", 0.5, "row `q1`: column `rewards` is a number; expected a list, one entry per generation"),
      ("rewards", ["0.5", 1, 1], "row `q1`: reward 0 is a string; expected a finite number or null"),
      ("rewards", [1], "row `q1`: column `rewards` has 1 entries, but there are 3 generations"),
    ] as [(String, JSON, String)])
  func `a text or a reward that is none is refused by its row`(column: String, value: JSON, message: String) {
    var rows = pooledRows()
    rows[1][column] = value
    #expect(inputError { _ = try evaluate(["reward", "distinct"], rows: rows) } == message)
  }

  /// METHODS 1.13: the mean over generations of exp of the mean negative log-probability.
  @Test func `perplexity is that of the reference, without conditioning`() throws {
    let model = try bench.model()
    let found = try #require(try evaluate(["perplexity"], reference: model)["perplexity"]?.doubleValue)
    let checkpoint = try openCheckpoint(model)
    let tokenizer = try checkpoint.requireTokenizer()
    let decoder = try Decoder(
      checkpoint.configuration, from: checkpoint.tensors, mode: .bf16, backend: CPUBackend(threads: 1))
    var sum = 0.0
    var count = 0.0
    for row in pooledRows() {
      let prompt = tokenizer.encode(row["prompt"]?.stringValue ?? "")
      for text in (row["generations"]?.arrayValue ?? []).compactMap(\.stringValue) {
        let tokens = tokenizer.encode(text)
        let rows = try SequenceLogits(decoder).logits(prompt + tokens)
        let total = tokens.enumerated().reduce(0.0) { sum, token in
          let row = rows[prompt.count - 1 + token.offset].map { Double($0) }
          return sum + row[Int(token.element)] - log(row.reduce(0) { $0 + exp($1) })
        }
        sum += exp(-total / Double(tokens.count))
        count += 1
      }
    }
    #expect(abs(found - sum / count) < 1e-4 * found, "\(found), expected \(sum / count)")
    for circumstances in [
      ModelBench.Circumstances(threads: 1), .init(threads: 3, engine: ["batch": 1]),
      .init(engine: ["batch": 40]),
    ] {
      #expect(try evaluate(["perplexity"], reference: model, circumstances)["perplexity"] == .double(found))
    }
    // The conditioning a row carries is not read.
    var rows = pooledRows()
    for index in rows.indices { rows[index]["conditioning"] = ["Good. "] }
    #expect(try evaluate(["perplexity"], rows: rows, reference: model)["perplexity"] == .double(found))
  }

  @Test func `each mean has a standard error by prompt and an interval, which a seed of its own draws`()
    throws
  {
    let rows = [
      sampledRow("a", [("rewards", [1, 2])]), sampledRow("b", [("rewards", [4])]),
      sampledRow("c", [("rewards", [nil, 9])]),
    ]
    func measure(_ interval: JSON?, seed: UInt64 = 1) throws -> JSON {
      var options = JSONObject([("metrics", ["reward"])])
      options["interval"] = interval
      return try bench.json(
        bench.run(EvaluateStage(), .object(options), rows: rows, seed: seed) + "/metrics.json")
    }
    let found = try measure(nil)
    // Residuals from the mean 4: -5, 0, 5.
    #expect(found["reward"] == 4)
    let error = try #require(found["reward_se"]?.doubleValue)
    #expect(abs(error - (1.5 * 50).squareRoot() / 4) < 1e-12)
    // Beyond 2.5 % of the resamples stand those of one prompt alone: 1 in 27 each.
    #expect(found["reward_low"] == 1.5 && found["reward_high"] == 9)
    #expect(try measure(nil, seed: 2) == found)
    let narrow = try measure(["level": 0.5, "resamples": 1000, "seed": 0])
    let (low, high) = (narrow["reward_low"]?.doubleValue ?? 0, narrow["reward_high"]?.doubleValue ?? 9)
    #expect(low > 1.5 && high < 9)
    #expect(narrow["reward_se"] == .double(error))
    #expect(
      try measure(.null).objectValue?.keys == ["generations", "reward", "reward_se", "reward_deviation"])
  }

  @Test func `perplexities from a bound on are left out and counted`() throws {
    let model = try bench.model()
    let rows = pooledRows()
    let all = try evaluate([["kind": "perplexity", "below": 1e300]], rows: rows, reference: model)
    #expect(all["perplexity"] == (try evaluate(["perplexity"], rows: rows, reference: model)["perplexity"]))
    #expect(all["perplexity_discarded"] == 0)
    let mean = try #require(all["perplexity"]?.doubleValue)
    let bounded = try evaluate(
      [["kind": "perplexity", "below": .double(mean)]], rows: rows, reference: model)
    let (kept, count) = (
      bounded["perplexity"]?.doubleValue ?? .nan, bounded["perplexity_discarded"]?.intValue ?? 0
    )
    #expect(kept < mean && count > 0 && count < 15)
    #expect(bench.log.contains("\(count) generations with too high a perplexity left out"))
    let none = try evaluate([["kind": "perplexity", "below": 1]], rows: rows, reference: model)
    #expect(none["perplexity"] == .some(.null) && none["perplexity_discarded"] == 15)
  }

  @Test func `what cannot be measured is named`() throws {
    #expect(inputError { _ = try evaluate(["perplexity"]) }.contains("needs the input `reference`"))
    let plain = Row(["id": "a", "prompt": "A", "generations": ["x"]])
    #expect(inputError { _ = try evaluate(["reward"], rows: [plain]) }.contains("`rewards`"))
    #expect(
      inputError { _ = try evaluate(["reward"], rows: [sampledRow("a", [("rewards", [nil])])]) }.contains(
        "no generation has a reward"))
    #expect(inputError { _ = try evaluate(["distinct"], rows: []) }.contains("no generations to evaluate"))
    let model = try bench.model { $0.contextLength = 16 }
    let long = Row([
      "id": "long", "prompt": "A", "generations": [.string(String(repeating: "zq", count: 20))],
    ])
    #expect(
      inputError { _ = try evaluate(["perplexity"], rows: [long], reference: model) }.contains(
        "has more than 16 tokens, which is the model's context; the longest, of row `long`, has"))
    let empty = Row(["id": "empty", "prompt": "A", "generations": [""]])
    let text = inputError { _ = try evaluate(["perplexity"], rows: [empty], reference: model) }
    #expect(text.contains("perplexity"), "\(text)")
  }
}
