// Questions asked in Anthropic's message batches: results of each kind, and batches whose answer was lost.

import FaultyServer
import Glibc
import JSON
import Runner
import Servers
import System
import Testing

@Suite struct MessageBatchTests {
  private typealias Script = MessageBatchServer.Script
  private struct Stop: Error {}

  private func asking(_ server: MessageBatchServer) -> Asking {
    var asking = Asking(server.url, interface: .messages)
    asking.model.mode = .batch
    asking.model.limits.poll = 0.005
    return asking
  }

  private func texts(_ count: Int) -> [Question] { (0..<count).map { question("\($0)") } }

  private func folder(_ asking: Asking) -> String {
    ReplyJournal.folder(of: asking.model.identity, inStore: asking.folder.path) + "/batches"
  }

  /// What is written down of batches under way.
  private func records(_ asking: Asking) throws -> [String] {
    try File.names(in: folder(asking)).filter { $0 != "lock" }
  }

  @Test func `a batch is created in one call, asked after until it has ended, and replayed by either mode`()
    throws
  {
    var script = Script()
    script.polls = 4
    let server = try MessageBatchServer(script)
    var asking = asking(server)
    let asked = asking.ask(texts(20))
    #expect(asked.error == nil)
    #expect(asked.texts == (0..<20).map { "to \($0)" })
    #expect(asked.outcomes.values.allSatisfy { $0.count == 1 })
    #expect(server.count(.create) == 1 && server.count(.state) == 5 && server.count(.results) == 1)
    #expect(asked.totals.asked == 20 && asked.totals.askedTokens.prompt == 140)
    #expect(asked.notes.first == "judge: batch msgbatch_1: 20 requests submitted", "\(asked.notes)")
    #expect(asked.notes.contains("judge: batch msgbatch_1: 0 of 20 done"), "\(asked.notes)")
    let first = try #require(server.creations.first?.json["requests"]?.arrayValue?.first)
    #expect(
      first["params"] == ["model": "tiny", "max_tokens": 16, "messages": [["role": "user", "content": "0"]]])
    #expect(first["custom_id"]?.stringValue?.utf8.count == 64)
    #expect(try records(asking).isEmpty)
    asking.model.mode = .live
    let again = asking.ask(texts(20))
    #expect(again.totals.replayed == 20 && again.error == nil)
  }

  @Test func `what live mode asked is in no batch`() throws {
    let live = try FaultyServer { .json(messageResponse("live \(lastText($0))")) }
    let server = try MessageBatchServer()
    var asking = Asking(live.url, interface: .messages)
    #expect(asking.ask("0", "1").texts == ["live 0", "live 1"])
    asking.model.url = "\(server.url)/v1"
    asking.model.mode = .batch
    asking.model.limits.poll = 0.005
    #expect(asking.ask(texts(3)).texts == ["live 0", "live 1", "to 2"])
    #expect(server.sizes == [1])
  }

  @Test func `results in another order belong to their requests`() throws {
    var script = Script()
    script.order = { $0.reversed() }
    let server = try MessageBatchServer(script)
    #expect(asking(server).ask(texts(50)).texts == (0..<50).map { "to \($0)" })
    #expect(server.sizes == [50])
  }

  @Test(arguments: [
    "overloaded_error", "api_error", "rate_limit_error", "timeout_error", "expired", "damaged", "missing",
    "unusable",
  ])
  func `what has no reply is submitted again alone`(_ fault: String) throws {
    var script = Script()
    script.line = { params, batch in
      let text = BatchServer.text(params)
      guard batch == 1, text == "3" else { return .message(messageResponse("to \(text)")) }
      switch fault {
      case "expired": return .expired
      case "damaged": return .damaged
      case "missing": return .missing
      case "unusable": return .message(["type": "message", "content": .null])
      default: return .errored(type: fault, "later")
      }
    }
    let server = try MessageBatchServer(script)
    let asking = asking(server)
    let asked = asking.ask(texts(6))
    #expect(asked.error == nil)
    #expect(asked.texts == (0..<6).map { "to \($0)" })
    #expect(server.sizes == [6, 1])
    #expect(asked.totals.failedRequests == 1 && asked.totals.retried == 1 && asked.totals.failed == 0)
    #expect(asked.notes.contains { $0.contains("1 of the requests of batch msgbatch_1 is submitted again") })
    #expect(try records(asking).isEmpty)
  }

  @Test func `a request that never has a reply is given up, and one that is refused is not sent again`()
    throws
  {
    var script = Script()
    script.line = { params, _ in
      switch BatchServer.text(params) {
      case "1": .expired
      case "2": .errored(type: "invalid_request_error", "prompt is too long")
      case "3": .errored(type: "request_too_large", "too large")
      default: .message(messageResponse("fine"))
      }
    }
    let server = try MessageBatchServer(script)
    let asked = asking(server).ask(texts(5))
    #expect(asked.error == nil)
    #expect(server.sizes == [5, 1, 1])
    #expect(asked.failure(1)?.description == "the batch expired before it")
    #expect(asked.failure(2)?.kind == .rejected && asked.failure(3)?.kind == .rejected)
    #expect(asked.failure(2)?.description == "the response has an error inside: prompt is too long")
    #expect(asked.texts.count { $0 == "fine" } == 2 && asked.totals.failed == 3)
  }

  @Test func `a key that is refused ends the run`() throws {
    var script = Script()
    script.line = { _, _ in .errored(type: "authentication_error", "invalid x-api-key") }
    let server = try MessageBatchServer(script)
    let asked = asking(server).ask(texts(3))
    #expect(asked.runError?.exitCode == .remote && server.sizes == [3])
    #expect(asked.runError?.description.contains("refuses a request without a key") == true)
  }

  @Test func `a batch that is cancelled ends the run, and the next one submits what it did not answer`()
    throws
  {
    var script = Script()
    script.line = { params, batch in
      let text = BatchServer.text(params)
      return batch == 1 && text != "0" ? .cancelled : .message(messageResponse("to \(text)"))
    }
    let server = try MessageBatchServer(script)
    let asking = asking(server)
    let asked = asking.ask(texts(3))
    #expect(asked.runError?.exitCode == .remote)
    #expect(
      asked.runError?.description.contains("has cancelled batch msgbatch_1, or was told to; 1 reply of")
        == true,
      "\(String(describing: asked.error))")
    #expect(try records(asking).isEmpty)
    let again = asking.ask(texts(3))
    #expect(again.error == nil && again.texts == ["to 0", "to 1", "to 2"])
    #expect(server.sizes == [3, 2])
  }

  @Test func `results are read at the model's own address, with the key, whatever the server says`() throws {
    let other = try FaultyServer { _ in .text("") }
    let place = other.url
    var script = Script()
    script.resultsURL = { .string("\(place)/v1/messages/batches/\($0)/results") }
    let server = try MessageBatchServer(script)
    var asking = asking(server)
    setenv("MESSAGE_BATCH_TEST_KEY", "sk-ant-0123456789", 1)
    asking.model.key = "MESSAGE_BATCH_TEST_KEY"
    let asked = asking.ask(texts(2))
    #expect(asked.error == nil && asked.texts == ["to 0", "to 1"])
    #expect(other.requestCount == 0)
    #expect(server.requests.allSatisfy { $0.header("x-api-key") == "sk-ant-0123456789" })
    #expect(server.creations.allSatisfy { !$0.text.contains("sk-ant") })
    #expect(!asked.notes.contains { $0.contains("sk-ant") })
  }

  @Test(arguments: MessageBatchServer.Call.allCases, [429, 529])
  func `a call that fails is made again`(_ call: MessageBatchServer.Call, _ status: Int) throws {
    var script = Script()
    // No line of progress, behind which a retry is not said for a second.
    script.polls = 0
    script.fault = { $0 == call && $1 <= 2 ? Answer(status) : nil }
    let server = try MessageBatchServer(script)
    let asked = asking(server).ask(texts(3))
    #expect(asked.error == nil)
    #expect(asked.texts == ["to 0", "to 1", "to 2"])
    #expect(server.sizes == [3])
    #expect(asked.totals.retried == 2)
  }

  @Test func `results that are cut short are fetched again, and each reply is handed out once`() throws {
    var script = Script()
    script.isLost = { $0 == .results && $1 == 1 }
    let server = try MessageBatchServer(script)
    let asked = asking(server).ask(texts(4))
    #expect(asked.error == nil && asked.outcomes.values.allSatisfy { $0.count == 1 })
    #expect(asked.texts == (0..<4).map { "to \($0)" })
    #expect(server.count(.results) == 2)
  }

  @Test func `a budget holds back what may not fit`() throws {
    let server = try MessageBatchServer()
    var asking = asking(server)
    asking.options.budgets = [Budget(limit: 300)]
    let asked = asking.ask(texts(30))
    #expect(asked.runError?.description.contains("the budget of `judge` is used up") == true)
    #expect((asked.budgets.first?.spent ?? 0) <= 300 && asked.totals.asked > 0)
    #expect(server.sizes.reduce(0, +) == asked.totals.asked)
  }

  @Test func `a server without batches is told from one that stays away`() throws {
    let server = try FaultyServer { _ in .json(["detail": "Not Found"], status: 404) }
    var asking = Asking(server.url, interface: .messages)
    asking.model.mode = .batch
    let asked = asking.ask("a")
    #expect(asked.runError?.exitCode == .remote)
    #expect(asked.runError?.description.contains("has no batches") == true)
  }

  // MARK: - Runs that ended, answers that were lost

  @Test func `a run that was stopped is gone on with: nothing is submitted twice`() throws {
    var script = Script()
    script.polls = 6
    let server = try MessageBatchServer(script)
    let asking = asking(server)
    let first = asking.ask(
      texts(10), checkpoint: { if server.count(.state) >= 2 { throw Stop() } })
    #expect(first.error is Stop && first.outcomes.isEmpty)
    #expect(try records(asking).count == 1)
    let second = asking.ask(texts(12))
    #expect(second.error == nil)
    #expect(second.texts == (0..<12).map { "to \($0)" })
    #expect(server.sizes == [10, 2])
    #expect(second.notes.contains("judge: batch msgbatch_1 of an earlier run is waited for"))
    #expect(try records(asking).isEmpty)
  }

  @Test(arguments: [0, 1000])
  func `a batch whose answer was lost is waited for and not made twice`(_ polls: Int) throws {
    var script = Script()
    script.polls = polls
    script.isLost = { $0 == .create && $1 == 1 }
    // Some that are older, of as many requests, and one that is newer, of more.
    script.others = { call, number in
      if call == .list, number == 1 { return ["x", "y"] }
      if call == .create, number == 1 { return ["x", "y", "z"] }
      return nil
    }
    script.page = 1
    let server = try MessageBatchServer(script)
    let asking = asking(server)
    let asked = asking.ask(
      texts(2), checkpoint: { if polls > 0, server.count(.state) >= 2 { throw Stop() } })
    #expect(server.sizes == [2] && server.count(.create) == 1)
    #expect(
      asked.notes.contains { $0.hasPrefix("judge: batch msgbatch_3 is waited for: it may be one whose") },
      "\(asked.notes)")
    // One that is still under way is remembered.
    #expect((asked.error is Stop) == (polls > 0))
    if polls == 0 { #expect(asked.texts == ["to 0", "to 1"]) }
    #expect(try records(asking).count == (polls > 0 ? 1 : 0))
  }

  @Test func `a batch of as many requests that was not ours costs time alone`() throws {
    var script = Script()
    // The call never came, and somebody else's did.
    script.isDropped = { $0 == .create && $1 == 1 }
    script.others = { call, number in call == .create && number == 1 ? ["x", "y"] : nil }
    let server = try MessageBatchServer(script)
    let asking = asking(server)
    let asked = asking.ask(texts(2))
    #expect(asked.error == nil && asked.texts == ["to 0", "to 1"])
    #expect(server.sizes == [2] && server.count(.create) == 2)
    #expect(asked.notes.contains("judge: batch msgbatch_1 has other requests"), "\(asked.notes)")
    #expect(asked.totals.failed == 0)
    #expect(try records(asking).isEmpty)
  }

  @Test func `of two batches that may be ours the right one is found`() throws {
    var script = Script()
    script.isLost = { $0 == .create && $1 == 1 }
    script.others = { call, number in call == .create && number == 1 ? ["x", "y"] : nil }
    let server = try MessageBatchServer(script)
    let asked = asking(server).ask(texts(2))
    #expect(asked.error == nil && asked.texts == ["to 0", "to 1"])
    #expect(server.sizes == [2] && server.count(.create) == 1)
  }

  @Test(arguments: [false, true])
  func `a run that died before it heard of its batch finds it`(_ hasEnded: Bool) throws {
    var script = Script()
    script.polls = 1
    // Nothing is kept before the first run ends.
    script.fault = { $0 == .results && $1 == 1 ? Answer(503) : nil }
    let server = try MessageBatchServer(script)
    let asking = asking(server)
    let first = asking.ask(
      texts(3), checkpoint: { if server.count(.state) >= (hasEnded ? 2 : 1) { throw Stop() } })
    #expect(first.error is Stop)
    // Its last line is cut short, as by a crash.
    let name = try #require(try records(asking).first)
    let bytes = try File.read("\(folder(asking))/\(name)")
    try File.writeWhole(
      String(decoding: bytes.dropLast(12), as: UTF8.self), to: "\(folder(asking))/\(name)")
    let second = asking.ask(texts(3))
    #expect(second.error == nil && second.texts == ["to 0", "to 1", "to 2"])
    #expect(server.sizes == [3])
    let isSure = second.notes.contains("judge: batch msgbatch_1 of an earlier run is waited for")
    #expect(isSure == hasEnded, "\(second.notes)")
  }

  @Test func `a run that died before it created its batch submits it`() throws {
    var script = Script()
    script.isDropped = { $0 == .create && $1 <= 3 }
    let server = try MessageBatchServer(script)
    let asking = asking(server)
    #expect(asking.ask(texts(3)).runError?.exitCode == .remote)
    #expect(try records(asking).count == 2)
    #expect(asking.ask(texts(3)).texts == ["to 0", "to 1", "to 2"])
    #expect(server.sizes == [3])
    #expect(try records(asking).isEmpty)
  }
}
