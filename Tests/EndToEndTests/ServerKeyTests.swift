// What of a server enters keys, what `plan --why` says of it, and how results and replies move between stores.

import FaultyServer
import JSON
import System
import Testing

@Suite struct ServerKeyTests {
  let project: AskingProject

  init() throws {
    project = try AskingProject()
    try project.write(AskingProject.sample)
    let run = try project.run("run x.yaml")
    try #require(run.status == 0, "\(run.error)")
    try #require(project.server.requestCount == 6)
  }

  private var identity: String { "\(project.server.url.dropFirst("http://".count))/v1" }

  @Test func `another attempt asks anew, and the first is still there`() throws {
    let first = try project.rows("sample")
    try project.write(AskingProject.sample, judge: "model: tiny, attempt: 2")
    let second = try project.run("run x.yaml")
    #expect(
      second.status == 0 && second.error.contains("6 replies asked · 0 replies replayed"), "\(second.error)")
    #expect(project.server.requestCount == 12)
    #expect(try project.rows("sample") != first)
    // Seeds are other ones too: a server that keeps to them would say the same again.
    let seeds = project.server.requests.compactMap { $0.json["seed"]?.intValue }
    #expect(Set(seeds).count == 12)
    try project.write(AskingProject.sample)
    #expect(try project.run("run x.yaml").error.contains("all 2 stages cached"))
    #expect(try project.rows("sample") == first && project.server.requestCount == 12)
  }

  @Test func `with an identity the server may move, and limits change nothing`() throws {
    let moved = try FaultyServer(answer: AskingProject.answer)
    func write(_ more: String) throws {
      try project.write(AskingProject.sample, judge: "model: tiny, \(more)")
      _ = try project.plumb.shell("sed -i 's|\(project.server.url)|\(moved.url)|' x.yaml;")
    }
    for more in [
      "identity: \"\(identity)\"",
      "identity: \"\(identity)\", limits: {concurrency: 2, attempts: 1, tokens: 1, whole: 3s}",
      "identity: \"\(identity)\", attempt: 1, body: {}, interface: chat",
    ] {
      try write(more)
      let result = try project.run("run x.yaml")
      #expect(result.error.contains("all 2 stages cached"), "\(more): \(result.error)")
    }
    // The key's name and its header are of no account either.
    try project.plumb.write(
      project.plumb.text("x.yaml").replacing("{env: JUDGE_KEY}", with: "{env: OTHER_KEY, header: X-Key}"),
      to: "x.yaml")
    #expect(try project.run("run x.yaml", before: "OTHER_KEY=x ").error.contains("all 2 stages cached"))
    #expect(moved.requestCount == 0 && project.server.requestCount == 6)
    // Without it another address is another server.
    try write("attempt: 1")
    let other = try project.run("run x.yaml")
    #expect(other.status == 0 && moved.requestCount == 6, "\(other.error)")
  }

  @Test(arguments: [
    ("model: other", "input model.model \"tiny\" -> \"other\" (model judge, x.yaml:4:"),
    ("model: tiny, attempt: 3", "input model.attempt (none) -> 3 (model judge, x.yaml:4:"),
    ("model: tiny, body: {top_k: 5}", "input model.body.top_k (none) -> 5 (model judge, x.yaml:4:"),
    ("model: tiny, identity: mine", "-> \"mine\" (model judge, x.yaml:4:"),
    (
      "model: tiny, interface: completions",
      "input model.interface \"chat\" -> \"completions\" (model judge, x.yaml:4:"
    ),
  ])
  func `a member that changed is named with its line`(judge: String, words: String) throws {
    try project.write(AskingProject.sample, judge: judge)
    let plan = try project.run("plan --why x.yaml")
    let line = try #require(plan.output.split(separator: "\n").first { $0.hasPrefix("sample") })
    #expect(line.contains(words), "\(line)")
    let explained = try project.run("explain-node x.yaml sample")
    #expect(explained.status == 0 && explained.output.contains("x.yaml:4:"), "\(explained.output)")
    #expect(!explained.output.contains("sha256 tiny"), "\(explained.output)")
    #expect(project.server.requestCount == 6)
  }

  @Test func `replies go along with results, and are asked for nowhere else`() throws {
    let pushed = try project.run("cache push stick")
    #expect(
      pushed.status == 0 && pushed.error.contains("6 replies of `\(identity)` copied, 0 already present"),
      "\(pushed.error)")
    let bytes = try project.plumb.shell("find .plumb/objects -type f | sort | xargs sha256sum;").output
    _ = try project.plumb.shell("rm -rf .plumb runs;")
    let pulled = try project.run("cache pull stick")
    #expect(
      pulled.status == 0 && pulled.error.contains("6 replies of `\(identity)` copied, 0 already present"),
      "\(pulled.error)")
    #expect(try project.run("run x.yaml").error.contains("all 2 stages cached"))
    _ = try project.plumb.shell("rm -r .plumb/records .plumb/objects;")
    let replayed = try project.run("run x.yaml")
    #expect(replayed.error.contains("0 replies asked · 6 replies replayed"), "\(replayed.error)")
    #expect(
      try project.plumb.shell("find .plumb/objects -type f | sort | xargs sha256sum;").output == bytes)
    #expect(project.server.requestCount == 6)
  }

  @Test func `of two replies to one request the one that is here stays, and the other is reported`() throws {
    #expect(try project.run("cache push stick").status == 0)
    let first = try project.rows("sample")
    // Elsewhere the same questions had other answers.
    _ = try project.plumb.shell("mv .plumb first;")
    let other = try FaultyServer { request in
      AskingProject.chat("other \(request.json["seed"]?.intValue ?? 0)")
    }
    try project.write(AskingProject.sample, judge: "model: tiny, identity: \"\(identity)\"")
    _ = try project.plumb.shell("sed -i 's|\(project.server.url)|\(other.url)|' x.yaml;")
    #expect(try project.run("run x.yaml").status == 0)
    let second = try project.rows("sample")
    #expect(second != first && other.requestCount == 6)
    let entries = try project.entries()
    let pulled = try project.run("cache pull stick")
    #expect(
      pulled.status == 0
        && pulled.error.contains(
          "warning: 6 requests to `\(identity)` had another reply there, which stays, such as "),
      "\(pulled.error)")
    #expect(
      pulled.error.contains(
        "warning: 1 result had other bytes there under the same key, which stay, such as that of `sample`"),
      "\(pulled.error)")
    #expect(try project.entries() == entries)
    #expect(try project.run("run x.yaml").error.contains("all 2 stages cached"))
    #expect(try project.rows("sample") == second)
  }
}
