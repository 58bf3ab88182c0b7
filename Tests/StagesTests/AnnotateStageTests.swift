// `annotate`: rules, models and columns of replies; what becomes of each reply; and that circumstances do not matter.

import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

@Suite struct AnnotateStageTests {
  let bench: ModelBench
  init() { bench = ModelBench() }

  private func annotate(
    _ options: JSON, model: String? = nil, rows: [Row] = pooledRows(), seed: UInt64 = 1,
    _ circumstances: ModelBench.Circumstances = .init()
  ) throws -> [Row] {
    try bench.rows(
      bench.run(
        AnnotateStage(), options, models: model.map { ["model": $0] } ?? [:], rows: rows, seed: seed,
        circumstances))
  }

  /// Asks a model; what is written beside `kind` and `max_new_tokens`.
  static func asking(_ template: String = "{prompt}{generation} It is", _ more: [(String, JSON)] = []) -> JSON
  {
    var annotator = JSONObject([
      ("kind", "model"), ("template", .string(template)), ("max_new_tokens", 12),
    ])
    for (name, value) in more { annotator[name] = value }
    return .object(annotator)
  }

  /// What `sample` draws after this text: another way to the same reply.
  private func drawn(
    _ model: String, after text: String, _ more: [(String, JSON)] = [("temperature", 0)]
  ) throws -> JSON? {
    var options = JSONObject([("max_new_tokens", 12)])
    for (name, value) in more { options[name] = value }
    let row = Row(["id": "q0", "prompt": .string(text)])
    return try bench.rows(
      bench.run(SampleStage(), .object(options), models: ["model": model], rows: [row], port: "prompts"))[0][
        "generations"]?.arrayValue?.first
  }

  // MARK: a rule

  @Test func `a rule gives the text of the class, and null without one`() throws {
    let rows = [
      sampledRow("a", [("quantiles", [2, 0, nil, 1])]), sampledRow("b", [("quantiles", [])]),
    ]
    let options: JSON = ["annotator": ["kind": "rule", "texts": ["Excellent.", "Good.", "Horrible."]]]
    let found = try annotate(options, rows: rows)
    #expect(found[0]["feedbacks"] == ["Horrible.", "Excellent.", nil, "Good."])
    #expect(found[1]["feedbacks"] == [] && found[0]["outcomes"] == nil && found[0]["replies"] == nil)
    #expect(found[0]["generations"] == rows[0]["generations"])
    #expect(bench.log.contains("1 samples without a class left out"))
    #expect(
      inputError { _ = try annotate(options, rows: [sampledRow("c", [("quantiles", [0, 3])])]) }
        == "row `c`: `quantiles` of sample 1 is 3; expected a class from 0 to 2, as `texts` has them, or null"
    )
    let other: JSON = ["annotator": ["kind": "rule", "texts": ["a", "b"], "column": "scores"]]
    #expect(
      try annotate(other, rows: [sampledRow("a", [("scores", [1.0, 0])])])[0]["feedbacks"] == ["b", "a"])
  }

  // MARK: replies that are there

  private static let labels: JSON = ["kind": "category", "labels": ["good", "bad"]]

  /// Of a row whose replies stand in a column that goes by samples.
  private func read(_ replies: [JSON], _ options: JSON) throws -> Row {
    try annotate(options, rows: [sampledRow("a", [("analysis", replies)])])[0]
  }

  @Test func `each reply has an outcome, and what cannot be read is null`() throws {
    let replies: JSON = ["kind": "reply", "column": "analysis"]
    let found = try read(["good", " bad\n", "fine", nil], ["annotator": replies, "parser": Self.labels])
    #expect(found["feedbacks"] == ["good", "bad", nil, nil])
    #expect(found["outcomes"] == ["parsed", "parsed", "off_list", "error"])
    #expect(found["analysis"] == ["good", " bad\n", "fine", nil] && found["replies"] == nil)
    #expect(bench.log.contains("of 4: 2 replies parsed, 1 replies off list, 1 replies missing"))
    #expect(
      bench.log.contains(
        "the first that could not be read: row `a`, sample 2: the reply is none of `labels`: \"fine\""))
    let measures = bench.reporter.measures.withLock { $0 }
    #expect(
      measures["replies_parsed"] == 2 && measures["replies_off_list"] == 1 && measures["replies_missing"] == 1
        && measures["replies_unparsable"] == nil)
  }

  @Test func `a parser gives the columns that it reads, and no others`() throws {
    let replies: JSON = ["kind": "reply", "column": "analysis"]
    func columns(_ parser: JSON) -> [String] {
      let field = AnnotateStage.declaration.options.first { $0.name == "parser" }
      return AnnotateStage.declaration(
        for: ["annotator": replies, "parser": field?.completed(parser) ?? .null]
      ).outputs[0].samples
    }
    #expect(columns(["kind": "text"]) == ["feedbacks", "outcomes"])
    #expect(columns(["kind": "analysis_feedback_score"]) == ["analysis", "feedbacks", "scores", "outcomes"])
    #expect(
      columns(["kind": "regex", "pattern": "(?<why>.*):(?<scores>.*)"]) == ["why", "scores", "outcomes"])
    #expect(columns(["kind": "category", "labels": ["a": 0]]) == ["feedbacks", "quantiles", "outcomes"])
    let declaration = AnnotateStage.declaration(for: [
      "annotator": ["kind": "rule", "texts": ["a"], "column": "quantiles"],
      "parser": ["kind": "text", "strip": false],
      "fail_above": nil,
    ])
    #expect(declaration.outputs[0].samples == ["feedbacks"] && declaration.inputs.map(\.name) == ["rows"])
    #expect(!declaration.isRandom && !declaration.computes)
    #expect(declaration.inputs[0].columns == ["generations", "quantiles"])
  }

  @Test func `more failures than the ceiling fail the stage, with counts and one example`() throws {
    let replies: JSON = ["kind": "reply", "column": "analysis"]
    func message(_ most: JSON) throws -> String {
      do {
        _ = try read(
          ["good", "good", "no", nil],
          ["annotator": replies, "parser": Self.labels, "fail_above": most])
        return "nothing was thrown"
      } catch {
        #expect(!(error is InputError))
        return "\(error)"
      }
    }
    #expect(
      try message(0.49).hasPrefix(
        "2 of 4 replies have no annotation, more than the share 0.49 that `fail_above` allows: 2 replies parsed, 1 replies off list, 1 replies missing; the first: row `a`, sample 2: the reply is none of `labels`: \"no\"; "
      ))
    #expect(try message(0.5) == "nothing was thrown")
    #expect(try message(nil) == "nothing was thrown")
  }

  @Test func `what is no reply is named`() {
    let options: JSON = ["annotator": ["kind": "reply", "column": "analysis"]]
    #expect(
      inputError { _ = try read([3], options) }
        == "row `a`: `analysis` of sample 0 is an integer; expected text or null")
    #expect(
      inputError {
        _ = try annotate(options, rows: [Row(["id": "a", "generations": ["x"], "analysis": "y"])])
      }
      .hasPrefix("row `a`: column `analysis` is a string; expected a list, one entry per generation"))
    #expect(
      inputError {
        _ = try annotate(
          ["annotator": ["kind": "reply", "column": "label"]],
          rows: [Row(["id": "a", "generations": ["x"], "label": ["y"]])])
      }.hasPrefix("row `a`: column `label` belongs to the row; expected one entry per generation"))
  }

  // MARK: a model

  @Test func `a model is asked about each generation, and its reply is what it goes on with`() throws {
    let model = try bench.model()
    let found = try annotate(["annotator": Self.asking()], model: model)
    #expect(bench.reporter.measures.withLock { $0["tokens"] ?? 0 } > 15)
    for (index, row) in found.enumerated() {
      let expected = try [" had been fine", " was old, for \(index)", "x"].map {
        try drawn(model, after: "The film \(index)\($0) It is")
      }
      #expect(row["replies"]?.arrayValue == expected && row["feedbacks"] == row["replies"])
      #expect(
        row["outcomes"] == ["parsed", "parsed", "parsed"] && row["rewards"] == pooledRows()[0]["rewards"])
    }
    #expect(Set(found.map { $0["replies"]?.text() ?? "" }).count > 1)
  }

  @Test func `a question may have any column, its sample's entry, and parts of columns`() throws {
    let model = try bench.model()
    var row = sampledRow("q0", [("scores", [0.5, 2]), ("feedbacks", ["Well.", "No."])])
    row["prompt"] = "POST: Old TL;DR: film. TL;DR:"
    row["meta"] = ["year": 42]
    let question = Self.asking(
      "{post}|{feedbacks}|{scores}|{meta.year}|{reply}__",
      [
        (
          "fields",
          [
            "post": [
              "from": "prompt", "after_first": "POST:", "replace": ["TL;DR:": ""], "strip": true,
            ], "reply": ["from": "generation", "before_first": " "],
          ]
        ), ("replace", ["__": "\n"]),
      ])
    let found = try annotate(["annotator": question], model: model, rows: [row])[0]
    #expect(
      found["replies"]?.arrayValue?.first == (try drawn(model, after: "Old  film.|Well.|0.5|42|q0\n")))
    func refusal(_ template: String, _ more: [(String, JSON)] = []) -> String {
      inputError {
        _ = try annotate(["annotator": Self.asking(template, more)], model: model, rows: [row])
      }
    }
    #expect(refusal("{nothing}") == "row `q0`: no column `nothing`, which `template` names")
    #expect(
      refusal("{meta}")
        == "row `q0`, sample 0: `meta` is an object; `template` needs text, a number or a boolean there")
    #expect(
      refusal("{meta.month}") == "row `q0`, sample 0: `meta` has no member `month`, which `template` names")
    #expect(
      refusal("{a}", [("fields", ["a": ["from": "prompt", "after_last": "Human:"]])])
        == "row `q0`, sample 0: `fields.a`: `prompt` does not contain \"Human:\"")
    #expect(
      refusal("{a}", [("fields", ["a": ["from": "scores"]])])
        == "row `q0`, sample 0: `scores` is no text, of which `fields.a` is a part")
    #expect(refusal("{a").contains("`template`"))
  }

  /// METHODS 1.6.3: Human is the text between the last `Human:` and the following `Assistant:`.
  @Test func `the last turn of a dialogue can be asked about alone`() throws {
    let model = try bench.model()
    var row = sampledRow("q0", [("rewards", [1])])
    row["prompt"] = "Human: a Assistant: b Human: the film Assistant:"
    let part: JSON = [
      "from": "prompt", "after_last": "Human:", "before_first": "Assistant:", "strip": true,
    ]
    let question = Self.asking("H: {human} A:", [("fields", ["human": part])])
    #expect(
      try annotate(["annotator": question], model: model, rows: [row])[0]["replies"]?.arrayValue?.first
        == drawn(model, after: "H: the film A:"))
  }

  @Test func `a chat model is asked in its own format, with a text of the system`() throws {
    let model = try bench.model { $0.chatTemplate = TinyModel.chatTemplate }
    let row = Row(["id": "q0", "prompt": "The film", "generations": [" <|im_end|> was"]])
    for chat in [true, "Rate it."] as [JSON] {
      let found = try annotate(
        ["annotator": Self.asking("{prompt}{generation}?", [("chat", chat)])], model: model, rows: [row])
      #expect(
        found[0]["replies"]?.arrayValue?.first
          == (try drawn(
            model, after: "The film <|im_end|> was?", [("temperature", 0), ("chat", chat)])),
        "\(chat.text())")
    }
    let plain = try annotate(["annotator": Self.asking("{prompt}{generation}?")], model: model, rows: [row])
    #expect(plain[0]["replies"]?.arrayValue?.first == (try drawn(model, after: "The film <|im_end|> was?")))
  }

  @Test func `a reply is drawn as a sample is, and ends where it should`() throws {
    let model = try bench.model()
    let row = [Row(["id": "q0", "prompt": "The film", "generations": [" was"]])]
    let sampling: [(String, JSON)] = [("temperature", 1.2), ("top_p", 0.9), ("stop", ["a"])]
    let found = try annotate(["annotator": Self.asking(sampling)], model: model, rows: row)
    #expect(
      found[0]["replies"]?.arrayValue?.first == (try drawn(model, after: "The film was It is", sampling)))
    let free = try annotate(["annotator": Self.asking([("temperature", 1.2)])], model: model, rows: row)
    #expect(free[0]["replies"] != found[0]["replies"])
    #expect(bench.log.contains { $0.hasSuffix("replies ended at `max_new_tokens`") })
  }

  // MARK: asked again

  /// Some tenths of what this model says begin so.
  private static let some: JSON = ["kind": "regex", "pattern": "^\\W*(?<feedbacks>[a-m]\\w*)"]

  private static func again(_ attempts: Int) -> JSON {
    [
      "annotator": asking(
        "{prompt}{generation} It is", [("temperature", 1.0), ("attempts", .int(Int64(attempts)))]),
      "parser": some,
    ]
  }

  @Test func `what cannot be read is asked again with other random numbers, at most so often`() throws {
    let model = try bench.model()
    let rows = pooledRows(12)
    func column(_ name: String, of rows: [Row]) -> [JSON] { rows.flatMap { $0[name]?.arrayValue ?? [] } }
    let runs = try [1, 2, 6].map { try annotate(Self.again($0), model: model, rows: rows) }
    let outcomes = runs.map { column("outcomes", of: $0) }
    let counts = outcomes.map { $0.count { $0 == "parsed" } }
    #expect(counts[0] < counts[1] && counts[1] < counts[2] && counts[0] > 3, "\(counts)")
    let replies = runs.map { column("replies", of: $0) }
    #expect(replies[2].count == 36 && !replies[2].contains(.null))
    for index in replies[0].indices {
      // What was read stays; what was not is another reply.
      let isParsed = outcomes[0][index] == "parsed"
      #expect((replies[0][index] == replies[1][index]) == isParsed, "\(replies[1][index].text())")
      #expect(isParsed == !column("feedbacks", of: runs[0])[index].isNull)
    }
    #expect(bench.log.contains { $0.hasSuffix("questions were asked more than once") })
  }

  @Test func `threads, batch, memory, shards and company do not matter`() throws {
    let model = try bench.model()
    let rows = pooledRows(7)
    let options = Self.again(3)
    let expected = try annotate(options, model: model, rows: rows)
    for circumstances in [
      ModelBench.Circumstances(threads: 1), .init(threads: 3), .init(engine: ["batch": 1]),
      .init(engine: ["batch": 5]), .init(engine: ["memory": .int(6 * 8192), "batch": 32]), .init(shards: 3),
      .init(engine: ["batch": 2], shards: 7),
    ] {
      #expect(try annotate(options, model: model, rows: rows, circumstances) == expected)
    }
    #expect(try annotate(options, model: model, rows: [rows[2]]) == [expected[2]])
    #expect(try annotate(options, model: model, rows: rows.reversed()) == expected.reversed())
    #expect(try annotate(options, model: model, rows: rows, seed: 2) != expected)
  }

  @Test func `a stopped stage goes on with what was finished, and ends with the same bytes`() throws {
    let model = try bench.model()
    let rows = pooledRows(6)
    let expected = try annotate(Self.again(4), model: model, rows: rows)
    for reports in [1, 4, 9] {
      let journal = "\(bench.path)/journal-\(reports)"
      let stopping = StoppingReporter(after: reports)
      #expect(throws: CancellationError.self) {
        try run(rows, model, journal: journal, reporter: stopping)
      }
      let output = try run(rows, model, journal: journal, reporter: bench.reporter)
      #expect(try bench.rows(output) == expected)
      #expect(bench.log.contains { $0.hasSuffix("of 18 items were already finished") })
    }
  }

  private func run(_ rows: [Row], _ model: String, journal: String, reporter: any StageReporter) throws
    -> String
  {
    try bench.run(
      AnnotateStage(), Self.again(4), models: ["model": model], rows: rows,
      ModelBench.Circumstances(engine: ["batch": 1], journal: journal, reporter: reporter))
  }

  @Test func `questions that are too long are refused, or left out with an outcome`() throws {
    let model = try bench.model { $0.contextLength = 40 }
    let long = Row([
      "id": "long", "prompt": "A", "generations": ["x", .string(String(repeating: "zq", count: 40))],
    ])
    #expect(
      inputError { _ = try annotate(["annotator": Self.asking()], model: model, rows: [long]) }
        .hasPrefix("1 of 2 questions has more than 28 tokens"))
    let found = try annotate(
      ["annotator": Self.asking([("overflow", "drop")])], model: model, rows: [long])
    #expect(found[0]["outcomes"] == ["parsed", "error"] && found[0]["replies"]?.arrayValue?[1] == .null)
    #expect(
      bench.log.contains(
        "the first that could not be read: row `long`, sample 1: the question is too long and was left out"))
  }
}

extension AnnotateStageTests {
  fileprivate static func asking(_ more: [(String, JSON)]) -> JSON {
    asking("{prompt}{generation} It is", more)
  }
}
