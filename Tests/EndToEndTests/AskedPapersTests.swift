// ALT-LMU and ALT-LMC as experiments/papers has them, run whole, with their annotator behind a server that answers as a judge does.

import FaultyServer
import JSON
import System
import Testing

@Suite(.enabled(if: CommandStageTests.hasPython, "python3 is not installed")) struct AskedPapersTests {
  let plumb: BuiltPlumb

  init() throws {
    plumb = try BuiltPlumb()
    let script = "\(ReferenceTests.package)/experiments/papers/stand_ins.py"
    let written = try plumb.shell("mkdir -p .git small/hh small/tldr && python3 '\(script)' . tiny;")
    try #require(written.status == 0, "\(written.error)")
    for (folder, prompt) in [
      ("hh", "Human: what is a word of NUMBER letters? Assistant:"),
      ("tldr", "SUBREDDIT: r/words\\nTITLE: NUMBER\\nPOST: a word of NUMBER letters\\nTL;DR:"),
    ] {
      for part in ["train", "valid"] {
        let rows = (0..<4).map { number in
          let text = prompt.replacing("NUMBER", with: "\(number)\(part == "train" ? "" : "0")")
          return "{\"prompt\":\"\(text)\"}\n"
        }.joined()
        try plumb.write(rows, to: "small/\(folder)/\(part).jsonl")
      }
    }
  }

  /// Good or bad by the request's digest, so that the same question has the same reply.
  private static func server(_ replies: [String]) throws -> FaultyServer {
    try FaultyServer { request in
      let choice = Int(Digest.of(text: request.text).hex.prefix(2), radix: 16) ?? 0
      let reply: JSON = [
        "model": "judge-1",
        "choices": [
          [
            "index": 0, "finish_reason": "stop",
            "message": ["role": "assistant", "content": .string(replies[choice % replies.count])],
          ]
        ], "usage": ["prompt_tokens": 100, "completion_tokens": 10],
      ]
      return .json(reply)
    }
  }

  private func write(_ paper: String, inputs: String, _ more: String, _ server: FaultyServer) throws {
    try plumb.write(
      """
      extends: papers/\(paper).yaml
      name: asked
      params: {annotator: null, iterations: 2, prompts: 3, samples: 4, per_prompt: 2, tokens: 8, epochs: 1, batch_size: 2}
      inputs: [\(inputs)]
      models: {annotator: {path: null, server: "\(server.url)/v1", model: judge}}
      \(more)
      """, to: "asked.yaml")
  }

  @Test func `ALT-LMC learns from categories that a server replies with`() throws {
    let server = try Self.server(["Harmful", "Harmless and helpful", "Harmless and very helpful", "harmless"])
    try write("alt-lmc-hh", inputs: "$sft", "", server)
    let result = try plumb.run("run asked.yaml --set data=small/hh")
    try #require(result.status == 0, "\(result.error)")
    // The question is the original's, with its examples, and the last one open.
    let bodies = server.requests.map(\.json)
    let texts = bodies.compactMap { $0["messages"]?.arrayValue?.first?["content"]?.stringValue }
    #expect(texts.count == bodies.count && bodies.allSatisfy { $0["temperature"] == 0 })
    let few = texts.filter { $0.contains("Rastafarians") }
    #expect(
      !few.isEmpty && few.allSatisfy { $0.hasSuffix("Feedback:") && $0.contains("Human: what is a word of") })
    // From the second iteration on the best category is asked for.
    let rows = try plumb.run("rows asked.yaml::alt@2.sample --json --set data=small/hh")
    #expect(rows.output.contains("Harmless and very helpful.\\n\\n"), "\(rows.output)")
    let asked = server.requestCount
    #expect(try plumb.run("run asked.yaml --set data=small/hh").error.contains("nothing to run"))
    #expect(server.requestCount == asked)
  }

  @Test func `ALT-LMU learns from feedback that a server writes in words of its own`() throws {
    let server = try Self.server([
      "Analysis: nothing is wrong.\nFeedback: clear, and as short as it can be.\nScore: 3",
      "Analysis: it leaves the question out.\nFeedback: misses the main point.\nScore: 1",
      "I will not rate this.",
    ])
    try write(
      "alt-lmu-tldr", inputs: "$sft, $reward_model, $tokenizer",
      """
      stages:
        train_prompts: {with: {path: small/tldr/train.jsonl}}
        valid_prompts: {with: {path: small/tldr/valid.jsonl}}
      """, server)
    let result = try plumb.run("run asked.yaml")
    try #require(result.status == 0, "\(result.error)")
    let systems = server.requests.compactMap { $0.json["messages"]?.arrayValue?.first }
    #expect(systems.allSatisfy { $0["role"] == "system" } && !systems.isEmpty)
    let rows = try plumb.run("rows asked.yaml::alt@2.sample --json")
    #expect(rows.output.contains("feedback: clear, and as short as it can be. input: "), "\(rows.output)")
    let metrics = try plumb.run("show @last --json")
    #expect(metrics.output.contains("\"parsed\""), "\(metrics.output)")
  }
}
