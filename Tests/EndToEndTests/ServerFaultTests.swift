// Servers that are away, slow, refuse or waste: what ends a run, what is kept, and what the next one asks.

import FaultyServer
import Glibc
import JSON
import Synchronization
import System
import Testing

@Suite struct ServerFaultTests {
  private func sample(n: Int = 1, temperature: Double = 0) -> String {
    "  sample: {in: {model: judge, prompts: prompts}, with: {n: \(n), temperature: \(temperature), max_new_tokens: 20}}\n"
  }

  /// What each request's body was, as often as it came.
  private func counts(_ server: FaultyServer) -> [String: Int] {
    server.requests.reduce(into: [:]) { $0[$1.text, default: 0] += 1 }
  }

  @Test func `a run that is killed loses the requests in flight, and the next asks only what is missing`()
    throws
  {
    let project = try AskingProject(prompts: 24) { request in
      AskingProject.answer(request).delayed(milliseconds: request.number <= 12 ? 50 : 20_000)
    }
    try project.write(sample(), judge: "model: tiny, limits: {concurrency: 4}")
    let command = "setsid '\(project.plumb.binary)' run x.yaml >/dev/null 2>&1 & echo $! > pid;"
    _ = try project.plumb.shell("export \(project.environment); \(command)")
    let deadline = monotonicSeconds() + 60
    while project.server.requestCount < 14, monotonicSeconds() < deadline { usleep(20_000) }
    usleep(200_000)
    let pid = project.plumb.text("pid").split(separator: "\n").first.map(String.init) ?? ""
    _ = try project.plumb.shell("kill -9 -- -\(pid);")
    let before = counts(project.server)
    let kept = try project.entries().count
    #expect(kept >= 12 - 4 && kept < 24, "\(kept)")
    let inFlight = project.server.requestCount - kept
    #expect(inFlight <= 4 && inFlight > 0, "\(inFlight)")
    #expect(before.values.allSatisfy { $0 == 1 })
    project.server.stop()

    // The same, where a server answers at once.
    let second = try FaultyServer(answer: AskingProject.answer)
    let address = String(project.server.url.dropFirst("http://".count))
    try project.write(
      sample(), judge: "model: tiny, identity: \"\(address)/v1\", limits: {concurrency: 4}")
    _ = try project.plumb.shell("sed -i 's|\(project.server.url)|\(second.url)|' x.yaml;")
    let again = try project.run("run x.yaml")
    #expect(again.status == 0, "\(again.error)")
    #expect(second.requestCount == 24 - kept)
    #expect(try project.entries().count == 24)
    let asked = Set(counts(second).keys)
    #expect(asked.count == 24 - kept)
    // Of those that were sent before, only the ones that were in flight.
    #expect(asked.intersection(before.keys).count == inFlight)
  }

  @Test func `a server that goes away ends the run with 7, and what came is kept`() throws {
    let isAway = Mutex(false)
    let project = try AskingProject(prompts: 9) { request in
      if request.number > 5 { isAway.withLock { $0 = true } }
      return isAway.withLock { $0 } ? .hangUp : AskingProject.answer(request)
    }
    try project.write(sample(), judge: "model: tiny, limits: {concurrency: 1, attempts: 2}")
    let first = try project.run("run x.yaml")
    #expect(first.status == 7, "\(first.error)")
    #expect(
      first.error.contains("stays away: 2 tries")
        && first.error.contains(
          "5 replies of this run are kept, and running again asks only for the 4 that are missing"),
      "\(first.error)")
    let log = try project.run("logs sample").output
    #expect(log.contains("judge: connection cut, waiting ") && log.contains(", 2 of 2"), "\(log)")
    #expect(try project.entries().count == 5 && project.filesWithSecret() == "")

    let back = try FaultyServer(answer: AskingProject.answer)
    let address = String(project.server.url.dropFirst("http://".count))
    project.server.stop()
    try project.write(sample(), judge: "model: tiny, identity: \"\(address)/v1\"")
    _ = try project.plumb.shell("sed -i 's|\(project.server.url)|\(back.url)|' x.yaml;")
    let second = try project.run("run x.yaml")
    #expect(
      second.status == 0 && second.error.contains("4 replies asked · 0 replies replayed"), "\(second.error)")
    #expect(back.requestCount == 4)
    // Where a kept connection turns out to be closed, libcurl sends a request again on up to four new ones.
    #expect(project.server.requestCount <= 5 + 2 * 5, "\(project.server.requestCount)")
  }

  @Test func `a key that is refused, or missing, ends the run with the name of its variable`() throws {
    // As some servers do, the message repeats the key.
    let project = try AskingProject { request in
      let key = request.header("Authorization") ?? ""
      return .json(["error": ["message": .string("Incorrect API key provided: \(key)")]], status: 401)
    }
    try project.write(sample())
    let refused = try project.run("run x.yaml")
    #expect(refused.status == 7, "\(refused.error)")
    #expect(refused.error.contains("refuses the key in the environment variable `JUDGE_KEY`"))
    #expect(refused.error.contains("Incorrect API key provided"), "\(refused.error)")
    #expect(try project.filesWithSecret() == "")
    #expect(project.server.requestCount <= 3)

    let count = project.server.requestCount
    // What is said before any stage starts.
    let missing = try project.plumb.run("run x.yaml", before: "env -u JUDGE_KEY")
    #expect(
      missing.status == 3
        && missing.error.contains(
          "`sample` needs the environment variable `JUDGE_KEY`, which is not set or empty"),
      "\(missing.error)")
    #expect(project.server.requestCount == count)
    let check = try project.plumb.run("check x.yaml", before: "env -u JUDGE_KEY")
    #expect(check.error.contains("warning[missing-variable]"), "\(check.error)")
  }

  @Test func `replies that come after a fault are those that would have come before it`() throws {
    func outcome(_ answer: @escaping @Sendable (FaultyServer.Request) -> Answer) throws -> [JSON] {
      let project = try AskingProject(prompts: 6, answer: answer)
      try project.write(sample(n: 2, temperature: 1), judge: "model: tiny, identity: same")
      let result = try project.run("run x.yaml")
      #expect(result.status == 0, "\(result.error)")
      return try project.rows("sample")
    }
    let right = try outcome(AskingProject.answer)
    let faulty = try outcome { request in
      switch request.number % 5 {
      case 0: .json(["error": ["message": "slow down"]], status: 429)
      case 1: AskingProject.answer(request).with(.cut(.body(20)))
      case 2: .text("busy", status: 503)
      default: AskingProject.answer(request)
      }
    }
    #expect(right == faulty && right.count == 6)
  }

  @Test func `a request that is refused leaves its row out and costs no other`() throws {
    let project = try AskingProject { request in
      AskingProject.lastText(request).contains("2")
        ? .json(["error": ["message": "this is not answered"]], status: 400) : AskingProject.answer(request)
    }
    try project.write(sample())
    let result = try project.run("run x.yaml")
    #expect(result.status == 0, "\(result.error)")
    #expect(result.error.contains("1 prompts that the server did not answer left out"), "\(result.error)")
    #expect(try project.rows("sample").map { $0["id"] } == ["p1", "p3"])
    // A failure is never kept: it is asked again where the results are gone.
    #expect(try project.entries().count == 2)
  }

  @Test func `a request that was refused in a run that ended is asked again in the next`() throws {
    let isWell = Mutex(false)
    let project = try AskingProject(prompts: 5) { request in
      if isWell.withLock({ $0 }) { return AskingProject.answer(request) }
      if request.number > 3 { return .hangUp }
      return request.number == 2
        ? .json(["error": ["message": "not now"]], status: 400) : AskingProject.answer(request)
    }
    try project.write(sample(), judge: "model: tiny, limits: {concurrency: 1, attempts: 2}")
    let first = try project.run("run x.yaml")
    #expect(first.status == 7 && first.error.contains("2 replies of this run are kept"), "\(first.error)")
    isWell.withLock { $0 = true }
    let second = try project.run("run x.yaml")
    #expect(second.status == 0 && second.error.contains("3 replies asked"), "\(second.error)")
    #expect(try project.rows("sample").count == 5)
  }
}
