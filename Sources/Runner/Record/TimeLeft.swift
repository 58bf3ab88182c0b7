// How long the rest of a run may take: what its stages took before, what their like took in this run, and what they estimate.

import System

struct TimeLeft {
  private let families: [String]
  /// Seconds of each node; nil where nothing is known.
  private let expected: [Double?]
  private var isOver: [Bool]
  /// By the address without iteration and cell: what took longest in this run.
  private var measured: [String: Double] = [:]

  init(_ plan: Plan, expected: [Double?]) {
    families = plan.nodes.map { ExpectedTime.family($0.address) }
    self.expected = expected
    isOver = plan.nodes.map { _ in false }
  }

  /// Cached, skipped, failed or not wanted.
  mutating func leaveOut(_ index: Int) { isOver[index] = true }

  mutating func finish(_ index: Int, seconds: Double) {
    isOver[index] = true
    measured[families[index]] = max(measured[families[index]] ?? 0, seconds)
  }

  /// Nil where nothing is known. `running`: of each since when, in seconds, and how much is left as its own progress tells.
  func words(running: [(index: Int, elapsed: Double, left: Double?)]) -> String? {
    var seconds = 0.0
    var (known, unknown) = (0, 0)
    for index in isOver.indices where !isOver[index] {
      let whole = measured[families[index]] ?? expected[index]
      let now = running.first { $0.index == index }
      guard let left = now?.left ?? whole.map({ max(0, $0 - (now?.elapsed ?? 0)) }) else {
        unknown += 1
        continue
      }
      known += 1
      seconds += left
    }
    guard known > 0, seconds >= 1 else { return nil }
    // In whole seconds, which do not flicker.
    let words = seconds < 10 ? "\(Int(seconds.rounded())) s" : duration(seconds)
    return unknown == 0 ? "about \(words) left" : "more than \(words) left"
  }
}
