// What a run of questions does again and again: sends what may be sent, and takes in what has come.

import Experiments
import Glibc
import HTTP
import JSON
import System

extension AskRun {
  /// Looks at the journal for what others asked, in seconds.
  private static let asideInterval = 0.2
  /// With so many failures in a row nothing new is sent, only what was sent before.
  private static let failuresBeforeCaution = 16
  /// A response that is none is asked for again so often: it may have been paid for.
  static let triesAtUnusable = 3
  /// If so many requests are refused and none was answered, the next would be refused too.
  private static let rejectionsOfAll = 8

  /// One round; waits for a quarter of a second at most.
  func step(_ take: Take) throws {
    let now = monotonicSeconds()
    while let last = delayed.last, last.due <= now {
      delayed.removeLast()
      ready.append(last.tag)
    }
    if now - asideAt >= Self.asideInterval {
      asideAt = now
      ready += aside.reversed()
      aside = []
    }
    try sendMore(take)
    try gate?.want(more: !ready.isEmpty)
    try takeIn(within: patience(monotonicSeconds()), take)
    try followUp(take)
    try asker.journal.synchronizeIfDue()
  }

  private func patience(_ now: Double) -> Int {
    if isDone { return 0 }
    var seconds = 0.25
    if let last = delayed.last { seconds = min(seconds, last.due - now) }
    if !aside.isEmpty { seconds = min(seconds, asideAt + Self.asideInterval - now) }
    // Where a place may become free in another process.
    if !ready.isEmpty { seconds = min(seconds, max(0.01, notBefore - now)) }
    return max(1, Int((seconds * 1000).rounded(.up)))
  }

  // MARK: - Sending

  private func sendMore(_ take: Take) throws {
    guard let gate, monotonicSeconds() >= notBefore else { return }
    let pause = try gate.pause()
    guard pause == 0 else {
      notBefore = monotonicSeconds() + min(pause, 1)
      return
    }
    while let tag = ready.last, let job = jobs[tag] {
      if failuresInARow >= Self.failuresBeforeCaution, job.tries == 0, !delayed.isEmpty || !flights.isEmpty {
        return
      }
      guard let slot = try gate.enter() else { return }
      var isTaken = false
      defer { if !isTaken { gate.leave(slot) } }
      let body = try asker.body(of: Question(questions[job.question].ask, attempt: job.attempt))
      var bytes: [UInt8] = []
      body.write(to: &bytes)
      let forecast = asker.forecast.tokens(
        bodyBytes: bytes.count, ceiling: questions[job.question].ask.settings.maximumTokens)
      guard try isWithinBudget(forecast) else { return }
      let wait = try gate.admit(tokens: forecast.sum)
      guard wait == 0 else {
        notBefore = monotonicSeconds() + wait
        return
      }
      ready.removeLast()
      guard try asking?.tryLock(byte: lockByte(job.key)) == true else {
        try gate.settle(requests: -1, tokens: -forecast.sum)
        aside.append(tag)
        continue
      }
      // Whoever had it may have kept the reply before giving it up.
      try asker.journal.refresh()
      if let entry = try asker.journal.entry(job.key) {
        asking?.unlock(byte: lockByte(job.key))
        try gate.settle(requests: -1, tokens: -forecast.sum)
        try replay(tag, entry, take)
        try followUp(take)
        continue
      }
      isTaken = true
      flights[tag] = Flight(
        slot: slot, startedAt: ServerGate.now(), bodyBytes: bytes.count, forecast: forecast)
      if job.tries == 0 { jobs[tag]?.began = monotonicSeconds() }
      transfers?.start(request(bytes), tag: tag)
    }
  }

  private func lockByte(_ key: ReplyJournal.Key) -> Int64 {
    Int64(UInt64(key.digest.hex.prefix(15), radix: 16) ?? 0)
  }

  /// Those of every request, with the key.
  var headers: [(name: String, value: String)] {
    let interface = model.serverInterface
    var headers = [(name: "Accept", value: "application/json")] + interface.headers
    if let secret {
      if let name = model.keyHeader {
        headers.append((name, secret.value))
      } else {
        headers.append((interface.keyHeader.name, interface.keyHeader.prefix + secret.value))
      }
    }
    return headers
  }

  private func request(_ body: [UInt8]) -> HTTPRequest {
    HTTPRequest(
      "POST", model.endpoint,
      headers: [(name: "Content-Type", value: "application/json")] + headers, body: .bytes(body),
      patience: HTTPRequest.Patience(
        connect: limits.connect, firstByte: limits.firstByte, whole: limits.whole))
  }

  /// False where what is under way may use up the rest.
  /// - Throws: `RunError` where nothing is under way and the rest is not enough.
  private func isWithinBudget(_ next: TokenForecast.Tokens) throws -> Bool {
    try isWithinBudget(next, beside: flights.values.map(\.forecast))
  }

  func isWithinBudget(_ next: TokenForecast.Tokens, beside underWay: [TokenForecast.Tokens]) throws -> Bool {
    for budget in asker.budgets {
      let pledged = underWay.reduce(0) { $0 + budget.price($1) }
      guard budget.spent + pledged + budget.price(next) > budget.limit else { continue }
      guard underWay.isEmpty else { return false }
      throw RunError(
        .stageFailed,
        "the budget of `\(name)` is used up: \(amount(budget.spent)) of \(amount(budget.limit)) \(budget.unit) are spent, and the next request may take \(amount(budget.price(next))); \(kept)"
      )
    }
    return true
  }

  func amount(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : TextTable.format("%.4g", value)
  }

  // MARK: - Taking in

  private func takeIn(within milliseconds: Int, _ take: Take) throws {
    guard !flights.isEmpty, let transfers else {
      if !isDone { usleep(UInt32(milliseconds) * 1000) }
      return
    }
    let reader = ResponseReader(model: model, secret: secret, now: ServerGate.now())
    var come: [(tag: Int, job: Job, flight: Flight, result: Result<ServerReply, ServerFailure>)] = []
    // All that came is kept before anything is made of it, which may end the run.
    for (tag, result) in transfers.next(within: milliseconds) {
      guard let flight = flights.removeValue(forKey: tag), let job = jobs[tag] else { continue }
      defer { gate?.leave(flight.slot) }
      if case .success(let response) = result, 200..<300 ~= response.status,
        let pause = RetryAfter.exhausted(response, now: reader.now)
      {
        try gate?.pause(seconds: min(pause, limits.longestPause))
      }
      let reading = reader.read(result)
      if case .success((let response, _)) = reading {
        try asker.journal.append(
          job.key, ReplyJournal.Entry(response: response, time: reader.now, attempt: job.attempt))
        try gate?.succeeded()
      }
      asking?.unlock(byte: lockByte(job.key))
      come.append((tag, job, flight, reading.map(\.reply)))
    }
    for (tag, job, flight, result) in come {
      switch result {
      case .success(let reply): try succeed(tag, flight, reply, take)
      case .failure(let failure): try fail(tag, job, flight, failure, take)
      }
    }
  }

  private func succeed(_ tag: Int, _ flight: Flight, _ reply: ServerReply, _ take: Take) throws {
    try spend(reply.usage, flight)
    try succeed(tag, reply, take)
  }

  /// Of one that is charged for.
  func succeed(_ tag: Int, _ reply: ServerReply, _ take: Take) throws {
    asker.totals.asked += 1
    asker.totals.note(reply)
    if reply.usage == nil { asker.totals.withoutUsage += 1 }
    lastSuccess = monotonicSeconds()
    successes += 1
    failuresInARow = 0
    try deliver(tag, .reply(reply, isReplayed: false), take)
  }

  private func spend(_ usage: ServerReply.Usage?, _ flight: Flight) throws {
    let used = charge(usage, flight.forecast, bodyBytes: flight.bodyBytes)
    try gate?.settle(tokens: used.sum - flight.forecast.sum)
  }

  /// Of a reply without usage what was forecast counts as spent.
  func charge(_ usage: ServerReply.Usage?, _ forecast: TokenForecast.Tokens, bodyBytes: Int)
    -> TokenForecast.Tokens
  {
    let used = usage.map { TokenForecast.Tokens(prompt: $0.prompt, completion: $0.completion) } ?? forecast
    for index in asker.budgets.indices {
      asker.budgets[index].spent += asker.budgets[index].price(used)
    }
    guard let usage else { return used }
    asker.totals.askedTokens.add(usage)
    asker.forecast.learn(usage, bodyBytes: bodyBytes)
    return used
  }

  private func fail(_ tag: Int, _ job: Job, _ flight: Flight, _ failure: ServerFailure, _ take: Take) throws {
    asker.totals.failedRequests += 1
    failuresInARow += 1
    if failure.kind == .unusable {
      try spend(failure.usage, flight)
    } else {
      try gate?.settle(tokens: -flight.forecast.sum)
    }
    if failure.isOverload { try gate?.overloaded(startedAt: flight.startedAt) }
    if let wait = failure.wait, wait > 0 {
      guard wait <= limits.longestPause else {
        throw ended("asks to be left alone for \(amount(wait.rounded(.up))) s (\(failure))")
      }
      try gate?.pause(seconds: wait)
    }
    let tries = job.tries + 1
    jobs[tag]?.tries = tries
    switch failure.kind {
    case .hopeless(.missing) where successes > 0: try deliver(tag, .failure(failure), take)
    case .hopeless(let reason): throw hopeless(reason, failure)
    case .rejected: try reject(tag, failure, take)
    case .unusable:
      let attempts = min(Self.triesAtUnusable, limits.attempts)
      if tries >= attempts { return try reject(tag, failure, take) }
      askAgain(tag, job, failure, tries, of: attempts)
    case .busy, .unreachable:
      guard tries >= limits.attempts else { return askAgain(tag, job, failure, tries, of: limits.attempts) }
      guard lastSuccess >= job.began else {
        throw ended(
          failure.kind == .unreachable
            ? "stays away: \(tries) tries, the last: \(failure)"
            : "answers no request: \(tries) tries, the last: \(failure)")
      }
      try deliver(tag, .failure(failure), take)
    }
  }

  func reject(_ tag: Int, _ failure: ServerFailure, _ take: Take) throws {
    rejections += 1
    if successes == 0, rejections >= Self.rejectionsOfAll {
      throw ended("refuses every request: \(failure)")
    }
    try deliver(tag, .failure(failure), take)
  }

  private func askAgain(_ tag: Int, _ job: Job, _ failure: ServerFailure, _ tries: Int, of attempts: Int) {
    asker.totals.retried += 1
    let backoff = asker.options.backoff.seconds(UInt64(lockByte(job.key)), tries: tries)
    let wait = max(backoff, failure.wait ?? 0)
    let due = monotonicSeconds() + wait
    var low = 0
    var high = delayed.count
    while low < high {
      let middle = (low + high) / 2
      if delayed[middle].due > due { low = middle + 1 } else { high = middle }
    }
    delayed.insert((due, tag), at: low)
    notes.retry(failure, wait: wait, tries: tries + 1, of: attempts)
  }

  // MARK: - Ends

  func hopeless(_ reason: ServerFailure.Reason, _ failure: ServerFailure) -> RunError {
    switch reason {
    case .key:
      let key =
        model.key.map { "the key in the environment variable `\($0)`" }
        ?? "a request without a key (`key: {env: NAME}` names one)"
      return ended("refuses \(key): \(failure)")
    case .quota: return ended("has no quota left for this key: \(failure)")
    case .missing:
      let missing = model.model.map { "has no model \(quoted($0)), or nothing at all," } ?? "has nothing"
      return ended("\(missing) at `\(model.endpoint)`: \(failure)")
    case .address: return ended("cannot be asked: \(failure)")
    case .noLibrary: return RunError(.machine, "`\(name)`: \(failure)")
    }
  }

  func ended(_ words: String) -> RunError {
    RunError(.remote, "the server of `\(name)` (`\(model.identity)`) \(Self.open(words)); \(kept)")
  }

  /// Without the period that a server's words may end in.
  private static func open(_ words: String) -> String {
    words.hasSuffix(".") ? String(words.dropLast()) : words
  }

  private var kept: String {
    let replies = asker.totals.asked
    // Those that were given up are asked again, too.
    let missing = jobs.count + asker.totals.failed
    let amount = replies == 0 ? "no reply" : replies == 1 ? "1 reply" : "\(replies) replies"
    return
      "\(amount) of this run \(replies > 1 ? "are" : "is") kept, and running again asks only for the \(missing) that \(missing == 1 ? "is" : "are") missing"
  }
}
