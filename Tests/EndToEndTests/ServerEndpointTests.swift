// `scorer: {kind: http}` whose requests have all generations of a row.

import FaultyServer
import JSON
import System
import Testing

@Suite struct ServerEndpointTests {
  private static let rows = (1...3).map { row in
    let texts = (0...row).map { "\"text \(row)\($0)\"" }.joined(separator: ", ")
    return "{\"id\": \"p\(row)\", \"prompt\": \"q\(row)\", \"generations\": [\(texts)]}\n"
  }.joined()

  private func project(
    _ endpoint: String, shards: Int = 1, _ answer: @escaping @Sendable (FaultyServer.Request) -> Answer
  ) throws -> AskingProject {
    let project = try AskingProject(prompts: 3, answer: answer)
    try project.plumb.write(Self.rows, to: "prompts.jsonl")
    try project.plumb.write(
      """
      version: 1
      name: scores
      models: {endpoint: {server: "\(project.server.url)/score", interface: http, \(endpoint)}}
      stages:
        rows: {uses: data, with: {path: prompts.jsonl, prompt: "{prompt}", id: id, samples: [generations]}}
        score: {shards: \(shards), in: {model: endpoint, rows: rows}, with: {scorer: {kind: http}}}

      """, to: "x.yaml")
    return project
  }

  private func rewards(_ project: AskingProject) throws -> [[Double?]] {
    try project.rows("score").map { ($0["rewards"]?.arrayValue ?? []).map(\.doubleValue) }
  }

  /// The last digits of a text are its score.
  @Sendable private static func score(_ item: JSON) -> JSON {
    .double(Double(item["text"]?.stringValue?.split(separator: " ").last ?? "") ?? -1)
  }

  @Test(arguments: [1, 3])
  func `a row is one request, and its answers are told apart by id, whatever their order`(_ shards: Int)
    throws
  {
    let project = try project(
      "body: {items: [{id: \"{id}\", text: \"{generation}\"}], about: \"{prompt}\"}, reply: results.*.score, id: results.*.id",
      shards: shards
    ) { request in
      let items = request.json["items"]?.arrayValue ?? []
      return .json([
        "results": .array(items.reversed().map { ["id": $0["id"] ?? .null, "score": Self.score($0)] })
      ])
    }
    let run = try project.run("run x.yaml")
    #expect(run.status == 0, "\(run.error)")
    #expect(try rewards(project) == [[10, 11], [20, 21, 22], [30, 31, 32, 33]])
    #expect(project.server.requestCount == 3)
    #expect(
      Set(project.server.requests.compactMap { $0.json["about"]?.stringValue }) == ["q1", "q2", "q3"])
  }

  @Test func `answers by place belong to no text where there are not as many`() throws {
    let project = try project("body: {texts: [\"{generation}\"]}, reply: \"*\"") { request in
      let texts = request.json["texts"]?.arrayValue ?? []
      let scores = texts.map { Self.score(["text": $0]) }
      return .json(.array(texts.count == 3 ? Array(scores.dropLast()) : scores))
    }
    let run = try project.run("run x.yaml")
    #expect(run.status == 0, "\(run.error)")
    #expect(try rewards(project) == [[10, 11], [nil, nil, nil], [30, 31, 32, 33]])
    let log = try project.run("logs score").output
    #expect(log.contains("row `p2`, sample 0: 3 texts were sent, and the server gave 2 answers"), "\(log)")
  }

  @Test func `an id without a list is said before anything is asked`() throws {
    let project = try project("body: {texts: [\"{generation}\"]}, reply: \"0\", id: \"1\"") { _ in .json([]) }
    let check = try project.run("check x.yaml")
    #expect(check.status == 3 && check.error.contains("`id` has to stand in the same list"), "\(check.error)")
    #expect(project.server.requestCount == 0)
  }
}
