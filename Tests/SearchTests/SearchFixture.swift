// What the tests share: the numbers of other libraries, a space with everything in it, and searches that are run to an end.

import Foundation
import JSON
import Search

/// Made by Fixtures/make_search.py.
func fixture() throws -> JSON {
  let path = "\(#filePath)/../Fixtures/search.json"
  let file = try Data(contentsOf: URL(fileURLWithPath: path).standardizedFileURL)
  return try JSON(parsing: [UInt8](file))
}

/// The error of a call; nil where there is none.
func searchError(_ body: () throws -> Void) -> SearchError? {
  do { try body() } catch { return error as? SearchError }
  return nil
}

/// All kinds of distributions, nested conditions, tied parameters and a constraint.
func mixedSpace() throws -> Space {
  try Space(
    [
      Parameter("optimizer", .values(["sgd", "adam"])),
      Parameter("rate", .logUniform(1e-5, 1e-1)),
      Parameter("momentum", .uniform(0, 0.9), where: .init("optimizer", among: ["sgd"])),
      Parameter("nesterov", .values([false, true]), where: .init("optimizer", among: ["sgd"])),
      Parameter("delay", .integers(1, 5), where: .init("nesterov", among: [true])),
      Parameter("batch", .integers(1, 64, isLogarithmic: true)),
      Parameter("length", .integers(16, 128, step: 16)),
      Parameter("dropout", .uniform(0, 0.5, step: 0.1)),
      Parameter(tied: [
        JSONObject([("model", "small"), ("memory", 1)]), JSONObject([("model", "large"), ("memory", 4)]),
      ]),
    ], constraints: [Constraint(reading: "batch * length <= 2048")])
}

/// A loss for it.
func mixedLoss(_ values: JSONObject) -> Double {
  func number(_ name: String) -> Double { values[name]?.doubleValue ?? 0 }
  let rate = ElementaryFunctions.logarithm(number("rate")) + 7
  let momentum = number("momentum") - 0.5
  return rate * rate + 4 * momentum * momentum + number("dropout") + abs(number("length") - 64) / 64
    + (values["optimizer"] == "sgd" ? 0 : 1) - number("memory") / 8
}

extension TrialSequence {
  /// Trials until there are so many, or until the end.
  mutating func run(_ count: Int, _ outcome: (Trial) -> Outcome) throws -> [Trial] {
    while trials.count < count, case .trial(let trial) = try next() {
      record(outcome(trial), of: trial.number)
    }
    return trials
  }
}
