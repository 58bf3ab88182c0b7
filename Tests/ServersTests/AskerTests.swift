// Questions put to a server: replay, equal questions, follow-ups, ends, keys, budgets.

import FaultyServer
import Glibc
import JSON
import Runner
import Servers
import Synchronization
import System
import Testing

@Suite struct AskerTests {
  @Test func `what was asked is replayed, and the server hears nothing of it`() throws {
    let server = try FaultyServer { chatAnswer("to \(lastText($0))") }
    let asking = Asking(server.url)
    let first = asking.ask("a", "b", "c")
    #expect(first.texts == ["to a", "to b", "to c"])
    #expect(server.requestCount == 3)
    #expect(first.totals.askedTokens.prompt == 21 && first.totals.askedTokens.completion == 9)
    let second = asking.ask("a", "b", "c", "d")
    #expect(second.texts == ["to a", "to b", "to c", "to d"])
    #expect(server.requestCount == 4)
    #expect(second.totals.replayed == 3 && second.totals.asked == 1)
    #expect(second.outcomes[0] == [.reply(try #require(first.reply(0)), isReplayed: true)])
    #expect(second.totals.replayedTokens.prompt == 21)
    #expect(second.totals.models == ["tiny-1"])
  }

  @Test func `each attempt is a reply of its own`() throws {
    let server = try FaultyServer { chatAnswer("\($0.number)") }
    let asking = Asking(server.url)
    let samples = (1...3).map { question("a", attempt: $0) }
    let first = asking.ask(samples)
    #expect(Set(first.texts) == ["1", "2", "3"])
    #expect(asking.ask(samples.reversed()).texts == first.texts.reversed())
    #expect(server.requestCount == 3)
  }

  @Test func `equal questions are asked once`() throws {
    let server = try FaultyServer { request in chatAnswer("\(request.number)").delayed(milliseconds: 20) }
    let asking = Asking(server.url)
    let asked = asking.ask(Array(repeating: question("a"), count: 50))
    #expect(asked.outcomes.count == 50 && asked.texts.allSatisfy { $0 == "1" })
    #expect(server.requestCount == 1)
    #expect(asked.totals.shared == 49 && asked.totals.asked == 1)
  }

  @Test func `replies that come in another order belong to their questions`() throws {
    let server = try FaultyServer { request in
      let text = lastText(request)
      return chatAnswer("to \(text)").delayed(milliseconds: (Int(text) ?? 0) % 7 * 5)
    }
    let asking = Asking(server.url)
    let asked = asking.ask((0..<60).map { question("\($0)") })
    #expect(asked.texts == (0..<60).map { "to \($0)" })
    #expect(asked.outcomes.values.allSatisfy { $0.count == 1 })
  }

  @Test func `a reply that cannot be used is followed by another attempt, and both are replayed`() throws {
    let server = try FaultyServer { chatAnswer($0.number < 3 ? "bad" : "good") }
    let asking = Asking(server.url)
    func run() -> Asked {
      var attempts = 1
      return asking.ask(
        [question("a")],
        followUp: { _, outcome in
          guard case .reply(let reply, _) = outcome, reply.text == "bad" else { return nil }
          attempts += 1
          return attempts
        })
    }
    let first = run()
    #expect(first.outcomes[0]?.count == 3 && first.texts == ["good"])
    #expect(server.requestCount == 3)
    let second = run()
    #expect(second.outcomes[0]?.count == 3 && second.texts == ["good"])
    #expect(second.totals.replayed == 3)
    #expect(server.requestCount == 3)
  }

  @Test func `a request that is refused costs its question alone`() throws {
    let server = try FaultyServer { request in
      lastText(request) == "3" ? .json(["error": ["message": "too long"]], status: 400) : chatAnswer("fine")
    }
    var asking = Asking(server.url)
    asking.model.limits.concurrency = 1
    let asked = asking.ask((0..<12).map { question("\($0)") })
    #expect(asked.error == nil)
    #expect(asked.failure(3)?.description == "HTTP 400: too long")
    #expect(asked.texts.count { $0 == "fine" } == 11)
    #expect(asked.totals.failed == 1)
  }

  @Test func `a server that refuses every request ends the run`() throws {
    let server = try FaultyServer { _ in .json(["error": ["message": "no such field"]], status: 400) }
    let asked = Asking(server.url).ask((0..<100).map { question("\($0)") })
    #expect(asked.runError?.exitCode == .remote)
    #expect(asked.runError?.description.contains("refuses every request: HTTP 400: no such field") == true)
    #expect(server.requestCount <= 16)
  }

  @Test func `a server that is away and comes back costs nothing`() throws {
    let server = try FaultyServer { request in
      5...9 ~= request.number ? .hangUp : chatAnswer("fine")
    }
    var asking = Asking(server.url)
    asking.model.limits.attempts = 8
    let asked = asking.ask((0..<30).map { question("\($0)") })
    #expect(asked.error == nil)
    #expect(asked.texts.allSatisfy { $0 == "fine" } && asked.texts.count == 30)
    // libcurl itself sends again what a kept connection lost without an answer.
    #expect(asked.totals.retried == asked.totals.failedRequests && 1...5 ~= asked.totals.retried)
  }

  @Test func `a server that goes for good keeps what came, and the next run asks the rest`() throws {
    let server = try FaultyServer { $0.number <= 10 ? chatAnswer("fine") : .hangUp }
    var asking = Asking(server.url)
    asking.model.limits.concurrency = 2
    let first = asking.ask((0..<200).map { question("\($0)") })
    #expect(first.runError?.exitCode == .remote)
    #expect(
      first.runError?.description.contains(
        "10 replies of this run are kept, and running again asks only for the 190 that are missing") == true,
      "\(String(describing: first.error))")
    // It did not work through all questions to find out.
    #expect(server.requestCount < 100)
    let healthy = try FaultyServer { _ in chatAnswer("late") }
    asking.model.url = "\(healthy.url)/v1"
    let second = asking.ask((0..<200).map { question("\($0)") })
    #expect(second.error == nil)
    #expect(second.totals.replayed == 10 && second.totals.asked == 190 && healthy.requestCount == 190)
  }

  @Test func `nobody at the address is a server that stays away`() throws {
    let server = try FaultyServer { _ in chatAnswer("fine") }
    let url = server.url
    server.stop()
    let asked = Asking(url).ask("a")
    #expect(asked.runError?.exitCode == .remote)
    #expect(
      asked.runError?.description.contains("stays away: 3 tries") == true,
      "\(String(describing: asked.error))")
  }

  @Test func `retries are shown, and not more than one a second`() throws {
    let server = try FaultyServer { $0.number <= 20 ? Answer(429) : chatAnswer("fine") }
    var asking = Asking(server.url)
    asking.model.limits.attempts = 30
    let asked = asking.ask((0..<20).map { question("\($0)") })
    #expect(asked.error == nil)
    #expect(asked.notes.count == 1)
    #expect(asked.notes.first?.hasPrefix("judge: 429, waiting 0") == true)
    #expect(asked.notes.first?.hasSuffix("s, 2 of 30") == true, "\(asked.notes)")
  }

  @Test func `Retry-After holds all requests back`() throws {
    let first = Mutex(0.0)
    let server = try FaultyServer { request in
      if request.number == 1 {
        first.withLock { $0 = monotonicSeconds() }
        return Answer(429, headers: [("Retry-After", "1")])
      }
      return chatAnswer("\(monotonicSeconds() - first.withLock { $0 })")
    }
    var asking = Asking(server.url)
    asking.model.limits.concurrency = 1
    let asked = asking.ask("a", "b", "c")
    #expect(asked.texts.allSatisfy { ($0.flatMap { Double($0) } ?? 0) >= 0.95 }, "\(asked.texts)")
  }

  @Test(arguments: [
    ("Retry-After", "0.3", 0.3), ("retry-after-ms", "300", 0.3), ("Retry-After", "-3", 0),
    ("Retry-After", "soon", 0),
    ("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT", 0), ("Retry-After", "1e3", 0), ("Retry-After", "", 0),
    ("x-ratelimit-reset-requests", "0h0m300ms", 0.3), ("x-ratelimit-reset-tokens", "0.3s", 0.3),
    ("anthropic-ratelimit-requests-reset", "1994-11-06T08:49:37Z", 0),
  ])
  func `the wait that a header asks for is kept, and what is none is passed over`(
    _ name: String, _ value: String, _ seconds: Double
  ) throws {
    let server = try FaultyServer { request in
      let left = [
        ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-remaining-tokens", "0"),
        ("anthropic-ratelimit-requests-remaining", "0"),
      ]
      return request.number == 1
        ? Answer(429, headers: (left + [(name, value)]).map { (name: $0.0, value: $0.1) })
        : chatAnswer("fine")
    }
    let asking = Asking(server.url)
    let started = monotonicSeconds()
    #expect(asking.ask("a").texts == ["fine"])
    let took = monotonicSeconds() - started
    #expect(took >= seconds)
    // What is passed over costs the back-off alone; a machine may be busy, but not for so long.
    #expect(took < seconds + 20)
  }

  @Test func `a date is waited for`() throws {
    let due = Mutex(0.0)
    let server = try FaultyServer { request in
      guard request.number == 1 else { return chatAnswer("\(ServerGate.now() - due.withLock { $0 })") }
      let seconds = Int(ServerGate.now()) + 2
      due.withLock { $0 = Double(seconds) }
      return Answer(429, headers: [("Retry-After", httpDate(seconds))])
    }
    let reply = Asking(server.url).ask("a").texts.first.flatMap { $0 }.flatMap { Double($0) }
    #expect((reply ?? -1) >= -0.01)
  }

  @Test func `a count that stands at 0 holds the next requests back`() throws {
    let times = Mutex<[Double]>([])
    let server = try FaultyServer { request in
      times.withLock { $0.append(monotonicSeconds()) }
      return .json(
        chatResponse("fine"),
        headers: request.number == 1
          ? [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "600ms")] : [])
    }
    var asking = Asking(server.url)
    asking.model.limits.concurrency = 1
    #expect(asking.ask("a", "b").texts == ["fine", "fine"])
    let sent = times.withLock { $0 }
    #expect(sent.count == 2 && sent[1] - sent[0] >= 0.55)
  }

  @Test func `a rate of requests is kept`() throws {
    let server = try FaultyServer { _ in chatAnswer("fine") }
    var asking = Asking(server.url)
    asking.model.limits.requestsPerMinute = 600
    let started = monotonicSeconds()
    let asked = asking.ask((0..<25).map { question("\($0)") })
    #expect(asked.error == nil && asked.outcomes.count == 25)
    // Ten at once at most, or one where the bucket is new, then one each tenth of a second.
    #expect(monotonicSeconds() - started >= 1.4)
  }

  @Test func `a server may have an address of IPv6`() throws {
    let server = try FaultyServer(.ipv6) { _ in chatAnswer("fine") }
    #expect(Asking(server.url).ask("a").texts == ["fine"])
  }

  @Test func `where nothing may be asked, what is missing is named`() throws {
    let server = try FaultyServer { _ in chatAnswer("fine") }
    var asking = Asking(server.url)
    _ = asking.ask("a")
    asking.options.mayAsk = false
    #expect(asking.ask("a").texts == ["fine"])
    let asked = asking.ask("a", "b", "c")
    #expect(
      asked.runError?.description
        == "2 of the replies of `judge` are not in the store, such as that to question 2, attempt 1, and nothing is asked here"
    )
    #expect(server.requestCount == 1)
  }

  @Test func `the key goes along, and its absence is named before anything is sent`() throws {
    let server = try FaultyServer { request in chatAnswer(request.header("authorization") ?? "none") }
    var asking = Asking(server.url)
    #expect(asking.ask("a").texts == ["none"])
    asking.model.key = "PLUMB_TEST_ABSENT_KEY"
    let asked = asking.ask("b")
    #expect(asked.runError?.exitCode == .remote)
    #expect(asked.runError?.description.contains("`PLUMB_TEST_ABSENT_KEY` is not set") == true)
    #expect(server.requestCount == 1)
    // A replay needs no key.
    #expect(asking.ask("a").texts == ["none"])
    setenv("PLUMB_TEST_KEY", "canary-7f3a9", 1)
    asking.model.key = "PLUMB_TEST_KEY"
    // What the server repeats of it is kept without it.
    #expect(asking.ask("b").texts == ["Bearer [PLUMB_TEST_KEY]"])
    #expect(server.requests.last?.header("authorization") == "Bearer canary-7f3a9")
    asking.model.keyHeader = "x-goog-api-key"
    _ = asking.ask("c")
    #expect(server.requests.last?.header("x-goog-api-key") == "canary-7f3a9")
    #expect(server.requests.last?.header("authorization") == nil)
    asking.model.keyHeader = nil
    asking.model.interface = .messages
    _ = asking.ask("d")
    #expect(server.requests.last?.header("x-api-key") == "canary-7f3a9")
    #expect(server.requests.last?.header("anthropic-version") == "2023-06-01")
    #expect(server.requests.last?.target == "/v1/messages")
  }

  @Test func `a key reaches no message, though the server repeats it`() throws {
    setenv("PLUMB_TEST_SECRET", "canary-51b2", 1)
    let statuses = [400, 401, 404, 500, 200]
    for status in statuses {
      let server = try FaultyServer { request in
        .text("no: \(request.header("authorization") ?? "")", status: status)
      }
      var asking = Asking(server.url)
      asking.model.key = "PLUMB_TEST_SECRET"
      let asked = asking.ask("a")
      let shown = "\(String(describing: asked.error)) \(asked.outcomes) \(asked.notes)"
      #expect(!shown.contains("canary-51b2"), "\(status)")
      #expect(shown.contains("PLUMB_TEST_SECRET"), "\(status): \(shown)")
    }
  }

  @Test func `a key does not follow to another host`() throws {
    setenv("PLUMB_TEST_TRAVEL", "canary-9c", 1)
    let other = try FaultyServer { _ in chatAnswer("stolen") }
    let server = try FaultyServer { _ in .redirect(to: "\(other.url)/v1/chat/completions", status: 307) }
    var asking = Asking(server.url)
    asking.model.key = "PLUMB_TEST_TRAVEL"
    #expect(asking.ask("a").runError?.exitCode == .remote)
    #expect(other.requestCount == 0)
  }

  @Test func `a budget stops before it is passed, and what was paid for is kept`() throws {
    let server = try FaultyServer { _ in chatAnswer("fine") }
    var asking = Asking(server.url)
    asking.options.budgets = [Budget(limit: 200)]
    let asked = asking.ask((0..<100).map { question("\($0)", maximumTokens: 3) })
    #expect(
      asked.runError?.description.contains("the budget of `judge` is used up") == true,
      "\(String(describing: asked.error))")
    let spent = asked.budgets[0].spent
    #expect(spent > 150 && spent <= 200)
    #expect(asked.outcomes.count == Int(spent) / 10)
    asking.options.budgets = [Budget("EUR", limit: 1, promptPrice: 1e-6, completionPrice: 2e-6)]
    let rest = asking.ask((0..<100).map { question("\($0)", maximumTokens: 3) })
    #expect(rest.error == nil && rest.totals.replayed == asked.outcomes.count)
    #expect(abs(rest.budgets[0].spent - Double(rest.totals.asked) * 13e-6) < 1e-12)
  }

  @Test func `no more is under way than the concurrency`() throws {
    let server = try FaultyServer { _ in chatAnswer("fine").delayed(milliseconds: 3) }
    var asking = Asking(server.url)
    asking.model.limits.concurrency = 5
    _ = asking.ask((0..<100).map { question("\($0)") })
    #expect(server.mostUnderWay <= 5 && server.mostUnderWay > 2)
  }

  @Test func `a checkpoint that throws ends the run, and replies that came stay`() throws {
    struct Stop: Error {}
    let server = try FaultyServer { $0.number <= 3 ? chatAnswer("fine") : .silence }
    let asking = Asking(server.url)
    let asked = asking.ask(
      (0..<9).map { question("\($0)") },
      checkpoint: { if server.requestCount >= 4 { throw Stop() } })
    #expect(asked.error is Stop)
    let kept = try ReplyJournal.summaries(inStore: asking.folder.path).first?.entries ?? 0
    #expect(kept == asked.outcomes.count)
  }

  @Test func `an end in the middle keeps all that came with it`() throws {
    struct Stop: Error {}
    // Nothing is answered until all is asked; then all is answered before the next look.
    let mayAnswer = Mutex(false)
    let server = try FaultyServer { _ in
      while !mayAnswer.withLock({ $0 }) { usleep(1000) }
      return chatAnswer("fine")
    }
    let asking = Asking(server.url)
    let asked = asking.ask(
      (0..<8).map { question("\($0)") },
      checkpoint: {
        guard server.requestCount == 8 else { return }
        mayAnswer.withLock { $0 = true }
        while server.underWay > 0 { usleep(1000) }
      },
      followUp: { _, _ in throw Stop() })
    #expect(asked.error is Stop && asked.outcomes.count == 1)
    let kept = try ReplyJournal.summaries(inStore: asking.folder.path).first?.entries ?? 0
    #expect(kept > 1)
  }

  @Test func `two at once ask each question once`() throws {
    let server = try FaultyServer(keepsRequests: true) { request in
      chatAnswer("to \(lastText(request))").delayed(milliseconds: 2)
    }
    let asking = Asking(server.url)
    let results = Mutex<[[String?]]>([])
    let done = Mutex(0)
    for part in 0..<3 {
      try startThread {
        let texts = (0..<90).map { "\(part == 1 ? 89 - $0 : $0)" }
        let asked = asking.ask(texts.map { question($0) })
        results.withLock { $0.append(part == 1 ? asked.texts.reversed() : asked.texts) }
        done.withLock { $0 += 1 }
      }
    }
    while done.withLock({ $0 }) < 3 { usleep(5000) }
    #expect(results.withLock { $0 } == Array(repeating: (0..<90).map { "to \($0)" }, count: 3))
    #expect(server.requestCount == 90)
    #expect(Set(server.requests.map { lastText($0) }).count == 90)
  }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
private func httpDate(_ seconds: Int) -> String {
  var time = time_t(seconds)
  var parts = tm()
  gmtime_r(&time, &parts)
  var buffer = [CChar](repeating: 0, count: 64)
  let count = strftime(&buffer, buffer.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
  return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
