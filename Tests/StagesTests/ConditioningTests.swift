// Conditioning on what a column holds: classes by labels, texts of the samples' own, exemplars, and separators.

import JSON
import Models
import Runner
import Stages
import System
import Testing
import TinyModel

struct ConditioningTests {
  let bench = ModelBench()
  private let tokenizer: Tokenizer

  init() throws { tokenizer = try readTokenizer(TinyModel.tokenizerPath) }

  private static func row(_ id: String, _ feedbacks: [JSON], scores: [JSON]? = nil) -> Row {
    Row([
      "id": .string(id), "prompt": "The film", "generations": .array(feedbacks.map { _ in " was old" }),
      "feedbacks": .array(feedbacks), "scores": .array(scores ?? feedbacks.map { _ in .null }),
    ])
  }

  private static func options(_ conditioning: JSON) -> JSON { ["lr": 0.01, "conditioning": conditioning] }

  /// What the model reads before each sample that is trained on.
  private func contexts(_ conditioning: JSON, _ rows: [Row]) throws -> [String] {
    let probe = ModelInputProbe(limit: 100) { [reporter = bench.reporter] in reporter.log($0) }
    var circumstances = ModelBench.Circumstances()
    circumstances.reporter = probe
    #expect(throws: EndOfProbe.self) {
      try bench.run(
        TrainStage(), Self.options(conditioning), models: ["model": bench.model()], rows: rows, circumstances)
    }
    let found = try #require(probe.found)
    return found.inputs.map { input in
      found.tokenizer.decode(
        Array(input.tokens[..<(input.targets.first?.lowerBound ?? 0)]), skipSpecial: false)
    }
  }

  private static let open: JSON = [
    "kind": "text", "column": "feedbacks", "template": "feedback: {value} input: ", "best_by": "scores",
  ]

  @Test func `each sample can have a text of its own`() throws {
    let rows = [Self.row("a", ["clear", .null, "too long"]), Self.row("b", ["<|im_end|>", "clear"])]
    let contexts = try contexts(Self.open, rows)
    #expect(
      contexts == [
        "feedback: clear input: The film", "feedback: too long input: The film",
        "feedback: <|im_end|> input: The film", "feedback: clear input: The film",
      ])
    #expect(bench.log.contains("1 samples without `feedbacks` left out"))
    var kept = try #require(Self.open.objectValue)
    kept["keep"] = ["missing"]
    #expect(try self.contexts(.object(kept), rows)[1] == "The film")
    #expect(bench.log.contains("1 samples without `feedbacks` are trained on without conditioning"))
  }

  @Test func `classes are found by what an annotator says, in any case of letters or in one`() throws {
    let said: [JSON] = ["Harmful", "harmful", "Harmful.", .null, "Harmless and helpful"]
    func labels(_ match: String, _ more: [(String, JSON)] = []) -> JSON {
      var object = JSONObject([
        ("kind", "text"), ("column", "feedbacks"), ("template", "{value}.\n\n"),
        ("labels", [["value": "Harmless and helpful", "text": "harmful:0,helpful:1"], "Harmful"]),
        ("match", .string(match)),
      ])
      for (name, value) in more { object[name] = value }
      return .object(object)
    }
    let good = "harmful:0,helpful:1.\n\nThe film"
    let bad = "Harmful.\n\nThe film"
    #expect(try contexts(labels("exact"), [Self.row("a", said)]) == [bad, good])
    #expect(bench.log.contains("1 samples without `feedbacks` left out"))
    #expect(bench.log.contains("2 samples whose `feedbacks` is none of `labels` left out"))
    #expect(try contexts(labels("ignore_case"), [Self.row("a", said)]) == [bad, bad, good])
    #expect(
      try contexts(labels("exact", [("keep", ["off_list"])]), [Self.row("a", said)])
        == [bad, "harmful.\n\nThe film", "Harmful..\n\nThe film", good])
    // A score is of the class of its integer part.
    let byScore: JSON = [
      "kind": "text", "column": "scores", "labels": [3, 2, 1, 0], "prefixes": ["A ", "B ", "C ", "D "],
    ]
    let scored = Self.row("a", ["x", "x", "x", "x"], scores: [2.5, 3, 0.0, 7])
    #expect(try contexts(byScore, [scored]) == ["B The film", "A The film", "D The film"])
  }

  @Test func `a model keeps the best texts, and draws one of them for each prompt`() throws {
    let rows = [
      Self.row("a", ["clear", "dull", "fine"], scores: [3, 1, 3]),
      Self.row("b", ["clear", "good", .null], scores: [3, .null, 3]),
    ]
    let output = try bench.run(
      TrainStage(), Self.options(Self.open), models: ["model": bench.model()], rows: rows)
    let plumb = try bench.json("\(output)/model/plumb.json")
    #expect(
      plumb["conditioning"] == [
        "kind": "text", "template": "feedback: {value} input: ", "exemplars": ["clear", "fine"],
      ])
    #expect(bench.log.contains("the model keeps 2 exemplars, of samples whose `scores` is 3.0"))
    let many = (0..<40).map { Row(["id": .string("p\($0)"), "prompt": "The film was"]) }
    func conditionings(_ condition: JSON, _ model: String, _ rows: [Row]) throws -> [String?] {
      let output = try bench.run(
        SampleStage(), ["max_new_tokens": 2, "condition": condition], models: ["model": model], rows: rows,
        port: "prompts")
      return try bench.rows(output).map { $0["conditioning"]?.arrayValue?.first?.stringValue }
    }
    let best = try conditionings("best", "\(output)/model", many)
    #expect(Set(best) == ["feedback: clear input: ", "feedback: fine input: "])
    // A prompt's exemplar is its own, whatever stands beside it.
    #expect(try conditionings("best", "\(output)/model", Array(many.suffix(3))) == Array(best.suffix(3)))

    let told = many.prefix(3).enumerated().map { index, row in
      var row = row
      row["exemplar"] = index == 1 ? .null : .string("short \(index)")
      return row
    }
    let own = try conditionings(["column": "exemplar", "template": .null], "\(output)/model", told)
    #expect(own == ["feedback: short 0 input: ", nil, "feedback: short 2 input: "])
    #expect(bench.log.contains("1 of 3 prompts have no `exemplar`, and are sampled without condition"))
    let start = try bench.model()
    #expect(
      try conditionings(["column": "exemplar", "template": "{value}. "], start, told) == [
        "short 0. ", nil, "short 2. ",
      ])
    #expect(
      inputError { _ = try conditionings(["column": "exemplar", "template": .null], start, told) }.contains(
        "neither it nor the model says how its text stands before a prompt"))
    #expect(
      inputError { _ = try conditionings(["class": 1], "\(output)/model", told) }.contains(
        "`condition` asks for class 1, but the model has classes 0 to 0"))
    var blind = try #require(Self.open.objectValue)
    blind["best_by"] = .null
    let without = try bench.run(
      TrainStage(), Self.options(.object(blind)), models: ["model": start], rows: rows)
    #expect(
      inputError { _ = try conditionings("best", "\(without)/model", told) }.contains(
        "keeps none of the best"))
  }

  @Test func `a separator is a token of its own that starts as another one, and is never sampled`() throws {
    let model = try bench.model()
    let options: JSON = [
      "lr": 0.01, "train_embeddings": false,
      "conditioning": [
        "kind": "text", "prefixes": ["Lowest Toxicity", "Maximum Toxicity"],
        "separator": ["text": "<|separator|>", "like": "<|im_end|>"],
      ],
    ]
    let rows = [
      Row([
        "id": "a", "prompt": "The film", "generations": [" was old", " was"], "quantiles": [1, 0],
      ])
    ]
    let output = try bench.run(TrainStage(), options, models: ["model": model], rows: rows)
    let trained = try openCheckpoint("\(output)/model")
    let own = try trained.requireTokenizer()
    let id = try #require(own.id(of: "<|separator|>"))
    let like = try #require(own.id(of: "<|im_end|>"))
    let embedding = trained.configuration.layout.tokenEmbedding
    var table = [Float](
      repeating: 0, count: trained.configuration.vocabularySize * trained.configuration.hiddenSize)
    let width = trained.configuration.hiddenSize
    try table.withUnsafeMutableBufferPointer { try trained.tensors.readFloats(embedding, into: $0) }
    #expect(
      table[Int(id) * width..<Int(id + 1) * width].elementsEqual(
        table[Int(like) * width..<Int(like + 1) * width]))
    let sampled = try bench.rows(
      bench.run(
        SampleStage(), ["max_new_tokens": 30, "temperature": 5.0, "n": 4, "condition": "best"],
        models: ["model": "\(output)/model"], rows: prompts, port: "prompts"))
    for row in sampled {
      #expect(row["conditioning"]?.arrayValue?.first == "Lowest Toxicity")
      #expect(row["tokens"]?.text().contains("\(id)") == false)
    }
  }

  @Test func `the separator stands between the class and the prompt, as one token`() throws {
    let probe = ModelInputProbe(limit: 10) { _ in }
    var circumstances = ModelBench.Circumstances()
    circumstances.reporter = probe
    let options: JSON = Self.options([
      "kind": "text", "prefixes": ["Lowest Toxicity"],
      "separator": ["text": "<|separator|>", "like": "<|im_end|>"],
    ])
    let row = Row(["id": "a", "prompt": "The film", "generations": [" was old"], "quantiles": [0]])
    #expect(throws: EndOfProbe.self) {
      try bench.run(TrainStage(), options, models: ["model": bench.model()], rows: [row], circumstances)
    }
    let found = try #require(probe.found)
    let separator = try #require(found.tokenizer.id(of: "<|separator|>"))
    let context = found.inputs[0].tokens.prefix(found.inputs[0].targets[0].lowerBound)
    #expect(
      Array(context) == tokenizer.encode("Lowest Toxicity") + [separator]
        + tokenizer.encode("The film", isContinuation: true))
  }
}
