// Very many requests, one in twenty of them with a fault: each question has its reply once, and memory stays as it is.

import FaultyServer
import Glibc
import JSON
import Runner
import Servers
import Synchronization
import System
import TestFolder
import Testing

@Suite(.serialized) struct SoakTests {
  @Test func `five thousand requests at concurrency 64`() async { await soak(5000) }

  /// Twenty times as many, which a build without optimization takes minutes for.
  @Test(.enabled(if: getenv("PLUMB_SOAK") != nil))
  func `a hundred thousand requests at concurrency 64`() async { await soak(100_000) }

  private func soak(_ count: Int) async {
    // In a process of its own, whose memory is its own.
    await #expect(processExitsWith: .success) { [count] in try askOften(count) }
  }
}

private func askOften(_ count: Int) throws {
  let struck = Mutex<Set<String>>([])
  let server = try FaultyServer(keepsRequests: false) { request in
    let text = lastText(request)
    let number = Int(text) ?? 0
    guard number % 20 == 7, struck.withLock({ $0.insert(text).inserted }) else {
      return chatAnswer("to \(text)")
    }
    switch number / 20 % 8 {
    case 0: return Answer(429)
    case 1: return Answer(500)
    case 2: return .hangUp
    case 3: return chatAnswer("no").with(.cut(.body(30)))
    case 4: return .text("<html>no</html>")
    case 5: return .json(["error": ["message": "no", "type": "overloaded_error"]])
    case 6: return .text("{\"choices\":[")
    default: return chatAnswer("no").with(.reset(.body(30)))
    }
  }
  let asking = Asking(server.url)
  let asker = Asker(asking.model, store: asking.folder.path, asking.options)
  let questions = (0..<count).map { question("\($0)") }
  var answered = [UInt8](repeating: 0, count: count)
  var wrong = 0
  var done = 0
  var early = 0
  func take(_ index: Int, _ outcome: AskOutcome) -> Int? {
    answered[index] &+= 1
    if case .reply(let reply, _) = outcome, reply.text == "to \(index)" {} else { wrong += 1 }
    done += 1
    if done == count / 5 { early = peakResidentBytes() }
    return nil
  }
  try asker.ask(questions, checkpoint: {}, note: { _ in }, take: take)
  let growth = peakResidentBytes() - early
  #expect(answered.allSatisfy { $0 == 1 } && wrong == 0)
  #expect(asker.totals.asked == count && asker.totals.failed == 0)
  #expect(asker.totals.retried == asker.totals.failedRequests && asker.totals.retried > count / 30)
  #expect(growth < 32 << 20, "memory grew by \(ByteCount(growth)) over the last four fifths")
  // All of it is replayed, and nothing is asked.
  let before = server.requestCount
  let again = Asker(asking.model, store: asking.folder.path, asking.options)
  try again.ask(questions, checkpoint: {}, note: { _ in }, take: take)
  #expect(again.totals.replayed == count && again.totals.asked == 0)
  #expect(answered.allSatisfy { $0 == 2 } && wrong == 0 && server.requestCount == before)
}
