// What a metric is: one thing that `evaluate` measures of generations, with the numbers that it reports.

import Experiments
import JSON

/// One entry of `metrics`: a word, or a mapping with `kind` where the metric has options of its own.
package protocol Metric: Sendable {
  /// The word that is written.
  static var name: String { get }
  /// What it is and which numbers it gives, for the page of `evaluate`.
  static var summary: String { get }
  /// Its options beside `kind`. The word alone may be written where all have defaults.
  static var options: [OptionField] { get }
  /// Its inputs beside `rows`, bound only where it is wanted.
  static var inputs: [InputPort] { get }
  /// Inputs with language models that read the rows as the options of `PromptOptions` say.
  static var languageModels: [String] { get }

  /// - Parameter options: its own.
  init(_ options: StageOptions)

  /// The columns that it reads beside `prompt` and `generations`, with what gives them: "`score` gives it".
  var columns: [(name: String, source: String)] { get }

  /// The names of its numbers in the metrics artifact.
  /// - Parameter options: those of `evaluate`, which may be written wrongly.
  func numbers(for options: JSON) -> [String]

  /// What is wrong before anything has run, beside inputs and columns that are missing.
  /// - Parameter place: of its entry among the options: `metrics.0`.
  func check(_ stage: StageCheck, at place: String, _ findings: inout StageFindings)

  /// Memory and time beside reading the rows; nil for none.
  func estimate(_ input: StageEstimate.Input) -> StageEstimate?

  /// A value for each of `numbers(for:)`, null where there is none.
  /// - Throws: `InputError` naming the row.
  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON]
}

/// In the order in which the artifact holds them.
package let metrics: [any Metric.Type] = [
  RewardMetric.self, PerplexityMetric.self, DivergenceMetric.self, DistinctMetric.self, LengthMetric.self,
  AccuracyMetric.self, RougeMetric.self, ToxicityMetric.self, FinishMetric.self, ClassesMetric.self,
  MeanMetric.self, DifferenceMetric.self, OverlapMetric.self, WinRateMetric.self,
]

extension Metric {
  static var options: [OptionField] { [] }
  static var inputs: [InputPort] { [] }
  static var languageModels: [String] { [] }
  var columns: [(name: String, source: String)] { [] }
  func check(_ stage: StageCheck, at place: String, _ findings: inout StageFindings) {}
  func estimate(_ input: StageEstimate.Input) -> StageEstimate? { nil }
}
