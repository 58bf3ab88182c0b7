// Lines for a person who waits: no more than one a second.

import System

struct AskNotes {
  private let name: String
  private let note: (String) -> Void
  private var lastTime = -Double.infinity
  private var held = 0
  private var pausedUntil = -Double.infinity

  init(_ name: String, _ note: @escaping (String) -> Void) { (self.name, self.note) = (name, note) }

  /// `judge: the server asked for a pause, waiting 12 s`: once a pause.
  mutating func pause(_ seconds: Double) {
    let now = monotonicSeconds()
    defer { pausedUntil = now + seconds }
    guard seconds >= 1, now - lastTime >= 1, now + seconds > pausedUntil + 0.5 else { return }
    lastTime = now
    note("\(name): the server asked for a pause, waiting \(duration(seconds))")
  }

  /// Whatever came before: of what happens seldom.
  func say(_ words: String) { note("\(name): \(words)") }

  /// `judge: batch ID: 1,200 of 5,000 done`
  mutating func progress(_ words: String) {
    let now = monotonicSeconds()
    guard now - lastTime >= 1 else { return }
    lastTime = now
    note("\(name): \(words)")
  }

  /// `judge: 429, waiting 12 s, 3 of 8`
  mutating func retry(_ failure: ServerFailure, wait: Double, tries: Int, of attempts: Int) {
    let now = monotonicSeconds()
    guard now - lastTime >= 1 else {
      held += 1
      return
    }
    lastTime = now
    let more = held > 0 ? " (and \(held) more like it)" : ""
    held = 0
    note("\(name): \(failure.label), waiting \(duration(wait)), \(tries) of \(attempts)\(more)")
  }
}
