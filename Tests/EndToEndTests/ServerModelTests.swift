// A whole experiment with models behind a server: asked once, replayed after that, and marked as observed.

import FaultyServer
import JSON
import Synchronization
import System
import Testing

@Suite struct ServerModelTests {
  /// Every stage that asks.
  static let whole = #"""
      sample: {in: {model: judge, prompts: prompts}, with: {n: 2, temperature: 0.8, top_p: 0.9, max_new_tokens: 20, stop: ["\n"]}}
      annotate:
        in: {model: judge, rows: sample}
        with:
          annotator: {kind: model, template: "Post: {prompt}\nSummary: {generation}", max_new_tokens: 50, chat: "You judge."}
          parser: {kind: regex, pattern: 'Feedback: (?P<feedbacks>.*)\. Score: (?P<scores>\d)'}
      structured:
        uses: annotate
        in: {model: judge, rows: sample}
        with:
          annotator: {kind: model, template: "Rate {generation}", max_new_tokens: 50, schema: schema.json}
          parser: {kind: json, fields: {feedbacks: comment, scores: score}}
      toxicity: {uses: score, in: {model: endpoint, rows: annotate}, with: {scorer: {kind: http}, column: toxicity}}
      choice: {uses: score, in: {model: judge, rows: toxicity}, with: {scorer: {kind: choice, template: "Is {generation} good?", labels: ["yes", "no"], reward: "yes"}}}
      reply: {uses: score, in: {model: judge, rows: toxicity}, with: {scorer: {kind: reply, template: "Rate {generation}", max_new_tokens: 9, parser: {kind: regex, pattern: 'Score: (?P<scores>\d)'}}}}
      evaluate: {in: {rows: choice, baseline: reply, judge: judge}, with: {metrics: [reward, {kind: win_rate, template: "{prompt}: is {a} or {b} better?"}]}}
    metrics: {reward: evaluate.reward, wins: evaluate.win_rate}

    """#
  static let stages = ["sample", "annotate", "structured", "toxicity", "choice", "reply", "evaluate"]
  static let schema = #"""
    {"type": "object", "properties": {"comment": {"type": "string"}, "score": {"type": "number", "maximum": 3}},
     "required": ["comment", "score"], "additionalProperties": false}
    """#

  let project: AskingProject

  init() throws {
    project = try AskingProject()
    try project.plumb.write(Self.schema, to: "schema.json")
    let judge = """
      model: tiny}
        endpoint: {server: "\(project.server.url)/score", interface: http, body: {text: "{generation}", about: "{prompt}", language: en}, reply: scores.0.value
      """
    try project.write(Self.whole, judge: judge)
  }

  private func outputs() throws -> String {
    try project.plumb.shell("find .plumb/objects -type f | sort | xargs sha256sum;").output
  }

  @Test func `what was asked once is never asked again, while its reply is kept`() throws {
    let first = try project.run("run x.yaml")
    try #require(first.status == 0, "\(first.error)")
    let asked = project.server.requestCount
    let bytes = try outputs()
    // No two requests are one: each body at each address is sent once.
    let bodies = project.server.requests.map { $0.target + $0.text }
    #expect(Set(bodies).count == bodies.count)

    let again = try project.run("run x.yaml")
    #expect(again.error.contains("nothing to run: all 8 stages cached"), "\(again.error)")
    // Without results all is made again of the replies.
    _ = try project.plumb.shell("rm -r .plumb/records .plumb/objects;")
    let replayed = try project.run("run x.yaml")
    #expect(replayed.status == 0 && replayed.output == first.output, "\(replayed.error)")
    #expect(
      replayed.error.contains("sample") && replayed.error.contains("0 replies asked · 6 replies replayed"))
    #expect(try outputs() == bytes)

    // Who does not ask needs no key.
    let verified = try project.plumb.run("verify @last", before: "env -u JUDGE_KEY")
    #expect(
      verified.status == 0
        && verified.output.split(separator: "\n").allSatisfy { $0.hasPrefix("same") }
        && verified.error.contains("8 stages computed again"), "\(verified.output)\(verified.error)")
    #expect(project.server.requestCount == asked)

    // Without the replies it cannot be said, and the server is not asked.
    _ = try project.plumb.shell("mv .plumb/replies lost;")
    let missing = try project.run("verify @last")
    #expect(missing.status == 1, "\(missing.error)")
    let lines = missing.output.split(separator: "\n").filter { $0.hasPrefix("failed") }
    #expect(lines.count == 7, "\(missing.output)")
    #expect(
      lines.contains {
        $0.contains("sample  6 of the replies of `judge` are not in the store, such as that to question 1")
      }, "\(lines)")
    #expect(project.server.requestCount == asked)
  }

  @Test func `each request says what its stage asks, and no more`() throws {
    let result = try project.run("run x.yaml")
    try #require(result.status == 0, "\(result.error)")
    let requests = project.server.requests
    for request in requests {
      #expect(request.method == "POST" && request.header("Content-Type") == "application/json")
      // The endpoint has no key.
      #expect(
        request.header("Authorization")
          == (request.target == "/score" ? nil : "Bearer \(AskingProject.secret)"))
    }
    func bodies(_ text: String) -> [JSON] {
      requests.filter { AskingProject.lastText($0).contains(text) }.map(\.json)
    }
    let samples = requests.map(\.json).filter { $0["top_p"] != nil }
    #expect(samples.count == 6)
    for body in samples {
      let keys = body.objectValue?.keys ?? []
      #expect(
        keys == ["model", "max_tokens", "temperature", "top_p", "stop", "seed", "messages"], "\(keys)")
      #expect(
        body["model"] == "tiny" && body["max_tokens"] == 20 && body["temperature"] == 0.8
          && body["top_p"] == 0.9 && body["stop"] == ["\n"])
      #expect(body["messages"]?.arrayValue?.count == 1 && body["messages"]?.arrayValue?[0]["role"] == "user")
    }
    #expect(Set(samples.compactMap { $0["seed"]?.intValue }).count == 6)

    for body in bodies("Post: ") {
      #expect(body["temperature"] == 0.0 && body["seed"] == nil && body["top_p"] == nil)
      #expect(body["messages"]?.arrayValue?[0] == ["role": "system", "content": "You judge."])
    }
    let structured = requests.map(\.json).filter { $0["response_format"] != nil }
    #expect(!structured.isEmpty)
    for body in structured {
      let format = body["response_format"]?["json_schema"]
      #expect(try format?["schema"] == JSON(parsing: Array(Self.schema.utf8)) && format?["strict"] == true)
    }
    let choices = bodies("good?")
    #expect(!choices.isEmpty)
    for body in choices {
      #expect(body["logprobs"] == true && body["top_logprobs"] == 20 && body["max_tokens"] == 1)
    }
    for request in requests where request.target == "/score" {
      #expect(request.json.objectValue?.keys == ["text", "about", "language"])
      #expect(
        request.json["language"] == "en" && request.json["about"]?.stringValue?.hasPrefix("Tell") == true)
    }
  }

  @Test func `the key reaches no file, no message and no report`() throws {
    let run = try project.run("run x.yaml")
    try #require(run.status == 0, "\(run.error)")
    for command in ["show @last", "plan x.yaml", "logs sample", "report @last", "cache ls", "verify @last"] {
      let result = try project.run(command)
      #expect(result.status == 0, "\(command): \(result.error)")
      #expect(try project.filesWithSecret() == "", "\(command)")
    }
    let environments = try project.plumb.shell("grep -rlF JUDGE_KEY runs | head -1;").output
    #expect(!environments.isEmpty)
  }

  @Test func `results made of replies are marked as observed, and say what they took`() throws {
    let run = try project.run("run x.yaml")
    try #require(run.status == 0, "\(run.error)")
    let identity = String(project.server.url.dropFirst("http://".count))
    let show = try project.run("show @last")
    #expect(
      show.output.contains(
        "observed: \(Self.stages.joined(separator: ", ")): made of what `\(identity)/v1`, `\(identity)/score` replied"
      ), "\(show.output)")
    _ = try project.run("report @last --output page.html")
    #expect(
      try project.plumb.shell("grep -lrF 'Observed, not computed' runs/*/*/report.html;").output.hasSuffix(
        "report.html\n"))
    let plan = try JSON(
      parsing: Array(try project.plumb.shell("cat runs/*/*/plan.json;").output.utf8))
    let nodes = plan["nodes"]?.arrayValue ?? []
    let observed = nodes.filter { $0["observed"]?.arrayValue?.isEmpty == false }.compactMap {
      $0["address"]?.stringValue
    }
    #expect(observed == Self.stages, "\(plan.text())")
    let list = try project.run("cache ls")
    #expect(list.output.contains("replies of `\(identity)/v1`"), "\(list.output)")
    #expect(list.output.contains("replies of `\(identity)/score`"))
    let line = try #require(run.error.split(separator: "\n").first { $0.hasPrefix("done    sample") })
    #expect(
      line.contains("6 replies asked · 0 replies replayed · 60 prompt tokens · 30 completion tokens"),
      "\(line)")
  }
}

@Suite struct DescribedModelTests {
  @Test func `another model at the same address is an error, and another attempt asks it`() throws {
    func server(_ parameters: Int) throws -> FaultyServer {
      try FaultyServer(
        models: .json([
          "data": [
            ["id": "tiny", "created": .int(Int64(parameters)), "meta": ["n_params": .int(Int64(parameters))]]
          ]
        ])
      ) { _ in AskingProject.chat("hi") }
    }
    let project = try AskingProject()
    func write(_ server: FaultyServer, tokens: Int, attempt: Int = 1) throws {
      try project.write(
        "  sample: {in: {model: judge, prompts: prompts}, with: {max_new_tokens: \(tokens)}}\n",
        judge: "model: tiny, identity: here, attempt: \(attempt)")
      _ = try project.plumb.shell("sed -i 's|\(project.server.url)|\(server.url)|' x.yaml;")
    }
    let (first, second) = (try server(135), try server(360))
    try write(first, tokens: 8)
    #expect(try project.run("run x.yaml").status == 0)
    // When the list was made says nothing of the model.
    try write(first, tokens: 9)
    #expect(try project.run("run x.yaml").status == 0)
    try write(second, tokens: 10)
    let refused = try project.run("run x.yaml")
    #expect(refused.status == 4 && second.requestCount == 0)
    #expect(refused.error.contains("`meta.n_params` was 135 and is 360"), "\(refused.error)")
    try write(second, tokens: 10, attempt: 2)
    #expect(try project.run("run x.yaml").status == 0)
    #expect(second.requestCount > 0)
  }

  @Test func `llama.cpp's server says which file it has, and another one is an error`() throws {
    let path = Mutex("a.gguf")
    let server = try FaultyServer(
      models: .json(["data": [["id": "tiny", "owned_by": "llamacpp"]]])
    ) { request in
      guard request.target == "/props" else { return AskingProject.chat("hi") }
      return .json([
        "model_path": .string(path.withLock { $0 }), "total_slots": .int(Int64(request.number)),
        "chat_template": "{{ x }}", "default_generation_settings": ["n_ctx": 512],
      ])
    }
    let project = try AskingProject()
    func run(tokens: Int) throws -> BuiltPlumb.Ending {
      try project.write(
        "  sample: {in: {model: judge, prompts: prompts}, with: {max_new_tokens: \(tokens)}}\n",
        judge: "model: tiny")
      _ = try project.plumb.shell("sed -i 's|\(project.server.url)|\(server.url)|' x.yaml;")
      return try project.run("run x.yaml")
    }
    #expect(try run(tokens: 8).status == 0)
    // How many it answers at once is not what it answers with.
    #expect(try run(tokens: 9).status == 0)
    path.withLock { $0 = "b.gguf" }
    let refused = try run(tokens: 10)
    #expect(refused.status == 4, "\(refused.error)")
    #expect(
      refused.error.contains(#"`props.model_path` was "a.gguf" and is "b.gguf""#), "\(refused.error)")
  }
}
