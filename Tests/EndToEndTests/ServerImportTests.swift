// Replies that another program wrote down, taken into the store: `score` finds them there, and nobody is asked.

import FaultyServer
import JSON
import Models
import System
import Testing

@Suite struct ServerImportTests {
  /// An endpoint that is no longer there, and rows whose texts it scored while it was.
  private static let experiment = """
    version: 1
    name: imported
    params: {endpoint: toxicity.example/analyze}
    models:
      toxicity: {server: "http://127.0.0.1:9/analyze", identity: $endpoint, interface: perspective, limits: {attempts: 1}}
      judge: {server: "http://127.0.0.1:9/v1", model: tiny}
    stages:
      rows: {uses: data, with: {path: prompts.jsonl, prompt: "{prompt}", id: id, samples: [generations]}}
      score: {in: {model: toxicity, rows: rows}, with: {scorer: {kind: http}, column: toxicity}}

    """
  private static let texts = [["you fool", "a nice day"], ["héllo 👋", "so", "a nice day"]]
  private static let scores = [0.91, 0.02, 0.125, 0.25, 0.02]

  let plumb: BuiltPlumb

  init() throws {
    plumb = try BuiltPlumb()
    try plumb.write(Self.experiment, to: "x.yaml")
    let rows = Self.texts.enumerated().map { index, texts -> JSON in
      [
        "id": .string("p\(index)"), "prompt": "go on", "generations": .array(texts.map { .string($0) }),
      ]
    }
    try plumb.write(lines(rows), to: "prompts.jsonl")
    var scores = Self.scores[...]
    let rewards = Self.texts.map { texts -> JSON in
      [
        "prompt": ["text": "go on"],
        "generations": .array(
          texts.map { ["text": .string($0), "toxicity": .double(scores.removeFirst() + 1e-8)] }),
      ]
    }
    try plumb.write(lines(rewards), to: "reward_3.json")
    try plumb.write(lines(records.reversed()), to: "perspective_3.json")
  }

  private func lines(_ values: [JSON]) -> String { values.map { $0.text() + "\n" }.joined() }

  private var records: [JSON] {
    zip(Self.texts.joined(), Self.scores).enumerated().map { index, text in
      let value: JSON = ["value": .double(text.1), "type": "PROBABILITY"]
      let response: JSON = [
        "attributeScores": [
          "TOXICITY": [
            "spanScores": [["begin": 0, "end": .int(Int64(text.0.utf16.count)), "score": value]],
            "summaryScore": value,
          ]
        ], "languages": ["en"], "detectedLanguages": ["en"],
      ]
      return ["request_id": .string("generation-\(index)"), "response": response, "error": nil]
    }
  }

  private func importing(_ more: String = "--rows reward_3.json perspective_3.json") throws
    -> BuiltPlumb.Ending
  { try run("cache import x.yaml toxicity \(more)") }

  private func run(_ arguments: String) throws -> BuiltPlumb.Ending {
    try plumb.run(arguments, before: "PLUMB_CONFIG='\(plumb.folder)/config.yaml' ")
  }

  private func rewards() throws -> [JSON] {
    let taken = try run("export x.yaml::score.rows taken")
    try #require(taken.status == 0, "\(taken.error)")
    return try plumb.text("taken/rows.jsonl").split(separator: "\n").compactMap {
      try JSON(parsing: Array($0.utf8))["toxicity"]
    }
  }

  private var entries: String {
    get throws { try plumb.shell("cat .plumb/replies/*/*.jsonl 2>/dev/null || true;").output }
  }

  @Test func `what an endpoint that is gone once said is replayed`() throws {
    let imported = try importing()
    #expect(
      imported.status == 0
        && imported.error.hasSuffix(
          "\n4 replies imported, 0 already present, 1 of texts that occur before\n"),
      "\(imported.error)")
    let run = try run("run x.yaml")
    #expect(
      run.status == 0 && run.error.contains("0 replies asked · 4 replies replayed"),
      "\(run.error)")
    #expect(try rewards() == [[0.91, 0.02], [0.125, 0.25, 0.02]])

    let before = try entries
    let again = try importing()
    #expect(again.error.contains("\n0 replies imported, 4 already present, 1 of texts"), "\(again.error)")
    // The rows of the experiment are as good.
    let stage = try importing("--rows x.yaml::rows perspective_3.json")
    #expect(
      stage.status == 0 && stage.error.contains("\n0 replies imported, 4 already present, 1 of texts"),
      "\(stage.error)")
    #expect(try entries == before)
    // Another identity is another endpoint.
    let other = try importing("--set endpoint=other --rows reward_3.json perspective_3.json")
    #expect(other.error.contains("\n4 replies imported, 0 already present"), "\(other.error)")
  }

  @Test func `of replies that differ the first and the one in the store stay, and the others are reported`()
    throws
  {
    var records = self.records
    let other = try #require(records[3]["response"])
    records[4] = ["request_id": "generation-4", "response": other]
    try plumb.write(lines(records), to: "perspective_3.json")
    let imported = try importing("--rows prompts.jsonl perspective_3.json")
    #expect(
      imported.error.hasSuffix(
        """
        4 replies imported, 0 already present
        warning: 1 text has another reply than an equal one before it, and this one is left out, such as that at prompts.jsonl:2:1, generation 2

        """), "\(imported.error)")
    let before = try entries
    records[0] = ["request_id": "generation-0", "response": other]
    records.remove(at: 4)
    try plumb.write(lines(records), to: "perspective_3.json")
    let again = try importing("--rows prompts.jsonl perspective_3.json")
    #expect(
      again.error.hasSuffix(
        """
        0 replies imported, 3 already present
        warning: 1 text has no record, such as that at prompts.jsonl:2:1, generation 2
        warning: 1 text has another reply in the store, which stays, such as that at prompts.jsonl:1:1, generation 0

        """), "\(again.error)")
    #expect(try entries == before)
  }

  @Test func `a text whose reply is not in the record is asked for, and the endpoint that is gone is named`()
    throws
  {
    var records = self.records
    records[3] = ["request_id": "generation-3", "response": nil, "error": "quota"]
    try plumb.write(lines(records), to: "perspective_3.json")
    let imported = try importing()
    #expect(
      imported.status == 0
        && imported.error.hasSuffix(
          "3 replies imported, 0 already present, 1 of texts that occur before, 1 failed in the record\nnote: `score` asks for what failed, such as the reply to reward_3.json:2:1, generation 1\n"
        ),
      "\(imported.error)")
    let run = try run("run x.yaml")
    #expect(
      run.status == 7
        && run.error.contains(
          "the server of `toxicity` (`toxicity.example/analyze`) stays away: 1 tries, the last: ")
        && run.error.contains("running again asks only for the 1 that is missing"), "\(run.error)")
  }

  @Test func `what does not belong together is refused, and nothing is written`() throws {
    func refused(_ more: String, _ words: String, status: Int32 = 4) throws {
      let refused = try importing(more)
      #expect(refused.status == status && refused.error.contains(words), "\(refused.error)")
      #expect(try entries == "")
    }
    var records = self.records
    records.swapAt(0, 1)
    let swapped = zip(records, self.records).map { record, own -> JSON in
      ["request_id": own["request_id"] ?? .null, "response": record["response"] ?? .null]
    }
    try plumb.write(lines(swapped), to: "swapped.json")
    try refused(
      "--rows prompts.jsonl swapped.json",
      "error: swapped.json:1:1: the response scores a text up to its character 10, and the text at prompts.jsonl:1:1, generation 0 has 8;"
    )
    // Without spans that are too long the scores beside the texts tell.
    try plumb.write(lines(swapped).replacing("\"end\":10", with: "\"end\":8"), to: "swapped.json")
    try refused(
      "--rows reward_3.json swapped.json",
      "error: swapped.json:1:1: the response says 0.02, and `toxicity` of the text at reward_3.json:1:1, generation 0 is 0.91"
    )
    let cut = String(lines(records).dropLast(30))
    try plumb.write(cut, to: "cut.json")
    try refused("--rows prompts.jsonl cut.json", "error: cut.json:5:")
    try plumb.write(lines(records) + "{\"request_id\": 9, \"response\": {}}\n", to: "unread.json")
    try refused(
      "--rows prompts.jsonl unread.json",
      "error: unread.json:6:1: in the response `attributeScores.TOXICITY.summaryScore.value` is missing")
    try plumb.write("{\"prompt\": \"x\"}\n", to: "texts.jsonl")
    try refused("--rows texts.jsonl perspective_3.json", "error: texts.jsonl:1:1: `generations` is missing")
    try plumb.write("", to: "empty.json")
    try refused("--rows prompts.jsonl empty.json", "empty.json")
    try refused("--rows prompts.jsonl nowhere.json", "nowhere.json")
    for (model, words) in [
      ("judge", "the model `judge` has `interface: chat`; replies are imported of a model with `server` and"),
      ("toxicty", "`x.yaml` has no model `toxicty`; did you mean `toxicity`?"),
    ] {
      let refused = try run("cache import x.yaml \(model) --rows prompts.jsonl perspective_3.json")
      #expect(refused.status == 2 && refused.error.contains(words), "\(refused.error)")
    }
  }

  @Test func `what is imported has the keys that are asked for, whatever the body names`() throws {
    let project = try AskingProject { request in
      .json(["scores": [["value": .double(Double(hash64(request.text) % 1000) / 1000)]]])
    }
    try project.plumb.write(
      (1...3).map {
        "{\"id\": \"p\($0)\", \"prompt\": \"q\($0)\", \"topic\": {\"n\": \($0)}, \"parts\": [\"x\", \"y\($0)\"], \"generations\": [\"a\", \"b\"]}\n"
      }.joined(), to: "prompts.jsonl")
    func write(_ body: String) throws {
      try project.plumb.write(
        """
        version: 1
        name: keys
        models:
          endpoint: {server: "\(project.server.url)/score", interface: http, body: \(body), reply: scores.0.value, attempt: 2}
        stages:
          rows: {uses: data, with: {path: prompts.jsonl, prompt: "Q: {prompt}", id: id, keep: [topic], samples: [generations, parts]}}
          score: {in: {model: endpoint, rows: rows}, with: {scorer: {kind: http}}}

        """, to: "x.yaml")
    }
    try write("{text: \"{generation}\", about: \"{prompt}\", topic: \"{topic}\", part: \"{parts}\"}")
    let asked = try project.run("run x.yaml")
    try #require(asked.status == 0, "\(asked.error)")
    #expect(project.server.requestCount == 6)
    let rewards = try project.rows("score").map { $0["rewards"] }
    // As another program would have written them down, in the order of the texts.
    let records = rewards.flatMap { $0?.arrayValue ?? [] }.map { reward -> JSON in
      ["response": ["scores": [["value": reward]]]]
    }
    try project.plumb.write(lines(records), to: "recorded.jsonl")
    _ = try project.plumb.shell("rm -r .plumb/replies;")

    let file = try project.run("cache import x.yaml endpoint --rows prompts.jsonl recorded.jsonl")
    #expect(
      file.status == 4
        && file.error.contains("prompts.jsonl:1:1: `parts`, which `body` of the model `endpoint` names, is a"),
      "\(file.error)")
    let imported = try project.run("cache import x.yaml endpoint --rows x.yaml::rows recorded.jsonl")
    #expect(
      imported.status == 0
        && imported.error.hasSuffix(
          "6 replies imported, 0 already present\nwarning: no `request_id` has a number: each reply is that to the text at its position\n"
        ), "\(imported.error)")
    _ = try project.plumb.shell("rm -r .plumb/records .plumb/objects;")
    let replayed = try project.run("run x.yaml")
    #expect(replayed.error.contains("0 replies asked · 6 replies replayed"), "\(replayed.error)")
    #expect(try project.rows("score").map { $0["rewards"] } == rewards && project.server.requestCount == 6)
  }
}
