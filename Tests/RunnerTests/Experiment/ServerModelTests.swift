// A model behind a server as an experiment describes it: what is read, what enters keys, and what a worker is given.

import JSON
import Runner
import System
import Testing

@Suite struct ServerModelTests {
  private func model(_ text: String) throws -> ServerModel {
    let project = try TemporaryProject()
    try project.write("train.jsonl", "{\"id\": \"1\", \"prompt\": \"a\"}\n")
    try project.write(
      "a.yaml",
      """
      version: 1
      name: x
      models: {m: \(text)}
      stages: {rows: {uses: data, with: {path: train.jsonl}}}

      """)
    guard case .success(let planned) = project.result("a.yaml") else {
      Issue.record("\(project.diagnostics("a.yaml"))")
      return ServerModel(url: "", identity: "")
    }
    return try #require(planned.plan.models.first?.server)
  }

  @Test func `without more than an address it is a chat, and its identity is the address`() throws {
    let server = try model("{server: \"https://Host:8443/v1//\"}")
    #expect(server.url == "https://Host:8443/v1" && server.identity == "Host:8443/v1")
    #expect(server.interface == .chat && server.model == nil && server.key == nil && server.attempt == 1)
    #expect(server.limits == ServerModel.Limits())
    #expect(
      server.keyPart == ["server": "Host:8443/v1", "interface": "chat", "body": [:]],
      "\(server.keyPart.text())")
  }

  private static let whole =
    "{server: \"http://[::1]:80/v1\", model: m1, interface: messages, identity: mine, attempt: 3, key: {env: PATH, header: X-Key}, body: {top_k: 5, deep: {a: [1, null]}}, limits: {concurrency: 7, requests_per_minute: 60, tokens_per_minute: 1000, attempts: 2, connect: 1s, first_byte: 2 min, whole: 3 min, longest_pause: 1h, tokens: 99, money: 0.5}}"

  @Test func `all that can be written is read, and a worker is given the same`() throws {
    var server = try model(Self.whole)
    #expect(server.interface == .messages && server.model == "m1" && server.identity == "mine")
    #expect(server.key == "PATH" && server.keyHeader == "X-Key" && server.attempt == 3)
    #expect(server.body == ["top_k": 5, "deep": ["a": [1, nil]]])
    var limits = ServerModel.Limits()
    (limits.concurrency, limits.requestsPerMinute, limits.tokensPerMinute) = (7, 60, 1000)
    (limits.attempts, limits.connect, limits.firstByte, limits.whole) = (2, 1, 120, 180)
    (limits.longestPause, limits.tokens, limits.money) = (3600, 99, 0.5)
    #expect(server.limits == limits)
    server.limits.price = ServerModel.Price(input: 0.25, output: 1.5, currency: "EUR")
    let text = server.json.text()
    #expect(ServerModel(json: try JSON(parsing: Array(text.utf8))) == server, "\(text)")
    var small = try model(
      "{server: \"https://host\", interface: http, body: {t: \"{generation}\"}, reply: a.0}")
    small.limits.price = nil
    #expect(ServerModel(json: try JSON(parsing: Array(small.json.text().utf8))) == small)
    for name in ["url", "identity", "interface", "attempt", "concurrency", "whole"] {
      var object = try #require(server.json.objectValue)
      object[name] = nil
      #expect(ServerModel(json: .object(object)) == nil, "\(name)")
    }
  }

  @Test func `what changes a reply changes the digest, and nothing else does`() throws {
    let digest = try model(Self.whole).digest
    for (old, new, isOther) in [
      ("m1", "m2", true), ("messages", "chat", true), ("mine", "yours", true),
      ("attempt: 3", "attempt: 4", true),
      ("top_k: 5", "top_k: 6", true), ("null]", "0]", true), ("[::1]:80", "127.0.0.1:81", false),
      ("X-Key", "Y-Key", false), ("PATH", "HOME", false), ("concurrency: 7", "concurrency: 8", false),
      ("tokens: 99", "tokens: 98", false), ("money: 0.5", "money: 1", false),
    ] {
      #expect(Self.whole.contains(old))
      #expect(try (model(Self.whole.replacing(old, with: new)).digest != digest) == isOther, "\(old)")
    }
    let first = try model("{server: \"https://host/v1\"}")
    #expect(
      try model("{server: \"https://host/v1\", attempt: 1, interface: chat, body: {}}").digest == first.digest
    )
    #expect(try model("{server: \"http://host/v1/\"}").digest == first.digest)
  }

  @Test func `perspective is an http endpoint with a body and a path of its own`() throws {
    let server = try model("{server: \"https://host/v1alpha1/comments:analyze\", interface: perspective}")
    #expect(server.interface == .http && server.keyHeader == "X-Goog-Api-Key")
    #expect(server.reply == "attributeScores.TOXICITY.summaryScore.value")
    #expect(server.body["comment"] == ["text": "{generation}"])
    #expect(server.body["requestedAttributes"] == ["TOXICITY": [:]])
  }
}
