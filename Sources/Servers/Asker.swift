// Questions put to a model behind a server: what the journal has is replayed, and only the rest is asked.

import Experiments
import HTTP
import JSON
import System

package struct Question: Sendable {
  package var ask: Ask
  /// Which sample of the same request, and which attempt at it: each is asked and kept for itself.
  package var attempt: Int
  package init(_ ask: Ask, attempt: Int = 1) { (self.ask, self.attempt) = (ask, attempt) }
}

package enum AskOutcome: Sendable, Equatable {
  case reply(ServerReply, isReplayed: Bool)
  case failure(ServerFailure)
}

/// Knows no stage: it takes questions and hands out outcomes. Used by one thread.
package final class Asker {
  package struct Options: Sendable {
    /// As lines for a person call the model.
    package var name: String
    package var backoff = Backoff()
    /// False where only the journal may answer.
    package var mayAsk = true
    package var budgets: [Budget] = []
    /// Whether what the server says of its model is kept, and compared with what it said before.
    package var comparesModel = false
    package init(name: String) { self.name = name }
  }

  let model: ServerModel
  let options: Options
  let journal: ReplyJournal
  package internal(set) var totals = AskTotals()
  /// Those of the options, with what was spent.
  package internal(set) var budgets: [Budget]
  var forecast = TokenForecast()

  /// - Parameter store: the store's folder.
  package init(_ model: ServerModel, store: String, _ options: Options) {
    self.model = model
    self.options = options
    budgets = options.budgets
    journal = ReplyJournal(
      folder: ReplyJournal.folder(of: model.identity, inStore: store), identity: model.identity)
  }

  /// What the reply to a question is kept under.
  /// - Throws: `RunError` where it cannot be asked in the server's words.
  package func key(of question: Question) throws -> ReplyJournal.Key {
    ReplyJournal.Key(
      identity: model.identity, body: try body(of: question), attempt: question.attempt)
  }

  /// How many requests would be sent for questions at least: those that the journal has not.
  package func missing(_ questions: [Question]) throws -> Int {
    let keys = Array(Set(try questions.map(key)))
    var found = 0
    try journal.scan(keys) { _, _ in found += 1 }
    return keys.count - found
  }

  /// Answers each question, in whatever order the replies come.
  /// - Parameters:
  ///   - checkpoint: called several times a second at least; what it throws ends the asking, and replies that are here stay.
  ///   - note: gets lines for a person, no more than one a second.
  ///   - take: gets a question's index and outcome as soon as it is there. The attempt that it gives back, if any, is asked for the
  ///     same question; its outcome comes under the same index.
  /// - Throws: `RunError` when no request would do better; what `checkpoint` and `take` throw.
  package func ask(
    _ questions: [Question], checkpoint: () throws -> Void, note: (String) -> Void,
    take: (Int, AskOutcome) throws -> Int?
  ) throws {
    try withoutActuallyEscaping(note) { note in
      let run = AskRun(self, questions, AskNotes(options.name, note))
      defer { run.close() }
      try run.lookUp(checkpoint, take)
      if run.isDone { return }
      guard options.mayAsk else { throw run.missing }
      try run.open()
      if model.mode == .batch, let interface = model.batchInterface {
        try BatchRun.ask(run, interface, checkpoint, take)
        return try journal.synchronize()
      }
      while !run.isDone {
        try checkpoint()
        try run.step(take)
      }
      try journal.synchronize()
    }
  }

  func body(of question: Question) throws -> JSON {
    // A server that keeps to a seed would say the same again.
    var ask = question.ask
    if let seed = ask.settings.seed { ask.settings.seed = (seed &+ question.attempt &- 1) & 0x7FFF_FFFF }
    do { return try model.requestBody(ask) } catch {
      throw RunError(.stageFailed, "`\(options.name)`: \(error)")
    }
  }
}
