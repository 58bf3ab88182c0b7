// Options that kernels take in single precision are declared so, and their defaults are held by it.

import JSON
import Runner
import Stages
import Testing

struct SinglePrecisionTests {
  /// Numbers by their path that are not `single`.
  private func wideNumbers(_ fields: [OptionField], below prefix: String = "") -> [String] {
    fields.flatMap { wideNumbers($0.type, prefix + $0.name) }
  }

  private func wideNumbers(_ type: OptionType, _ path: String) -> [String] {
    switch type {
    case .number(_, _, let single): single ? [] : [path]
    case .optional(let inner): wideNumbers(inner, path)
    case .list(let element, _), .mapping(let element, _): wideNumbers(element, path)
    case .object(let fields): wideNumbers(fields, below: path + ".")
    case .variant(let variants): variants.flatMap { wideNumbers($0.fields, below: path + ".") }
    case .either(let types): types.flatMap { wideNumbers($0, path) }
    case .bool, .integer, .string, .choice, .file, .files: []
    }
  }

  @Test func `every number of sampling and training but shares and targets is taken in single precision`() {
    #expect(wideNumbers(SampleStage.declaration.options) == [])
    #expect(
      wideNumbers(TrainStage.declaration.options) == [
        "objective.adaptive.kl_target", "objective.adaptive.entropy_target", "warmup_ratio", "decay_floor",
        "unfrozen_ratio",
      ])
    // Others compute with numbers of options in double precision alone.
    #expect(
      wideNumbers(ScoreStage.declaration.options) == [
        "scorer.target", "scorer.parser.range", "scorer.of.weight", "scorer.of.low", "scorer.of.high",
        "scorer.low", "scorer.high",
      ])
    #expect(
      wideNumbers(EvaluateStage.declaration.options) == [
        "metrics.below", "metrics.above", "metrics.below", "interval.level",
      ])
  }

  @Test(
    arguments: [
      (0, true), (-0.0, true), (1, true), (1e-37, true), (-3e38, true), (1.1754943508222875e-38, true),
      (1e-38, false),
      (-1e-60, false), (4e38, false), (.infinity, false), (.nan, false), (.leastNonzeroMagnitude, false),
    ] as [(Double, Bool)])
  func `what would vanish or overflow does not fit`(value: Double, fits: Bool) {
    #expect(value.fitsSinglePrecision == fits)
  }
}
