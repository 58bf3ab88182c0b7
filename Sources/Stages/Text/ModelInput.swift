// What a model is about to be given, for whoever looks at a stage without running it.

import Experiments
import Models
import Synchronization

/// A sequence that the model reads.
package struct ModelInput: Sendable {
  /// The row's id, and where it is one sample of the row `#` and its number.
  package let name: String
  package let tokens: [Int32]
  /// What is trained on, or scored, ascending; the rest is read only.
  package let targets: [Range<Int>]

  package init(_ name: String, _ tokens: [Int32], targets: [Range<Int>] = []) {
    (self.name, self.tokens, self.targets) = (name, tokens, targets)
  }

  /// One part of which is read, and one that is predicted.
  package init(_ name: String, _ context: [Int32], predicts output: [Int32]) {
    self.init(name, context + output, targets: [context.count..<context.count + output.count])
  }
}

/// Takes the place of a run's reporter: a stage ends where it would begin to compute, and what its model would read is here.
package final class ModelInputProbe: StageProbe {
  package struct Found: Sendable {
    package let inputs: [ModelInput]
    package let tokenizer: Tokenizer
    /// How many there are; `inputs` are the first of them.
    package let count: Int
  }

  private let limit: Int
  private let note: @Sendable (String) -> Void
  private let state = Mutex<Found?>(nil)

  /// - Parameters:
  ///   - limit: no more inputs than these are kept.
  ///   - note: hears the stage's log.
  package init(limit: Int, note: @escaping @Sendable (String) -> Void) {
    self.limit = limit
    self.note = note
  }

  package var found: Found? { state.withLock { $0 } }

  fileprivate func take(_ count: Int, _ tokenizer: Tokenizer, _ input: (Int) throws -> ModelInput) rethrows {
    let inputs = try (0..<min(count, limit)).map(input)
    state.withLock { $0 = Found(inputs: inputs, tokenizer: tokenizer, count: count) }
  }

  package func progress(done: Int, total: Int, unit: String, message: String?) {}
  package func measure(_ name: String, _ value: Double) {}
  package func log(_ line: String) { note(line) }
  package var isStopRequested: Bool { false }
}

/// The end of a stage that is looked at.
package struct EndOfProbe: Error {}

extension StageContext {
  /// To be called before a model reads anything: ends a stage that is only looked at.
  /// - Throws: `EndOfProbe`.
  func showInputs(_ count: Int, _ tokenizer: Tokenizer, _ input: (Int) throws -> ModelInput) throws {
    guard let probe = probe as? ModelInputProbe else { return }
    try probe.take(count, tokenizer, input)
    throw EndOfProbe()
  }
}
