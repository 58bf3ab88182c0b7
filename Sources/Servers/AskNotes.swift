// Lines for a person who waits: no more than one a second.

import System

struct AskNotes {
  private let name: String
  private let note: (String) -> Void
  private var lastTime = -Double.infinity
  private var held = 0

  init(_ name: String, _ note: @escaping (String) -> Void) { (self.name, self.note) = (name, note) }

  /// `judge: 429, waiting 12 s, 3 of 8`
  mutating func retry(_ failure: ServerFailure, wait: Double, tries: Int, of attempts: Int) {
    let now = monotonicSeconds()
    guard now - lastTime >= 1 else {
      held += 1
      return
    }
    lastTime = now
    let seconds = wait >= 9.95 ? "\(Int(wait.rounded()))" : "\((wait * 10).rounded() / 10)"
    let more = held > 0 ? " (and \(held) more like it)" : ""
    held = 0
    note("\(name): \(failure.label), waiting \(seconds) s, \(tries) of \(attempts)\(more)")
  }
}
