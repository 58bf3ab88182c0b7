// `distinct`: how varied the generations are.

import JSON
import Runner

/// distinct-n for n of 1 to 3, pooled over all generations. Source: METHODS 1.13.
struct DistinctMetric: Metric {
  static let name = "distinct"
  static let summary = "distinct n-grams of words over all words, n of 1 to 3"
  static let numbers = (1...3).map { "distinct_\($0)" }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    let texts = generations.samples.map(\.text)
    return (1...3).map { distinctN(texts, n: $0).map { .double($0) } ?? .null }
  }
}
