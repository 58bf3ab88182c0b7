// `kind: likelihood`: log-probabilities of a generation after its prompt, and templates that name columns.

import Glibc
import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

struct LikelihoodScorerTests {
  let bench = ModelBench()

  private func rewards(
    _ model: String, _ scorer: JSON, rows: [Row] = pooledRows(),
    _ circumstances: ModelBench.Circumstances = .init()
  ) throws -> [JSON] {
    try bench.rows(
      bench.run(ScoreStage(), ["scorer": scorer], models: ["model": model], rows: rows, circumstances)
    ).map { $0["rewards"] ?? nil }
  }

  @Test func `mean, sum and perplexity are those of the tokens after the prompt`() throws {
    let model = try bench.model()
    let checkpoint = try openCheckpoint(model)
    let tokenizer = try checkpoint.requireTokenizer()
    let decoder = try Decoder(
      checkpoint.configuration, from: checkpoint.tensors, mode: .bf16, backend: CPUBackend(threads: 1))
    let prompt = tokenizer.encode("The film 0")
    let tokens = tokenizer.encode(" had been fine")
    let logits = try SequenceLogits(decoder).logits(prompt + tokens)
    let sum = tokens.enumerated().reduce(0.0) { sum, token in
      let row = logits[prompt.count - 1 + token.offset].map { Double($0) }
      return sum + row[Int(token.element)] - log(row.reduce(0) { $0 + exp($1) })
    }
    let mean = sum / Double(tokens.count)
    for (output, expected) in [("sum", sum), ("mean", mean), ("perplexity", exp(-mean))] {
      let found = try rewards(model, ["kind": "likelihood", "output": .string(output)])
      let first = try #require(found[0].arrayValue?.first?.doubleValue)
      #expect(abs(first - expected) < 1e-4 * abs(expected), "\(output): \(first), expected \(expected)")
    }
    // The mean of perplexities is what `evaluate` reports, to the bit.
    let perplexities = try rewards(model, ["kind": "likelihood", "output": "perplexity"])
      .flatMap { $0.arrayValue ?? [] }.compactMap(\.doubleValue)
    let evaluated = try bench.run(
      EvaluateStage(), ["metrics": ["perplexity"]], models: ["reference": model], rows: pooledRows())
    #expect(
      try bench.json("\(evaluated)/metrics.json")["perplexity"]
        == .double(perplexities.reduce(0, +) / Double(perplexities.count)))
  }

  @Test func `threads, batch, shards and other rows do not matter`() throws {
    let model = try bench.model()
    let scorer: JSON = ["kind": "likelihood"]
    let expected = try rewards(model, scorer)
    for circumstances in [
      ModelBench.Circumstances(threads: 3), .init(engine: ["batch": 1]), .init(shards: 3),
    ] {
      #expect(try rewards(model, scorer, circumstances) == expected)
    }
    #expect(try pooledRows().flatMap { try rewards(model, scorer, rows: [$0]) } == expected)
  }

  @Test func `an empty generation has no score, one that is too long is left out or cut`() throws {
    let model = try bench.model { $0.contextLength = 16 }
    let long = String(repeating: "zq", count: 20)
    let rows = [Row(["id": "a", "prompt": "A", "generations": ["", .string(long), "x"]])]
    #expect(
      inputError { _ = try rewards(model, ["kind": "likelihood"], rows: rows) }.hasPrefix(
        "1 of 2 generations with their prompts has more than 16 tokens"))
    let found =
      try rewards(model, ["kind": "likelihood", "overflow": "drop"], rows: rows)[0].arrayValue ?? []
    #expect(found.map(\.isNull) == [true, true, false])
    #expect(bench.log.contains("1 generations without a score left out"))
    #expect(bench.log.contains("1 texts that are too long left out"))
  }

  @Test func `a template names any column, of one with an entry for each generation that entry`() throws {
    let model = try bench.model()
    func score(_ template: String, _ change: (inout Row) -> Void = { _ in }) throws -> JSON {
      var row = pooledRows(1)[0]
      row["feedbacks"] = ["good", nil, 3]
      row["post"] = ["title": "A film", "tags": []]
      change(&row)
      let scorer: JSON = [
        "kind": "choice", "template": .string(template), "labels": [" good", " bad"], "reward": " good",
      ]
      return try rewards(model, scorer, rows: [row])[0]
    }
    let plain = try score("A film: {generation}")
    #expect(try score("{post.title}: {generation}") == plain)
    let first = try score("{generation} good 3").arrayValue?.first
    #expect(
      try score("{generation} {feedbacks} 3") { $0["feedbacks"] = ["good", "x", true] }.arrayValue?.first
        == first)
    #expect(
      inputError { _ = try score("{feedbacks}") }
        == "row `q0`: `feedbacks` of generation 1 is null; expected text, a number or a boolean, since `template` names it"
    )
    #expect(inputError { _ = try score("{post}") }.contains("`post` is an object"))
    #expect(inputError { _ = try score("{post.name}") }.contains("`post.name` is missing"))
  }
}
