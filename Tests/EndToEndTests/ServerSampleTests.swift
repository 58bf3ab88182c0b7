// `sample` behind a server: what its rows hold, which questions are one, and what goes on to `train` and `evaluate`.

import FaultyServer
import Glibc
import JSON
import System
import Testing
import TinyModel

@Suite struct ServerSampleTests {
  @Test func `each sample has a seed of its own, and its row says how it ended`() throws {
    let project = try AskingProject { request in
      let seed = request.json["seed"]?.intValue ?? -1
      return AskingProject.chat("text \(seed)", finish: seed % 2 == 0 ? "stop" : "length")
    }
    try project.write(
      """
        sample:
          in: {model: judge, prompts: prompts}
          with: {n: 4, temperature: 0.7, max_new_tokens: 20, condition: {text: "Be short. "}}

      """)
    let result = try project.run("run x.yaml")
    try #require(result.status == 0, "\(result.error)")
    let rows = try project.rows("sample")
    #expect(rows.map { $0["id"] } == ["p1", "p2", "p3"])
    var seeds: Set<Int> = []
    for row in rows {
      let texts = row["generations"]?.arrayValue ?? []
      #expect(texts.count == 4)
      for (index, text) in texts.enumerated() {
        let seed = try #require(text.stringValue.flatMap { Int($0.dropFirst(5)) })
        seeds.insert(seed)
        let finish: JSON = seed % 2 == 0 ? "end" : "length"
        #expect(row["finish"]?.arrayValue?[index] == finish, "\(row.text())")
      }
      #expect(row["lengths"] == [5, 5, 5, 5] && row["tokens"] == [nil, nil, nil, nil], "\(row.text())")
      #expect(row["conditioning"]?.arrayValue?.first == "Be short. " || row["conditioning"] == "Be short. ")
    }
    #expect(seeds.count == 12 && seeds.allSatisfy { $0 >= 0 && $0 <= 0x7FFF_FFFF })
    #expect(
      project.server.requests.allSatisfy {
        AskingProject.lastText($0).hasPrefix("Be short. Tell me of ")
      }, "\(project.server.requests.map(\.text))")
  }

  @Test func `samples that are all equal are said`() throws {
    let project = try AskingProject { request in
      // The second prompt's samples differ.
      AskingProject.chat(AskingProject.lastText(request).contains("2") ? "drawn \(request.number)" : "same")
    }
    try project.write(AskingProject.sample)
    #expect(try project.run("run x.yaml").status == 0)
    let log = try project.run("logs sample").output
    #expect(log.contains("of 2 of 3 prompts all samples are equal"), "\(log)")
  }

  /// Such a server draws anew for each request, and equal bodies are not one question.
  @Test(arguments: ["interface: messages", "body: {seed: null}"])
  func `without seeds each sample is asked for itself, and all are replayed`(judge: String) throws {
    let project = try AskingProject { request in
      let text = "drawn \(request.number)"
      guard request.target.hasSuffix("/messages") else { return AskingProject.chat(text) }
      return .json([
        "model": "tiny-1", "stop_reason": "end_turn", "content": [["type": "text", "text": .string(text)]],
        "usage": ["input_tokens": 10, "output_tokens": 5],
      ])
    }
    try project.write(AskingProject.sample, judge: "model: tiny, \(judge)")
    let result = try project.run("run x.yaml")
    #expect(result.status == 0, "\(result.error)")
    #expect(project.server.requestCount == 6)
    #expect(project.server.requests.allSatisfy { $0.json["seed"] == nil })
    #expect(Set(project.server.requests.map(\.text)).count == 3)
    let rows = try project.rows("sample")
    #expect(Set(rows.flatMap { $0["generations"]?.arrayValue?.compactMap(\.stringValue) ?? [] }).count == 6)
    if judge.contains("messages") {
      let request = project.server.requests[0]
      #expect(request.header("x-api-key") == AskingProject.secret && request.header("Authorization") == nil)
      #expect(request.header("anthropic-version") == "2023-06-01" && request.json["max_tokens"] == 20)
    }
    _ = try project.plumb.shell("rm -r .plumb/records .plumb/objects;")
    #expect(try project.run("run x.yaml").error.contains("0 replies asked · 6 replies replayed"))
    #expect(try project.rows("sample") == rows)
    // Where nothing is drawn, equal questions are one.
    try project.write(
      AskingProject.sample.replacing("temperature: 0.8", with: "temperature: 0"),
      judge: "model: tiny, \(judge)")
    #expect(try project.run("run x.yaml").status == 0)
    #expect(project.server.requestCount == 9)
  }

  @Test func `completions go on from the prompt, conditioned as it is`() throws {
    let project = try AskingProject { request in
      .json([
        "model": "tiny-1", "choices": [["index": 0, "text": " and so on", "finish_reason": "length"]],
        "usage": ["prompt_tokens": 3, "completion_tokens": 4],
      ])
    }
    try project.write(AskingProject.sample, judge: "model: tiny, interface: completions, body: {min_p: 0.1}")
    let result = try project.run("run x.yaml")
    #expect(result.status == 0, "\(result.error)")
    for request in project.server.requests {
      #expect(request.target == "/v1/completions")
      #expect(request.json["prompt"]?.stringValue?.hasPrefix("Tell me of ") == true)
      #expect(request.json["messages"] == nil && request.json["min_p"] == 0.1)
    }
    let rows = try project.rows("sample")
    #expect(rows.first?["generations"] == [" and so on", " and so on"])
    #expect(rows.first?["finish"] == ["length", "length"] && rows.first?["lengths"] == [4, 4])
  }

  @Test func `stages that ask equal questions at once ask them once`() throws {
    let project = try AskingProject(prompts: 8) { request in
      AskingProject.answer(request).delayed(milliseconds: 150)
    }
    let stage =
      "{uses: sample, in: {model: judge, prompts: prompts}, with: {temperature: 0, max_new_tokens: LIMIT}}"
    try project.write(
      """
        first: \(stage.replacing("LIMIT", with: "20"))
        second: \(stage.replacing("LIMIT", with: "20, stop: []"))
        third: \(stage.replacing("LIMIT", with: "20, top_p: 1.0"))
        annotate: {in: {model: judge, rows: first}, with: {annotator: {kind: model, template: "{prompt}", max_new_tokens: 20}}}

      """, judge: "model: tiny, limits: {concurrency: 2}")
    let result = try project.run("run x.yaml --jobs 3")
    #expect(result.status == 0, "\(result.error)")
    #expect(project.server.requestCount == 8, "\(result.error)")
    #expect(Set(project.server.requests.map(\.text)).count == 8)
    #expect(project.server.mostUnderWay <= 2)
    #expect(try project.rows("first") == project.rows("third"))
  }

  @Test func `any number of jobs and shards gives the same bytes`() throws {
    func bytes(_ settings: String, _ options: String) throws -> String {
      let project = try AskingProject(prompts: 7)
      try project.write(
        """
          sample: {in: {model: judge, prompts: prompts}, with: {n: 2, temperature: 0.8, max_new_tokens: 20}\(settings)}
          annotate:
            in: {model: judge, rows: sample}
            with: {annotator: {kind: model, template: "Rate {generation}", max_new_tokens: 20, temperature: 0.3, attempts: 3}}
        \(settings.isEmpty ? "" : "    shards: 3\n")
        """, judge: "model: tiny, identity: same")
      let result = try project.run("run x.yaml \(options)")
      #expect(result.status == 0, "\(result.error)")
      #expect(project.server.requestCount == 28)
      return try project.rows("annotate").map { $0.text() }.joined(separator: "\n")
    }
    let one = try bytes("", "--jobs 1")
    #expect(one.split(separator: "\n").count == 7)
    #expect(try bytes("", "--jobs 4") == one)
    #expect(try bytes(", shards: 3", "--jobs 3") == one)
  }

  @Test func `what a server wrote is trained on and evaluated`() throws {
    let project = try AskingProject(prompts: 4)
    mkdir("\(project.plumb.folder)/model", 0o755)
    try TinyModel().write(to: "\(project.plumb.folder)/model")
    try project.write(
      """
        sample: {in: {model: judge, prompts: prompts}, with: {n: 2, temperature: 0.8, max_new_tokens: 20}}
        score: {in: {model: judge, rows: sample}, with: {scorer: {kind: choice, template: "Is {generation} good?", labels: ["yes", "no"], reward: "yes"}}}
        train: {in: {model: small, rows: score}, with: {objective: {kind: sft}, conditioning: {kind: none}, lr: 1.0e-3, batch_size: 4}}
        evaluate: {in: {rows: score, reference: small}}
      metrics: {reward: evaluate.reward}

      """,
      judge: "model: tiny}\n  small: {path: model")
    let result = try project.run("run x.yaml")
    #expect(result.status == 0, "\(result.error)")
    // e^-0.25 / (e^-0.25 + e^-1.5)
    #expect(result.output.contains("reward  0.7773"), "\(result.output)")
  }
}
