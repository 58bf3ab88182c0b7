// Progress of scoring with a model, with tokens a second.

import Experiments

final class ScoreProgress {
  private let context: StageContext
  private let total: Int
  private let tokens: [Int]
  private let started = ContinuousClock.now
  private var done = 0
  private var doneTokens = 0

  /// - Parameter tokens: of each text that is read.
  init(_ context: StageContext, total: Int, tokens: [Int]) {
    self.context = context
    self.total = total
    self.tokens = tokens
  }

  private var rate: Double { Double(doneTokens) / max((ContinuousClock.now - started) / .seconds(1), 1e-3) }

  func finish(_ index: Int) {
    done += 1
    doneTokens += tokens[index]
    context.progress(done, of: total, unit: "generations", message: "\(Int(rate)) tokens/s")
  }

  func close() {
    context.measure("tokens", Double(doneTokens))
    context.measure("tokens_per_second", rate)
  }
}
