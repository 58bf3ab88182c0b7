// Annotators and scorers behind a server: what is read out of a reply, and what becomes of one that says nothing.

import FaultyServer
import Glibc
import JSON
import System
import Testing

@Suite struct ServerScoreTests {
  private func scores(_ scorer: String, _ answer: @escaping @Sendable (FaultyServer.Request) -> Answer) throws
    -> (rewards: [JSON], log: String)
  {
    let project = try AskingProject(prompts: 4, answer: answer)
    try project.plumb.write(
      (1...4).map { "{\"id\": \"p\($0)\", \"prompt\": \"q\", \"generations\": [\"text \($0)\"]}\n" }.joined(),
      to: "prompts.jsonl")
    try project.plumb.write(
      """
      version: 1
      name: scores
      models: {judge: {server: "\(project.server.url)/v1", model: tiny}}
      stages:
        rows: {uses: data, with: {path: prompts.jsonl, prompt: "{prompt}", id: id, samples: [generations]}}
        score: {in: {model: judge, rows: rows}, with: {scorer: \(scorer)}}

      """, to: "x.yaml")
    let run = try project.run("run x.yaml")
    #expect(run.status == 0, "\(run.error)")
    let log = try project.run("logs score").output
    return (try project.rows("score").map { $0["rewards"]?.arrayValue?.first ?? .null }, log)
  }

  @Test func `a choice by probability is the share of the tokens that begin a label`() throws {
    let (rewards, log) = try scores(
      "{kind: choice, template: \"Is {generation} good?\", labels: [\"yes\", \"no\"], reward: \"yes\"}"
    ) { request in
      let text = AskingProject.lastText(request)
      let tokens: [(String, Double)] =
        text.contains("1")
        ? [("yes", -0.5), ("no", -1.25)]
        : text.contains("2")
          ? [(" yes", -1), ("ye", -2), ("No", -0.1), ("no", -3), ("maybe", -0.5), ("", -0.2)]
          : text.contains("3") ? [("no", -0.01)] : [("maybe", -0.1)]
      return AskingProject.chat(tokens[0].0, alternatives: tokens)
    }
    func mass(_ logarithms: Double...) -> Double { logarithms.reduce(0) { $0 + exp($1) } }
    let expected: [Double] = [
      mass(-0.5) / mass(-0.5, -1.25), mass(-1, -2) / mass(-1, -2, -3), 0,
    ]
    for (reward, value) in zip(rewards, expected) {
      let reward = try #require(reward.doubleValue)
      #expect(abs(reward - value) < 1e-6, "\(reward) \(value)")
    }
    #expect(rewards.count == 4 && rewards[3] == .null, "\(rewards.map { $0.text() })")
    #expect(log.contains("row `p4`, sample 0: no label begins with any of the 1 likeliest tokens"), "\(log)")
  }

  @Test func `a choice by reply is the label that it begins with`() throws {
    let (rewards, log) = try scores(
      "{kind: choice, template: \"Is {generation} good?\", labels: [\"yes\", \"no\"], reward: \"yes\", by: reply}"
    ) { request in
      let text = AskingProject.lastText(request)
      return AskingProject.chat(
        text.contains("1")
          ? " yes, it is" : text.contains("2") ? "no" : text.contains("3") ? "yesterday" : "I think yes")
    }
    #expect(rewards == [1.0, 0.0, nil, nil], "\(rewards.map { $0.text() })")
    #expect(log.contains("row `p3`, sample 0: the reply names no label: \"yesterday\""), "\(log)")
  }

  @Test func `a server without probabilities is refused a choice by them`() throws {
    let project = try AskingProject { _ in AskingProject.chat("yes") }
    try project.write(
      AskingProject.sample
        + "  score: {in: {model: judge, rows: sample}, with: {scorer: {kind: choice, template: \"{generation}?\", labels: [\"yes\", \"no\"], reward: \"yes\"}}}\n"
    )
    let result = try project.run("run x.yaml")
    #expect(result.status != 0 && result.error.contains("write `by: reply`"), "\(result.error)")
  }

  @Test func `a number is read out of each reply, or is not there`() throws {
    let (rewards, _) = try scores(
      "{kind: reply, template: \"Rate {generation}\", max_new_tokens: 9, parser: {kind: regex, pattern: 'Score: (?P<scores>-?[0-9.]+)'}}"
    ) { request in
      let text = AskingProject.lastText(request)
      return AskingProject.chat(text.contains("2") ? "none" : "Score: -\(text.suffix(1)).5")
    }
    #expect(rewards == [-1.5, nil, -3.5, -4.5], "\(rewards.map { $0.text() })")
  }

  @Test func `replies that ignore the schema are unparsable, and are asked for again with another seed`()
    throws
  {
    let project = try AskingProject { request in
      let text = AskingProject.lastText(request)
      // The first prompt never, the second at the third time, the third at once.
      let seed = request.json["seed"]?.intValue ?? 0
      if text.contains("of 3") { return AskingProject.chat("{\"score\": 2}") }
      if text.contains("of 2") { return AskingProject.chat("{\"score\": \(seed % 5 == 0 ? 1 : 9)}") }
      return AskingProject.chat("Certainly! 2")
    }
    try project.plumb.write(
      "{\"type\": \"object\", \"properties\": {\"score\": {\"type\": \"integer\", \"maximum\": 3}}, \"required\": [\"score\"]}",
      to: "schema.json")
    try project.plumb.write(
      (1...3).map { "{\"id\": \"p\($0)\", \"prompt\": \"of \($0)\", \"generations\": [\"x\"]}\n" }.joined(),
      to: "prompts.jsonl")
    try project.plumb.write(
      """
      version: 1
      name: annotated
      models: {judge: {server: "\(project.server.url)/v1", model: tiny}}
      stages:
        rows: {uses: data, with: {path: prompts.jsonl, prompt: "{prompt}", id: id, samples: [generations]}}
        annotate:
          in: {model: judge, rows: rows}
          with:
            annotator: {kind: model, template: "{prompt}", max_new_tokens: 9, temperature: 1, attempts: 4, schema: schema.json}
            parser: {kind: json, fields: {scores: score}}

      """, to: "x.yaml")
    let result = try project.run("run x.yaml")
    #expect(result.status == 0, "\(result.error)")
    let rows = try project.rows("annotate")
    #expect(rows[0]["outcomes"] == ["unparsable"] && rows[0]["scores"] == [nil], "\(rows[0].text())")
    let log = try project.run("logs annotate").output
    #expect(log.contains("the schema was sent with each question, and "), "\(log)")
    #expect(rows[0]["replies"] == ["Certainly! 2"])
    #expect(rows[2]["outcomes"] == ["parsed"] && rows[2]["scores"] == [2], "\(rows[2].text())")
    func seeds(_ text: String) -> [Int] {
      project.server.requests.filter { AskingProject.lastText($0) == text }.compactMap {
        $0.json["seed"]?.intValue
      }
    }
    let first = seeds("of 1")
    #expect(first.count == 4 && first == (0..<4).map { first[0] + $0 }, "\(first)")
    #expect(seeds("of 3").count == 1)
    let second = seeds("of 2")
    let usable = second.firstIndex { $0 % 5 == 0 }
    #expect(second.count == usable.map { $0 + 1 } ?? 4, "\(second)")
    #expect(rows[1]["outcomes"] == [usable == nil ? "unparsable" : "parsed"], "\(rows[1].text())")
    let count = project.server.requestCount
    _ = try project.plumb.shell("rm -r .plumb/records .plumb/objects;")
    #expect(try project.run("run x.yaml").error.contains("0 replies asked · \(count) replies replayed"))
    #expect(try project.rows("annotate") == rows && project.server.requestCount == count)
  }
}
