// One run of questions through a server: which wait, which are under way, which are asked elsewhere, and what comes of each.

import Experiments
import Glibc
import HTTP
import JSON
import System

final class AskRun {
  typealias Take = (Int, AskOutcome) throws -> Int?

  /// One request, for all questions that have its key.
  struct Job {
    let key: ReplyJournal.Key
    let attempt: Int
    let question: Int
    /// Further questions of the same key.
    var others: [Int] = []
    var tries = 0
    /// When it was first sent, on the clock that never jumps.
    var began = 0.0
  }

  /// A request under way.
  struct Flight {
    let slot: Int64
    /// On the clock that processes share.
    let startedAt: Double
    let bodyBytes: Int
    let forecast: TokenForecast.Tokens
  }

  let asker: Asker
  let questions: [Question]
  var notes: AskNotes
  var jobs: [Int: Job] = [:]
  var tags: [ReplyJournal.Key: Int] = [:]
  var nextTag = 0
  /// Not yet asked, the next one last.
  var ready: [Int] = []
  /// To be sent again, the next one last; on the clock that never jumps.
  var delayed: [(due: Double, tag: Int)] = []
  /// Asked by another process.
  var aside: [Int] = []
  var asideAt = 0.0
  var flights: [Int: Flight] = [:]
  /// What `take` asked for.
  var followUps: [(question: Int, attempt: Int)] = []
  var notBefore = 0.0
  var lastSuccess = -Double.infinity
  var successes = 0
  var rejections = 0
  var failuresInARow = 0

  var transfers: HTTPTransfers?
  var gate: ServerGate?
  /// Its bytes stand for keys: whoever asks for one holds its byte.
  var asking: File?
  var secret: (name: String, value: String)?

  var model: ServerModel { asker.model }
  var limits: ServerModel.Limits { asker.model.limits }
  var name: String { asker.options.name }

  init(_ asker: Asker, _ questions: [Question], _ notes: AskNotes) {
    self.asker = asker
    self.questions = questions
    self.notes = notes
  }

  var isDone: Bool { jobs.isEmpty && followUps.isEmpty }

  /// - Throws: `RunError` where the key is missing.
  func open() throws {
    try readSecret()
    try File.makeDirectory(asker.journal.folder, isDurable: true)
    gate = try ServerGate(folder: asker.journal.folder, limits)
    asking = try File.open("\(asker.journal.folder)/asking", O_RDWR | O_CREAT)
    do { transfers = try HTTPTransfers() } catch let failure as HTTPFailure {
      throw RunError(.machine, "`\(name)`: \(failure)")
    }
    guard asker.options.comparesModel, let transfers,
      let description = ServedModelDescription.read(model, headers: headers, transfers)
    else { return }
    try ServedModelDescription.check(description, of: model, name: name, in: asker.journal.folder)
  }

  /// Whatever is under way is dropped; what has come is kept.
  func close() {
    for (tag, flight) in flights {
      transfers?.cancel(tag)
      gate?.leave(flight.slot)
    }
    asking?.closeQuietly()
    try? asker.journal.synchronize()
  }

  private func readSecret() throws {
    guard let variable = model.key else { return }
    guard let text = environmentValue(variable) else {
      throw RunError(
        .remote, "the key of `\(name)` is missing: the environment variable `\(variable)` is not set")
    }
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw RunError(
        .remote,
        "the environment variable `\(variable)`, the key of `\(name)`, has characters that no key has, such as a blank or a line break"
      )
    }
    secret = (variable, text)
  }

  // MARK: - Jobs

  /// Replays what the journal has.
  func lookUp(_ checkpoint: () throws -> Void, _ take: Take) throws {
    var steps = 0
    func check() throws {
      steps += 1
      if steps % 1024 == 0 { try checkpoint() }
    }
    var keys: [ReplyJournal.Key] = []
    var first: [Int] = []
    for (index, question) in questions.enumerated() {
      try check()
      let key = try asker.key(of: question)
      if let tag = tags[key] {
        jobs[tag]?.others.append(index)
      } else {
        add(key, index, question.attempt)
        keys.append(key)
        first.append(nextTag - 1)
      }
    }
    try asker.journal.scan(keys) { index, entry in
      try check()
      try replay(first[index], entry, take)
    }
    // The first question is asked first.
    ready = first.reversed().filter { jobs[$0] != nil }
    try followUp(take)
  }

  private func add(_ key: ReplyJournal.Key, _ question: Int, _ attempt: Int) {
    jobs[nextTag] = Job(key: key, attempt: attempt, question: question)
    tags[key] = nextTag
    nextTag += 1
  }

  /// Makes jobs of what `take` asked for.
  func followUp(_ take: Take) throws {
    while let (index, attempt) = followUps.popLast() {
      let key = try asker.key(of: Question(questions[index].ask, attempt: attempt))
      if let tag = tags[key] {
        jobs[tag]?.others.append(index)
        continue
      }
      add(key, index, attempt)
      if let entry = try asker.journal.entry(key) {
        try replay(nextTag - 1, entry, take)
      } else {
        ready.append(nextTag - 1)
      }
    }
  }

  func replay(_ tag: Int, _ entry: ReplyJournal.Entry, _ take: Take) throws {
    let outcome: AskOutcome
    do throws(ServerFailure) {
      let reply = try model.serverInterface.reply(entry.response, model)
      asker.totals.replayed += 1
      if let usage = reply.usage { asker.totals.replayedTokens.add(usage) }
      asker.totals.note(reply)
      outcome = .reply(reply, isReplayed: true)
    } catch {
      // An older version took it for a reply.
      outcome = .failure(error)
    }
    try deliver(tag, outcome, take)
  }

  /// Ends a job.
  func deliver(_ tag: Int, _ outcome: AskOutcome, _ take: Take) throws {
    guard let job = jobs.removeValue(forKey: tag) else { return }
    tags[job.key] = nil
    asker.totals.shared += job.others.count
    if case .failure = outcome { asker.totals.failed += 1 + job.others.count }
    for index in [job.question] + job.others {
      guard let attempt = try take(index, outcome) else { continue }
      precondition(attempt > job.attempt, "attempt \(attempt) after attempt \(job.attempt)")
      followUps.append((index, attempt))
    }
  }

  var missing: RunError {
    let count = jobs.count
    let first = jobs.values.min { $0.question < $1.question }
    let example = first.map { ", such as that to question \($0.question + 1), attempt \($0.attempt)" } ?? ""
    return RunError(
      .stageFailed,
      "\(count) of the replies of `\(name)` \(count == 1 ? "is" : "are") not in the store\(example), and nothing is asked here"
    )
  }
}
