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

  @Test func `distinct n-grams are pooled over all generations`() throws {
    let rows = [
      Row(["id": "a", "prompt": "", "generations": ["one two one"]]),
      Row(["id": "b", "prompt": "", "generations": ["two", ""]]),
    ]
    let found = try evaluate(["distinct"], rows: rows)
    #expect(found["distinct_1"] == 0.6)
    #expect(found["distinct_2"] == 0.4)
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
