// An experiment that asks a server on loopback, and what that server was asked.

import FaultyServer
import Glibc
import JSON
import Models
import System
import Testing

final class AskingProject {
  /// What no file and no message may hold.
  static let secret = "sk-5ecret-of-these-tests"
  /// Tokens that each reply says it took.
  static let (promptTokens, completionTokens) = (10, 5)

  let plumb: BuiltPlumb
  let server: FaultyServer

  init(
    prompts: Int = 3, answer: @escaping @Sendable (FaultyServer.Request) -> Answer = AskingProject.answer
  ) throws {
    plumb = try BuiltPlumb()
    server = try FaultyServer(answer: answer)
    try plumb.write(
      (1...prompts).map { "{\"id\": \"p\($0)\", \"prompt\": \"Tell me of \($0)\"}\n" }.joined(),
      to: "prompts.jsonl")
  }

  /// An experiment with the model `judge`, `more` beside its address and key.
  func write(_ stages: String, judge more: String = "model: tiny", to name: String = "x.yaml") throws {
    try plumb.write(
      """
      version: 1
      name: asking
      models:
        judge: {server: "\(server.url)/v1", key: {env: JUDGE_KEY}, \(more)}
      stages:
        prompts: {uses: data, with: {path: prompts.jsonl, prompt: "{prompt}", id: id}}

      """ + stages, to: name)
  }

  static let sample =
    "  sample: {in: {model: judge, prompts: prompts}, with: {n: 2, temperature: 0.8, max_new_tokens: 20}}\n"

  /// With the key and without anybody's configuration.
  func run(_ arguments: String, before: String = "") throws -> BuiltPlumb.Ending {
    try plumb.run(arguments, before: environment + before)
  }

  var environment: String { "JUDGE_KEY=\(Self.secret) PLUMB_CONFIG='\(plumb.folder)/config.yaml' " }

  /// The rows of a stage of the last run.
  func rows(_ stage: String, of file: String = "x.yaml") throws -> [JSON] {
    _ = try plumb.shell("rm -rf taken;")
    let taken = try run("export \(file)::\(stage).rows taken")
    try #require(taken.status == 0, "\(taken.error)")
    return try plumb.text("taken/rows.jsonl").split(separator: "\n").map {
      try JSON(parsing: Array($0.utf8))
    }
  }

  /// Files below the folder that hold the key, and what the last command printed.
  func filesWithSecret() throws -> String {
    try plumb.shell("grep -rlF \(Self.secret) --exclude=taken . || true;").output
  }

  /// The lines of all entries of the store's journals.
  func entries() throws -> [String] {
    try plumb.shell("cat .plumb/replies/*/*.jsonl;").output.split(separator: "\n").map { String($0) }
  }

  // MARK: - The server

  @Sendable static func answer(_ request: FaultyServer.Request) -> Answer {
    let number = Int(hash64(request.text) % 1000)
    if request.target == "/score" {
      return .json(["scores": [["value": .double(Double(number) / 1000)]]])
    }
    let body = request.json
    let text = lastText(request)
    if body["response_format"] != nil {
      return chat("{\"comment\": \"number \(number)\", \"score\": \(number % 4)}")
    }
    if body["logprobs"] != nil { return chat("yes", alternatives: [("yes", -0.25), (" no", -1.5)]) }
    if text.contains("better") { return chat(["A", "B"][number % 2]) }
    return chat("Feedback: short \(number). Score: \(number % 4)")
  }

  /// The last message of a request.
  static func lastText(_ request: FaultyServer.Request) -> String {
    request.json["messages"]?.arrayValue?.last?["content"]?.stringValue ?? ""
  }

  /// A right response of `chat/completions`.
  static func chat(
    _ text: String, finish: String = "stop", alternatives: [(String, Double)]? = nil
  ) -> Answer {
    var choice = JSONObject([
      ("index", 0), ("message", ["role": "assistant", "content": .string(text)]),
      ("finish_reason", .string(finish)),
    ])
    if let alternatives {
      let tokens = alternatives.map { token, logarithm -> JSON in
        ["token": .string(token), "logprob": .double(logarithm)]
      }
      choice["logprobs"] = [
        "content": [["token": .string(text), "logprob": -0.25, "top_logprobs": .array(tokens)]]
      ]
    }
    return .json([
      "id": "x", "model": "tiny-1", "choices": [.object(choice)],
      "usage": [
        "prompt_tokens": .int(Int64(promptTokens)), "completion_tokens": .int(Int64(completionTokens)),
      ],
    ])
  }
}
