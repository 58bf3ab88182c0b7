// The option `interval` of `evaluate`, and the numbers that stand beside a mean: NAME_se, NAME_low, NAME_high.

import Experiments
import JSON

/// How the interval around each mean is made.
package struct IntervalOption: Sendable {
  let level: Double
  let resamples: Int
  let seed: UInt64

  static let option = StageOption<IntervalOption?>(
    "interval",
    .optional(
      .object([levelOption.field, resamplesOption.field, seedOption.field]) {
        IntervalOption(
          level: $0[levelOption], resamples: $0[resamplesOption], seed: UInt64($0[seedOption]))
      }),
    default: ["level": 0.95, "resamples": 1000, "seed": 0], aliases: ["confidence", "bootstrap"],
    summary:
      "the interval around each mean `X`, from `X_low` to `X_high`: by drawing the prompts anew, each with all of its generations; that of a share is Wilson's, with fewer generations where those of a prompt agree. Null leaves intervals out; the standard error `X_se`, clustered by prompt, is always there"
  )
  private static let levelOption = StageOption(
    "level", .number(0.5...0.999), default: 0.95, summary: "how often such an interval holds the mean")
  private static let resamplesOption = StageOption(
    "resamples", .integer(100...100_000), default: 1000, summary: "how often the prompts are drawn")
  private static let seedOption = StageOption(
    "seed", .integer(0...Int(Int32.max)), default: 0,
    summary: "of these draws alone: another seed of the experiment changes no interval")
}

/// A mean as the metrics artifact holds it.
enum MeanNumbers {
  /// - Parameter options: of `evaluate`, which may be written wrongly.
  static func names(_ name: String, _ options: JSON) -> [String] {
    let hasInterval = IntervalOption.option.value(in: options).map { $0 != nil } ?? true
    return [name, "\(name)_se"] + (hasInterval ? ["\(name)_low", "\(name)_high"] : [])
  }

  /// Of a mean, with its bootstrap interval; all are null where there is none.
  static func values(of mean: ClusteredMean?, _ context: StageContext) throws -> [JSON] {
    try values(of: mean, context) { mean, interval in
      try mean.bootstrapInterval(
        level: interval.level, resamples: interval.resamples, seed: interval.seed,
        checkpoint: context.checkCancellation)
    }
  }

  /// Of the share of values that are 1 among values that are 0 or 1, with Wilson's interval.
  static func values(ofShare share: ClusteredMean?, _ context: StageContext) throws -> [JSON] {
    try values(of: share, context) { $0.wilsonInterval(level: $1.level) }
  }

  private static func values(
    of mean: ClusteredMean?, _ context: StageContext,
    interval: (ClusteredMean, IntervalOption) throws -> ClosedRange<Double>?
  ) throws -> [JSON] {
    func number(_ value: Double?) -> JSON { value.map { .double($0) } ?? .null }
    let values = [number(mean?.mean), number(mean?.standardError)]
    guard let option = context.options[IntervalOption.option] else { return values }
    let bounds = try mean.flatMap { try interval($0, option) }
    return values + [number(bounds?.lowerBound), number(bounds?.upperBound)]
  }
}
