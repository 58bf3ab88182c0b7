// Questions asked in batches, `mode: batch`: handed over together, waited for, and kept as single replies are.

import Experiments
import Glibc
import HTTP
import JSON
import System

/// Takes the jobs of a run. Their keys are those of single requests, so that either mode replays what the other one asked.
final class BatchRun {
  /// A batch is asked after so much less often in the end.
  private static let longestInterval = 12.0
  private static let asideInterval = 1.0

  private final class Batch {
    let record: BatchRecord
    var interval: Double
    var dueAt = 0.0
    var shown = -1
    init(_ record: BatchRecord, poll: Double) { (self.record, interval) = (record, poll) }
  }

  private let run: AskRun
  private let interface: any BatchInterface.Type
  private let calls: BatchCalls
  private let checkpoint: () throws -> Void
  private let take: AskRun.Take
  private let folder: String
  private var batches: [Batch] = []
  /// Nothing is submitted before a batch has ended: its tokens are needed.
  private var isHeld = false

  private init(
    _ run: AskRun, _ interface: any BatchInterface.Type, _ checkpoint: @escaping () throws -> Void,
    _ take: @escaping AskRun.Take
  ) {
    (self.run, self.interface, self.checkpoint, self.take) = (run, interface, checkpoint, take)
    calls = BatchCalls(run: run, interface: interface, checkpoint: checkpoint)
    folder = "\(run.asker.journal.folder)/batches"
  }

  /// Until every job has an outcome. When it is ended before, batches under way stay, and the next run waits for them.
  static func ask(
    _ run: AskRun, _ interface: any BatchInterface.Type, _ checkpoint: () throws -> Void, _ take: AskRun.Take
  ) throws {
    try withoutActuallyEscaping(checkpoint) { checkpoint in
      try withoutActuallyEscaping(take) { take in try BatchRun(run, interface, checkpoint, take).ask() }
    }
  }

  private func ask() throws {
    try File.makeDirectory(folder, isDurable: true)
    while true {
      try run.followUp(take)
      if run.isDone { return }
      try checkpoint()
      if !run.ready.isEmpty, !isHeld { try claim() }
      for batch in batches where batch.record.batch == nil { try submit(batch) }
      for batch in batches where batch.dueAt <= monotonicSeconds() { try look(at: batch) }
      try run.asker.journal.synchronizeIfDue()
      guard run.followUps.isEmpty, !run.isDone, run.ready.isEmpty || isHeld else { continue }
      let now = monotonicSeconds()
      if !run.aside.isEmpty, now - run.asideAt >= Self.asideInterval {
        run.asideAt = now
        run.ready += run.aside.reversed()
        run.aside = []
        continue
      }
      let due = (batches.map(\.dueAt) + (run.aside.isEmpty ? [] : [run.asideAt + Self.asideInterval])).min()
      try calls.wait(max(0, min((due ?? now) - now, 0.2)))
    }
  }

  // MARK: - Claims

  /// Makes batches of what is to be asked, but for what is kept or in a batch by now.
  private func claim() throws {
    let lock = try File.open("\(folder)/lock", O_RDWR | O_CREAT)
    defer { lock.closeQuietly() }
    while try !lock.tryLock() { try calls.wait(0.05) }
    repeat {
      try lookAtOthers()
      try run.asker.journal.refresh()
      for tag in run.ready {
        guard let job = run.jobs[tag], let entry = try run.asker.journal.entry(job.key) else { continue }
        try run.replay(tag, entry, take)
      }
      run.ready.removeAll { run.jobs[$0] == nil }
      // What is asked again at once belongs to the same batch.
      if run.followUps.isEmpty { break }
      try run.followUp(take)
    } while true
    while !run.ready.isEmpty {
      guard let batch = try claimNext() else {
        isHeld = true
        return
      }
      batches.append(batch)
    }
  }

  /// What others wait for is set aside, and what nobody waits for any more is taken over.
  private func lookAtOthers() throws {
    let found = try BatchRecord.all(in: folder, except: batches.map(\.record))
    var taken = Set((batches.map(\.record) + found.map(\.record)).compactMap { $0.batch?.name })
    for (record, isMine) in found {
      let tags = Set(record.requests.compactMap { run.tags[$0.key] })
      guard isMine else {
        run.aside += run.ready.filter { tags.contains($0) }
        run.ready.removeAll { tags.contains($0) }
        continue
      }
      try? File.remove(record.uploadPath)
      guard !tags.isEmpty else { continue }
      if record.batch == nil {
        guard let mark = record.mark,
          let batch = try interface.find(record, mark: mark, except: taken, calls)
        else {
          record.remove()
          continue
        }
        try record.note(batch)
        taken.insert(batch.name)
      }
      if let batch = record.batch {
        run.notes.say(
          batch.isCertain ? "batch \(batch.name) of an earlier run is waited for" : Self.doubt(batch))
      }
      for request in record.requests {
        guard let tag = run.tags[request.key] else { continue }
        run.jobs[tag]?.tries = request.tries
      }
      run.ready.removeAll { tags.contains($0) }
      batches.append(Batch(record, poll: run.limits.poll))
    }
  }

  /// Nil where the rest of a budget is needed by what is under way.
  private func claimNext() throws -> Batch? {
    guard let first = run.ready.last, let job = run.jobs[first] else { return nil }
    let file = try BatchRecord.make(in: folder)
    var isKept = false
    defer { if !isKept { file.closeQuietly() } }
    do {
      var upload = try BatchUpload(BatchRecord.uploadPath(of: file), interface.frame(first: job.key))
      var requests: [BatchRecord.Request] = []
      var sum = TokenForecast.Tokens(prompt: 0, completion: 0)
      while let tag = run.ready.last, let job = run.jobs[tag], upload.count < interface.mostRequests {
        if upload.count % 1024 == 0 { try checkpoint() }
        let (body, forecast) = try forecast(job)
        var request: [UInt8] = []
        interface.request(job.key, body, run.model).write(to: &request)
        if upload.count > 0, upload.byteCount + request.count > interface.mostBytes { break }
        let underWay = batches.map(\.record.forecast) + (requests.isEmpty ? [] : [sum])
        guard try run.isWithinBudget(forecast.tokens, beside: underWay) else { break }
        try upload.add(request)
        requests.append(BatchRecord.Request(key: job.key, attempt: job.attempt, tries: job.tries))
        sum.prompt = sum.prompt.addingReportingOverflow(forecast.tokens.prompt).partialValue
        sum.completion = sum.completion.addingReportingOverflow(forecast.tokens.completion).partialValue
        run.jobs[tag]?.began = monotonicSeconds()
        run.ready.removeLast()
      }
      if requests.isEmpty {
        try File.remove(file.path)
        return nil
      }
      try upload.finish()
      isKept = true
      let record = try BatchRecord.write(requests, sum, to: file)
      return Batch(record, poll: run.limits.poll)
    } catch {
      if !isKept { try? File.remove(file.path) }
      throw error
    }
  }

  private func forecast(_ job: AskRun.Job) throws -> (JSON, (tokens: TokenForecast.Tokens, bodyBytes: Int)) {
    let question = Question(run.questions[job.question].ask, attempt: job.attempt)
    let body = try run.asker.body(of: question)
    var bytes: [UInt8] = []
    body.write(to: &bytes)
    let tokens = run.asker.forecast.tokens(
      bodyBytes: bytes.count, ceiling: question.ask.settings.maximumTokens)
    return (body, (tokens, bytes.count))
  }

  private func submit(_ batch: Batch) throws {
    let record = batch.record
    let mark = try interface.prepare(record, calls)
    try record.note(mark: mark)
    let created = try calls.create(record, mark: mark, except: taken)
    try record.note(created)
    try? File.remove(record.uploadPath)
    run.notes.say(
      created.isCertain
        ? "batch \(created.name): \(TextTable.grouped(record.requests.count)) requests submitted"
        : Self.doubt(created))
    batch.dueAt = monotonicSeconds() + batch.interval
  }

  /// What this run waits for.
  private var taken: Set<String> { Set(batches.compactMap { $0.record.batch?.name }) }

  private static func doubt(_ batch: BatchRecord.Batch) -> String {
    "batch \(batch.name) is waited for: it may be one whose creation had no answer, and nothing is to be paid for twice"
  }

  // MARK: - Waiting

  private func look(at batch: Batch) throws {
    guard let name = batch.record.batch?.name else { return }
    guard let state = try calls.state(name) else {
      run.notes.say("batch \(name) is not known to the server any more; its requests are submitted again")
      return try end(batch, [:], nobody: "the server does not know its batch any more")
    }
    switch state.phase {
    case .completed, .expired, .cancelled: try takeIn(batch, state)
    case .failed(let errors): try fail(batch, state, errors)
    case .underWay:
      batch.interval = min(batch.interval * 1.5, run.limits.poll * Self.longestInterval)
      batch.dueAt = monotonicSeconds() + batch.interval
      guard let total = state.total, state.done != batch.shown else { return }
      batch.shown = state.done
      run.notes.progress(
        "batch \(name): \(TextTable.grouped(state.done)) of \(TextTable.grouped(total)) done")
    }
  }

  /// One that the server did not begin.
  private func fail(_ batch: Batch, _ state: BatchState, _ errors: [(code: String?, message: String)]) throws
  {
    let words = errors.prefix(3).map { calls.reader.shown($0.message) }
    // As many tokens as may wait there wait already.
    let isHeld = errors.contains { $0.code == "token_limit_exceeded" } && batches.count > 1
    putBack(batch)
    guard isHeld else {
      throw run.ended(
        "refuses batch \(state.id)\(words.isEmpty ? "" : ": " + words.joined(separator: "; "))")
    }
    self.isHeld = true
    run.notes.say("batch \(state.id) is submitted again when another one is done: \(words.joined())")
  }

  /// One that turns out to be another's.
  private func disown(_ batch: Batch, _ state: BatchState) throws {
    run.notes.say("batch \(state.id) has other requests")
    guard let mark = batch.record.mark,
      let other = try interface.find(batch.record, mark: mark, except: taken, calls)
    else {
      putBack(batch)
      isHeld = false
      return
    }
    try batch.record.note(other)
    batch.dueAt = 0
  }

  /// Its requests are to be asked still.
  private func putBack(_ batch: Batch) {
    batches.removeAll { $0 === batch }
    batch.record.remove()
    run.ready += batch.record.requests.reversed().compactMap { run.tags[$0.key] }
  }

  // MARK: - Taking in

  /// Keeps what has come, and hands it out. What failed is dealt with when all is kept: it may end the run.
  private func takeIn(_ batch: Batch, _ state: BatchState) throws {
    let wanted = Dictionary(
      batch.record.requests.map { ($0.key, $0.attempt) }, uniquingKeysWith: { first, _ in first })
    var answered: Set<ReplyJournal.Key> = []
    var failures: [ReplyJournal.Key: ServerFailure] = [:]
    let reader = calls.reader
    for results in state.results {
      let isThere = try calls.lines(of: results) { bytes in
        guard let line = BatchLine(bytes), let key = line.key, let attempt = wanted[key],
          !answered.contains(key)
        else { return }
        switch interface.response(line.json, reader).flatMap({ reader.read(.success($0)) }) {
        case .failure(let failure): failures[key] = failure
        case .success((let response, let reply)):
          answered.insert(key)
          failures[key] = nil
          try keep(key, response, reply, attempt, reader.now)
        }
      }
      if !isThere { run.notes.say("`\(results)`, the results of batch \(state.id), are gone") }
    }
    if batch.record.batch?.isCertain == false, answered.isEmpty, failures.isEmpty {
      return try disown(batch, state)
    }
    var words = "it has no line in what the batch gave"
    switch state.phase {
    case .cancelled where answered.count < wanted.count:
      try close(batch)
      throw run.ended("has cancelled batch \(state.id), or was told to")
    case .expired: words = "the batch expired before it"
    default: break
    }
    try end(batch, failures, nobody: words)
  }

  private func keep(
    _ key: ReplyJournal.Key, _ response: JSON, _ reply: ServerReply, _ attempt: Int, _ now: Double
  ) throws {
    if let entry = try run.asker.journal.entry(key) {
      // Of a run that ended while it took this in.
      if let tag = run.tags[key] { try run.replay(tag, entry, take) }
      return
    }
    try run.asker.journal.append(
      key, ReplyJournal.Entry(response: response, time: now, attempt: attempt))
    guard let tag = run.tags[key], let job = run.jobs[tag] else { return }
    let request = try forecast(job).1
    _ = run.charge(reply.usage, request.tokens, bodyBytes: request.bodyBytes)
    try run.succeed(tag, reply, take)
  }

  private func close(_ batch: Batch) throws {
    try run.asker.journal.synchronize()
    batches.removeAll { $0 === batch }
    batch.record.remove()
    isHeld = false
  }

  /// What has no reply is submitted again, or given up.
  private func end(_ batch: Batch, _ failures: [ReplyJournal.Key: ServerFailure], nobody words: String) throws
  {
    try close(batch)
    var again: [(tag: Int, failure: ServerFailure, tries: Int)] = []
    var givenUp: [(tag: Int, failure: ServerFailure)] = []
    for request in batch.record.requests {
      guard let tag = run.tags[request.key], let job = run.jobs[tag] else { continue }
      let failure = failures[request.key] ?? ServerFailure(.busy, "no reply", words)
      run.asker.totals.failedRequests += 1
      if failure.kind == .unusable {
        let sent = try forecast(job).1
        _ = run.charge(failure.usage, sent.tokens, bodyBytes: sent.bodyBytes)
      }
      let tries = job.tries + 1
      run.jobs[tag]?.tries = tries
      switch failure.kind {
      case .hopeless(.missing) where run.successes > 0: givenUp.append((tag, failure))
      case .hopeless(let reason): throw run.hopeless(reason, failure)
      case .rejected: givenUp.append((tag, failure))
      case .busy, .unreachable, .unusable:
        let attempts =
          failure.kind == .unusable ? min(AskRun.triesAtUnusable, run.limits.attempts) : run.limits.attempts
        if tries < attempts { again.append((tag, failure, tries)) } else { givenUp.append((tag, failure)) }
      }
    }
    if let first = again.first {
      run.asker.totals.retried += again.count
      let count = again.count
      run.notes.say(
        "\(TextTable.grouped(count)) of the requests of batch \(batch.record.batch?.name ?? "") \(count == 1 ? "is" : "are") submitted again, such as one for which \(first.failure)"
      )
    }
    // The first is asked first.
    run.ready += again.reversed().map(\.tag)
    for (tag, failure) in givenUp { try run.reject(tag, failure, take) }
  }
}
