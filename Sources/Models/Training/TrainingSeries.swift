// What the steps of a training reported, under the names of their numbers.

import JSON

/// What a step reports.
package struct TrainingStep: Sendable {
  package let step: Int
  /// The objective, as a mean over the batch's targets.
  package let loss: Double
  /// Means of its unweighted terms, in the order of `Objective.terms`.
  package let terms: [Double]
  /// Before clipping.
  package let gradientNorm: Double
  package let learningRate: Double
  /// Of an adaptive objective, as this step used them.
  package let coefficients: [Double]
  package let targetCount: Int
}

/// The loss, the objective's terms, the gradient norm, the learning rate and adaptive coefficients of each step.
package struct TrainingSeries: Sendable {
  /// Names that every training has; the terms stand between the first and the others.
  package static let common = ["loss", "gradient_norm", "lr"]

  package let names: [String]
  private var values: [[Double]]
  package private(set) var count = 0

  package static func names(of objective: some Objective) -> [String] {
    [common[0]] + objective.terms + common.dropFirst()
      + ((objective as? any AdaptiveObjective)?.controllers.map(\.name) ?? [])
  }

  init(of objective: some Objective) {
    names = Self.names(of: objective)
    values = names.map { _ in [] }
  }

  mutating func append(_ step: TrainingStep) {
    let numbers = [step.loss] + step.terms + [step.gradientNorm, step.learningRate] + step.coefficients
    for (index, value) in numbers.enumerated() {
      values[index].append(value)
    }
    count += 1
  }

  /// Each name with its list of numbers.
  package var json: JSON {
    .object(JSONObject(zip(names, values).map { ($0, .array($1.map { .double($0) })) }))
  }

  /// Takes the place of these by those of `steps` steps that `json` holds.
  /// - Returns: nil when there are other names, or other numbers of steps.
  func restored(from json: JSON, steps: Int) -> TrainingSeries? {
    guard let members = json.objectValue?.members, members.count == names.count else { return nil }
    var result = self
    for (index, name) in names.enumerated() {
      guard let numbers = json[name]?.arrayValue?.compactMap(\.doubleValue), numbers.count == steps else {
        return nil
      }
      result.values[index] = numbers
    }
    result.count = steps
    return result
  }
}
