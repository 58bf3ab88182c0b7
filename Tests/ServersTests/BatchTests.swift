// Questions asked in batches: polls, lines in any order, what is submitted again, and what a killed run had under way.

import FaultyServer
import Glibc
import JSON
import Runner
import Servers
import Synchronization
import System
import Testing

@Suite struct BatchTests {
  private func asking(_ server: BatchServer) -> Asking {
    var asking = Asking(server.url)
    asking.model.mode = .batch
    asking.model.limits.poll = 0.005
    return asking
  }

  private func texts(_ count: Int) -> [Question] { (0..<count).map { question("\($0)") } }

  /// What is written down of batches under way.
  private func records(_ asking: Asking) throws -> [String] {
    let folder = ReplyJournal.folder(of: asking.model.identity, inStore: asking.folder.path)
    return try File.names(in: "\(folder)/batches").filter { $0 != "lock" }
  }

  @Test func `a batch is uploaded, asked after until it is done, and kept as single replies are`() throws {
    var script = BatchServer.Script()
    script.polls = 4
    let server = try BatchServer(script)
    var asking = asking(server)
    let asked = asking.ask(texts(20))
    #expect(asked.error == nil)
    #expect(asked.texts == (0..<20).map { "to \($0)" })
    #expect(asked.outcomes.values.allSatisfy { $0.count == 1 })
    #expect(server.count(.upload) == 1 && server.count(.create) == 1 && server.count(.state) == 5)
    #expect(asked.totals.asked == 20 && asked.totals.askedTokens.prompt == 140)
    #expect(asked.notes.first == "judge: batch batch_1: 20 requests submitted", "\(asked.notes)")
    #expect(asked.notes.contains("judge: batch batch_1: 1 of 20 done"), "\(asked.notes)")
    #expect(
      server.bodies == [
        ["input_file_id": "file-1", "endpoint": "/v1/chat/completions", "completion_window": "24h"]
      ])
    let first = try #require(server.files.first?.first)
    #expect(first["method"] == "POST" && first["url"] == "/v1/chat/completions")
    #expect(first["body"]?["model"] == "tiny" && BatchServer.text(first["body"] ?? .null) == "0")
    #expect(first["custom_id"]?.stringValue?.utf8.count == 64)
    #expect(try records(asking).isEmpty)
    // The mode is in no key.
    asking.model.mode = .live
    let again = asking.ask(texts(20))
    #expect(again.totals.replayed == 20 && again.error == nil)
  }

  @Test func `a worker is given the mode`() throws {
    var model = ServerModel(url: "http://127.0.0.1/v1", identity: "tests")
    model.mode = .batch
    model.limits.poll = 7
    #expect(ServerModel(json: model.json) == model)
    #expect(model.digest == ServerModel(url: model.url, identity: "tests").digest)
  }

  @Test func `equal questions are one request, and each attempt is one of its own`() throws {
    let server = try BatchServer()
    let asked = asking(server).ask([question("a"), question("a"), question("a", attempt: 2), question("b")])
    #expect(asked.texts == ["to a", "to a", "to a", "to b"])
    #expect(server.files.map(\.count) == [3])
    #expect(asked.totals.shared == 1 && asked.totals.asked == 3)
  }

  @Test func `lines in another order belong to their requests`() throws {
    var script = BatchServer.Script()
    script.order = { $0.reversed() }
    let server = try BatchServer(script)
    let asked = asking(server).ask(texts(50))
    #expect(asked.texts == (0..<50).map { "to \($0)" })
    #expect(server.count(.upload) == 1)
  }

  @Test(arguments: ["error", "expired", "damaged", "missing", "unusable"])
  func `what has no reply is submitted again alone`(_ fault: String) throws {
    var script = BatchServer.Script()
    script.line = { body, batch in
      let text = BatchServer.text(body)
      guard batch == 1, text == "3" else { return .reply(chatResponse(.string("to \(text)"))) }
      switch fault {
      case "error": return .status(500, ["error": ["message": "try again"]])
      case "expired": return .error("batch_expired")
      case "damaged": return .damaged
      case "missing": return .missing
      default: return .reply(["choices": []])
      }
    }
    if fault == "expired" { script.end = { $0 == "batch_1" ? [("status", "expired")] : [] } }
    let server = try BatchServer(script)
    let asking = asking(server)
    let asked = asking.ask(texts(6))
    #expect(asked.error == nil)
    #expect(asked.texts == (0..<6).map { "to \($0)" })
    #expect(server.files.map(\.count) == [6, 1])
    #expect(asked.totals.failedRequests == 1 && asked.totals.retried == 1 && asked.totals.failed == 0)
    #expect(asked.notes.contains { $0.contains("1 of the requests of batch batch_1 is submitted again") })
    #expect(try records(asking).isEmpty)
  }

  @Test func `a request that never has a reply is given up, and one that is refused is not sent again`()
    throws
  {
    var script = BatchServer.Script()
    script.line = { body, _ in
      switch BatchServer.text(body) {
      case "1": .error("batch_expired")
      case "2": .status(400, ["error": ["message": "too long"]])
      default: .reply(chatResponse("fine"))
      }
    }
    let server = try BatchServer(script)
    let asked = asking(server).ask(texts(4))
    #expect(asked.error == nil)
    #expect(server.files.map(\.count) == [4, 1, 1])
    #expect(asked.failure(1)?.description == "no response in the batch: batch_expired: not in time")
    #expect(asked.failure(2)?.description == "HTTP 400: too long")
    #expect(asked.texts.count { $0 == "fine" } == 2 && asked.totals.failed == 2)
  }

  @Test func `further attempts are gathered into a next batch`() throws {
    var script = BatchServer.Script()
    script.line = { _, batch in .reply(chatResponse(batch == 1 ? "bad" : "good")) }
    let server = try BatchServer(script)
    let asked = asking(server).ask(
      texts(5),
      followUp: { _, outcome in
        guard case .reply(let reply, _) = outcome, reply.text == "bad" else { return nil }
        return 2
      })
    #expect(asked.texts == Array(repeating: "good", count: 5))
    #expect(server.files.map(\.count) == [5, 5])
  }

  @Test func `a run that was stopped is gone on with: nothing is uploaded twice`() throws {
    struct Stop: Error {}
    var script = BatchServer.Script()
    script.polls = 6
    let server = try BatchServer(script)
    let asking = asking(server)
    let first = asking.ask(
      texts(10), checkpoint: { if server.count(.state) >= 2 { throw Stop() } })
    #expect(first.error is Stop && first.outcomes.isEmpty)
    #expect(try records(asking).count == 1)
    let second = asking.ask(texts(12))
    #expect(second.error == nil)
    #expect(second.texts == (0..<12).map { "to \($0)" })
    #expect(server.files.map(\.count) == [10, 2])
    #expect(second.notes.contains("judge: batch batch_1 of an earlier run is waited for"))
    #expect(try records(asking).isEmpty)
  }

  @Test func `a run that died before it heard of its batch finds it by its file`() throws {
    struct Stop: Error {}
    var script = BatchServer.Script()
    script.polls = 3
    let server = try BatchServer(script)
    let asking = asking(server)
    let first = asking.ask(
      texts(3), checkpoint: { if server.count(.state) >= 1 { throw Stop() } })
    #expect(first.error is Stop)
    // Its last line is cut short, as by a crash.
    let folder = ReplyJournal.folder(of: asking.model.identity, inStore: asking.folder.path) + "/batches"
    let name = try #require(try records(asking).first)
    let bytes = try File.read("\(folder)/\(name)")
    try File.writeWhole(String(decoding: bytes.dropLast(12), as: UTF8.self), to: "\(folder)/\(name)")
    let second = asking.ask(texts(3))
    #expect(second.texts == ["to 0", "to 1", "to 2"])
    #expect(server.count(.upload) == 1 && server.count(.create) == 1 && server.count(.list) == 1)
  }

  @Test func `two at once submit no request twice`() throws {
    var script = BatchServer.Script()
    script.polls = 20
    let server = try BatchServer(script)
    let asking = asking(server)
    let other = Mutex<Asked?>(nil)
    let isDone = Mutex(false)
    try startThread {
      let asked = asking.ask((0..<8).map { question("\($0)") })
      other.withLock { $0 = asked }
      isDone.withLock { $0 = true }
    }
    let asked = asking.ask((4..<12).map { question("\($0)") })
    while !isDone.withLock({ $0 }) { usleep(1000) }
    #expect(asked.error == nil && asked.texts == (4..<12).map { "to \($0)" })
    #expect(other.withLock { $0?.texts } == (0..<8).map { "to \($0)" })
    #expect(server.files.map(\.count).reduce(0, +) == 12)
  }

  @Test(arguments: BatchServer.Call.allCases.filter { $0 != .list }, [429, 503])
  func `a call that fails is made again`(_ call: BatchServer.Call, _ status: Int) throws {
    var script = BatchServer.Script()
    // No line of progress, behind which a retry is not said for a second.
    script.polls = 0
    script.fault = { $0 == call && $1 <= 2 ? Answer(status) : nil }
    let server = try BatchServer(script)
    let asked = asking(server).ask(texts(3))
    #expect(asked.error == nil)
    #expect(asked.texts == ["to 0", "to 1", "to 2"])
    #expect(server.files.count == 1 && server.bodies.count == 1)
    #expect(asked.totals.retried == 2)
    #expect(asked.notes.contains { $0.hasPrefix("judge: \(status), waiting 0") })
  }

  @Test func `a batch whose answer was lost is not made twice`() throws {
    var script = BatchServer.Script()
    script.isLost = { $0 == .create && $1 == 1 }
    let server = try BatchServer(script)
    #expect(asking(server).ask(texts(2)).texts == ["to 0", "to 1"])
    #expect(server.bodies.count == 1 && server.count(.list) == 1)
  }

  @Test func `a file that is cut short is fetched again, and each reply is handed out once`() throws {
    var script = BatchServer.Script()
    script.isLost = { $0 == .content && $1 == 1 }
    let server = try BatchServer(script)
    let asked = asking(server).ask(texts(4))
    #expect(asked.error == nil && asked.outcomes.values.allSatisfy { $0.count == 1 })
    #expect(asked.texts == (0..<4).map { "to \($0)" })
    #expect(server.count(.content) == 2)
  }

  @Test func `a batch that the server refuses ends with its words`() throws {
    var script = BatchServer.Script()
    script.end = { _ in
      [
        ("status", "failed"), ("output_file_id", .null),
        ("errors", ["data": [["code": "invalid_json", "message": "line 2 is not right"]]]),
      ]
    }
    let server = try BatchServer(script)
    let asking = asking(server)
    let asked = asking.ask(texts(3))
    #expect(server.count(.create) == 1)
    #expect(asked.runError?.exitCode == .remote)
    #expect(
      asked.runError?.description.contains("refuses batch batch_1: line 2 is not right; no reply of this run")
        == true, "\(String(describing: asked.error))")
    #expect(try records(asking).isEmpty)
  }

  @Test func `a batch that the server has forgotten is submitted again, and that is said`() throws {
    var script = BatchServer.Script()
    script.fault = { call, number in
      call == .state && number == 2 ? .json(["error": ["message": "no such batch"]], status: 404) : nil
    }
    let server = try BatchServer(script)
    let asked = asking(server).ask(texts(3))
    #expect(asked.error == nil && asked.texts == ["to 0", "to 1", "to 2"])
    #expect(server.files.map(\.count) == [3, 3])
    #expect(
      asked.notes.contains(
        "judge: batch batch_1 is not known to the server any more; its requests are submitted again"))
  }

  @Test func `a server without batches is told from one that stays away`() throws {
    let server = try FaultyServer { _ in .json(["detail": "Not Found"], status: 404) }
    var asking = Asking(server.url)
    asking.model.mode = .batch
    let asked = asking.ask("a")
    #expect(asked.runError?.exitCode == .remote)
    #expect(asked.runError?.description.contains("has no batches") == true)
  }

  @Test func `a budget holds back what may not fit`() throws {
    let server = try BatchServer()
    var asking = asking(server)
    asking.options.budgets = [Budget(limit: 300)]
    let asked = asking.ask(texts(30))
    #expect(asked.runError?.description.contains("the budget of `judge` is used up") == true)
    #expect((asked.budgets.first?.spent ?? 0) <= 300 && asked.totals.asked > 0)
    #expect(server.files.map(\.count).reduce(0, +) == asked.totals.asked)
  }

  @Test func `the key is sent with each call, and is in no file`() throws {
    let server = try BatchServer()
    var asking = asking(server)
    setenv("BATCH_TEST_KEY", "sk-batch-0123456789", 1)
    asking.model.key = "BATCH_TEST_KEY"
    let asked = asking.ask(texts(2))
    #expect(asked.error == nil)
    #expect(server.requests.allSatisfy { $0.header("authorization") == "Bearer sk-batch-0123456789" })
    #expect(server.uploads.allSatisfy { !$0.text.contains("sk-batch") })
    #expect(!asked.notes.contains { $0.contains("sk-batch") })
  }
}
