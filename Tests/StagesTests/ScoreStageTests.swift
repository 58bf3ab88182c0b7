// `score`: choice between labels, reward models, refusals, and that circumstances do not matter.

import Glibc
import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

struct ScoreStageTests {
  let bench: ModelBench
  init() { bench = ModelBench() }

  static func choice(
    _ template: String = "Review: {prompt}{generation}\nIt is",
    labels: [JSON] = [" good", " bad", " for nobody"],
    reward: JSON = " good"
  ) -> JSON {
    ["scorer": ["kind": "choice", "template": .string(template), "labels": .array(labels), "reward": reward]]
  }

  private func rewards(
    _ model: String, _ options: JSON, rows: [Row] = pooledRows(),
    _ circumstances: ModelBench.Circumstances = .init()
  ) throws -> [[Double]] {
    try bench.rows(bench.run(ScoreStage(), options, models: ["model": model], rows: rows, circumstances)).map
    {
      ($0["rewards"]?.arrayValue ?? []).compactMap(\.doubleValue)
    }
  }

  @Test func `a choice is the probability of a label among the labels`() throws {
    let model = try bench.model()
    let found = try rewards(model, Self.choice())
    #expect(found.map(\.count) == [3, 3, 3, 3, 3])
    #expect(Set(found.flatMap { $0 }).count > 8)
    // The labels' probabilities add up to one.
    let others = try [" bad", " for nobody"].map { try rewards(model, Self.choice(reward: .string($0))) }
    for row in 0..<5 {
      for item in 0..<3 {
        let sum = found[row][item] + others[0][row][item] + others[1][row][item]
        #expect(abs(sum - 1) < 1e-9)
      }
    }
    // One of them computed from all logits.
    let checkpoint = try openCheckpoint(model)
    let tokenizer = try checkpoint.requireTokenizer()
    let decoder = try Decoder(
      checkpoint.configuration, from: checkpoint.tensors, mode: .bf16, backend: CPUBackend(threads: 1))
    // The template with its fields is one text.
    let context = tokenizer.encode("Review: The film 0 had been fine\nIt is")
    let logProbabilities = try [" good", " bad", " for nobody"].map { label in
      let tokens = tokenizer.encode(label)
      let rows = try SequenceLogits(decoder).logits(context + tokens)
      return tokens.enumerated().reduce(0.0) { sum, token in
        let row = rows[context.count - 1 + token.offset].map { Double($0) }
        return sum + row[Int(token.element)] - log(row.reduce(0) { $0 + exp($1) })
      }
    }
    let expected = exp(logProbabilities[0]) / logProbabilities.reduce(0) { $0 + exp($1) }
    #expect(abs(found[0][0] - expected) < 1e-4 * expected, "\(found[0][0]), expected \(expected)")
  }

  @Test func `where a blank stands, in the template or in the field, does not matter`() throws {
    let model = try bench.model()
    func scored(_ template: String, prompt: String) throws -> JSON? {
      var row = pooledRows(1)[0]
      row["prompt"] = .string(prompt)
      let scorer: JSON = [
        "scorer": [
          "kind": "choice", "template": .string(template), "labels": [" good", " bad"], "reward": " good",
        ]
      ]
      let output = try bench.run(ScoreStage(), scorer, models: ["model": model], rows: [row])
      return try bench.rows(output)[0]["rewards"]
    }
    #expect(
      try scored("Review: {prompt}{generation}\nIt is", prompt: "The film")
        == scored("Review:{prompt}{generation}\nIt is", prompt: " The film"))
  }

  @Test func `threads, batch and memory do not matter`() throws {
    let model = try bench.model()
    let expected = try rewards(model, Self.choice())
    for circumstances in [
      ModelBench.Circumstances(threads: 1), .init(threads: 3), .init(engine: ["batch": 1]),
      .init(engine: ["batch": 50]),
      .init(engine: ["memory": .int(5 * 8192)]),
    ] {
      #expect(try rewards(model, Self.choice(), circumstances) == expected)
    }
    #expect(try pooledRows().flatMap { try rewards(model, Self.choice(), rows: [$0]) } == expected)
  }

  @Test func `special tokens count in the template and not in the rows`() throws {
    let model = try bench.model()
    let row = Row(["id": "a", "prompt": "A", "generations": ["<|im_end|>"]])
    let other = Row(["id": "a", "prompt": "A", "generations": [""]])
    let written = try rewards(model, Self.choice("{prompt}{generation}<|im_end|>"), rows: [other])
    let spelled = try rewards(model, Self.choice("{prompt}{generation}"), rows: [row])
    #expect(written != spelled)
  }

  @Test func `columns stay, and rows without generations have no rewards`() throws {
    let model = try bench.model()
    let rows = [Row(["id": "a", "prompt": "A", "generations": [], "label": 7]), pooledRows()[0]]
    let found = try bench.rows(bench.run(ScoreStage(), Self.choice(), models: ["model": model], rows: rows))
    #expect(found[0]["rewards"] == [] && found[0]["label"] == 7)
    #expect(found[1]["quantiles"] == rows[1]["quantiles"])
  }

  @Test func `what cannot be scored is named`() throws {
    let model = try bench.model { $0.contextLength = 40 }
    func refusal(_ options: JSON, generations: JSON = ["x"]) -> String {
      inputError {
        _ = try rewards(
          model, options, rows: [Row(["id": "bad", "prompt": "A", "generations": generations])])
      }
    }
    #expect(refusal(Self.choice(reward: "fine")).contains("`reward` is `fine`, which is none of `labels`"))
    #expect(refusal(Self.choice(labels: [" good", ""])).contains("a label of `labels` is empty"))
    #expect(
      refusal(Self.choice("{text}")).contains(
        "row `bad` has no column `text`, which `template` names"))
    #expect(refusal(Self.choice("{prompt")).contains("`template`"))
    let long = refusal(Self.choice(), generations: [.string(String(repeating: "zq", count: 40))])
    #expect(
      long.hasPrefix("1 of 1 texts has more than 35 tokens, which is what the model's context of 40 leaves")
        && long.contains("beside the longest label, 5; the longest, of row `bad`, has 9"), "\(long)")
    // The labels must fit as well.
    let edge = refusal(
      Self.choice("{generation}", labels: [" good", " had been for nobody counted on old"]),
      generations: [.string(String(repeating: "z", count: 38))])
    #expect(
      edge.contains("of row `bad`, has 38") && edge.contains("beside the longest label"),
      "\(edge)")
    #expect(
      refusal(Self.choice(), generations: [4]).contains("row `bad`: generation 0 is not text")
    )
    #expect(refusal(Self.choice(), generations: "x").contains("row `bad`: `generations` is not a list"))
  }

  @Test func `a reward model's score is its head at the last token`() throws {
    let model = try bench.model { $0.head = TinyModel.rewardHead }
    let options: JSON = ["scorer": ["kind": "reward", "template": "{prompt}{generation}"]]
    let found = try rewards(model, options)
    #expect(Set(found.flatMap { $0 }).count > 8)
    for circumstances in [ModelBench.Circumstances(threads: 3), .init(engine: ["memory": .int(3 * 8192)])] {
      #expect(try rewards(model, options, circumstances) == found)
    }
    #expect(try pooledRows().flatMap { try rewards(model, options, rows: [$0]) } == found)
    // Doubling the head doubles the scores, so it is the head that speaks.
    let file = try SafeTensorsFile("\(model)/model.safetensors")
    #expect(try file.shape(of: "score.weight") == [1, 64])
    let longer = try rewards(
      model, ["scorer": ["kind": "reward", "template": "{prompt}{generation}<|im_end|>"]])
    #expect(longer != found)
  }

  @Test func `each scorer wants its kind of model`() throws {
    let language = try bench.model("language")
    let reward = try bench.model("reward") { $0.head = TinyModel.rewardHead }
    let options: JSON = ["scorer": ["kind": "reward", "template": "{prompt}{generation}"]]
    #expect(inputError { _ = try rewards(language, options) }.contains("`score.weight`"))
    #expect(inputError { _ = try rewards(reward, Self.choice()) }.contains("`score.weight`"))
  }
}
