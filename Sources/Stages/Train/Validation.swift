// The loss on held-out examples along a training, and the step at which it was lowest.

import JSON
import Models

struct Validation {
  let examples: [TrainingExample]
  /// Steps from one to the next; the last step of a training has one besides.
  private let interval: Int
  private let names: [String]
  private var steps: [Int] = []
  /// By name.
  private var values: [[Double]]

  /// Series that the metrics have.
  static func names(of objective: some Objective) -> [String] {
    ["validation_loss"] + objective.terms.map { "validation_\($0)" }
  }
  static let stepsName = "validation_steps"
  static let bestName = "best_step"

  init(_ examples: [TrainingExample], every interval: Int, of objective: some Objective) {
    self.examples = examples
    self.interval = interval
    names = Self.names(of: objective)
    values = names.map { _ in [] }
  }

  func isDue(after step: Int, of count: Int) -> Bool {
    step == count || step % interval == 0
  }

  /// - Returns: whether the loss is lower than ever before.
  mutating func measure(_ trainer: Trainer) throws -> Bool {
    let (loss, terms) = try trainer.evaluate(examples)
    let isBest = values[0].allSatisfy { loss < $0 }
    steps.append(trainer.step)
    for (index, value) in ([loss] + terms).enumerated() { values[index].append(value) }
    return isBest
  }

  var lastLoss: Double? { values[0].last }

  /// The first step with the lowest loss.
  var bestStep: Int? {
    zip(steps, values[0]).min { $0.1 < $1.1 }?.0
  }

  /// The series, and the best step.
  var metrics: JSONObject {
    var result = series
    if let bestStep { result[Self.bestName] = .int(Int64(bestStep)) }
    return result
  }

  /// Each name with its list of numbers.
  var json: JSON { .object(series) }

  private var series: JSONObject {
    var result = JSONObject(zip(names, values).map { ($0, .array($1.map { .double($0) })) })
    result[Self.stepsName] = .array(steps.map { .int(Int64($0)) })
    return result
  }

  /// Takes the place of these by those that `json` holds.
  /// - Returns: whether it holds as many of each, and nothing else.
  mutating func restore(_ json: JSON) -> Bool {
    guard let steps = json[Self.stepsName]?.arrayValue?.compactMap(\.intValue),
      json.objectValue?.count == names.count + 1
    else { return false }
    let values = names.map { json[$0]?.arrayValue?.compactMap(\.doubleValue) ?? [] }
    guard values.allSatisfy({ $0.count == steps.count }) else { return false }
    (self.steps, self.values) = (steps, values)
    return true
  }
}
