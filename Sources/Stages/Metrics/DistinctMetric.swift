// `distinct`: how varied the generations are.

import Experiments
import JSON

/// distinct-n for n of 1 to 3. Source: METHODS 1.13: over the corpus as for language tasks, by prompt as for toxicity.
struct DistinctMetric: Metric {
  static let name = "distinct"
  static let summary = "distinct n-grams of words over all words, n of 1 to 3 (`distinct_1` …)"
  static let options = [over.field]

  private enum Pool: String, CaseIterable { case corpus, prompt }

  private static let over = StageOption(
    "over", .choice(Pool.self), default: "corpus", aliases: ["scope", "per"],
    summary:
      "what is pooled: `corpus`, all generations, which has no standard error; `prompt`, those of each prompt, and then the mean over prompts that have a generation (`distinct_1_by_prompt` …)"
  )

  private let over: Pool

  init(_ options: StageOptions) { over = options[Self.over] }

  func numbers(for options: JSON) -> [String] {
    switch over {
    case .corpus: (1...3).map { "distinct_\($0)" }
    case .prompt: (1...3).flatMap { MeanNumbers.names("distinct_\($0)_by_prompt", options) }
    }
  }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    switch over {
    case .corpus:
      let texts = generations.samples.map(\.text)
      return (1...3).map { distinctN(texts, n: $0).map { .double($0) } ?? .null }
    case .prompt:
      let texts = generations.rows.map { ($0["generations"]?.arrayValue ?? []).compactMap(\.stringValue) }
      return try (1...3).flatMap { n in
        let values = texts.map { distinctN($0, n: n).map { [$0] } ?? [] }
        return try MeanNumbers.values(of: ClusteredMean(values), context)
      }
    }
  }
}
