// What is wrong with a space, a constraint or a method, or why no trial can be suggested.

import JSON

package enum SearchError: Error, Sendable, Equatable, CustomStringConvertible {
  case badName(String)
  case declaredTwice(String)
  case noValues(String)
  case nothingBetween(String, Double, Double)
  case notPositive(String, Double)
  case badStep(String, Double)
  case stepMissesEnd(String, least: Double, most: Double, step: Double)
  case stepTooLong(String, least: Double, step: Double)
  case integerTooLarge(String, Int)
  case noTiedRows
  /// Row number from 1, and the names of the first row.
  case tiedRowDiffers(row: Int, names: [String])
  case unknownParent(String, of: String)
  case parentIsContinuous(String, of: String)
  case noConditionValues(String, parent: String)
  case neverExists(String, parent: String, value: JSON)
  case unreadableConstraint(String)
  case unknownInConstraint(String, constraint: String)
  case notNumeric(String, constraint: String)
  case gridOfContinuous(String)
  case gridTooLarge(most: Int)
  case emptyGrid
  case emptyList
  case noTrials
  case noneMeetsConstraints(trial: Int, tried: Int)

  package var description: String {
    func text(_ number: Double) -> String { number.isFinite ? JSON.double(number).text() : "\(number)" }
    return switch self {
    case .badName(let name):
      "`\(name)` cannot be the name of a parameter of a search; expected a text that is not empty and has no control character"
    case .declaredTwice(let name): "`\(name)` is varied twice; remove one of the two"
    case .noValues(let name): "`\(name)` has no values; list at least one"
    case .nothingBetween(let name, let least, let most):
      "`\(name)` goes from \(text(least)) to \(text(most)); expected two numbers a finite distance apart, the smaller one first"
    case .notPositive(let name, let least):
      "`\(name)` is logarithmic and begins at \(text(least)); expected a number above 0"
    case .badStep(let name, let step):
      "`\(name)` has the step \(text(step)); expected a finite number above 0"
    case .stepMissesEnd(let name, let least, let most, let step):
      "`\(name)` goes from \(text(least)) to \(text(most)) in steps of \(text(step)), which do not arrive at \(text(most)); change the step or an end"
    case .stepTooLong(let name, let least, let step):
      "`\(name)` is logarithmic, begins at \(text(least)) and has the step \(text(step)); expected a step of less than twice the least number"
    case .integerTooLarge(let name, let number):
      "`\(name)` has the integer \(number); expected at most 2^53 in size"
    case .noTiedRows: "tied parameters have no rows; give at least one, with a value for each"
    case .tiedRowDiffers(let row, let names):
      "row \(row) of tied parameters has other names than the first; expected \(SearchError.list(names))"
    case .unknownParent(let parent, let name):
      "`\(name)` depends on `\(parent)`, which is not declared before it; declare it first"
    case .parentIsContinuous(let parent, let name):
      "`\(name)` depends on a value of `\(parent)`, which may be any number of an interval; give `\(parent)` a list of values or a step"
    case .noConditionValues(let name, let parent):
      "`\(name)` depends on `\(parent)` and on none of its values; list at least one"
    case .neverExists(let name, let parent, let value):
      "`\(name)` depends on \(value.text()) as the value of `\(parent)`, which it never has; expected one of its values"
    case .unreadableConstraint(let text):
      "the constraint `\(text)` cannot be read; expected products of parameters and numbers on both sides of `<`, `<=`, `==`, `!=`, `>=` or `>`, as in `a * b <= 64`"
    case .unknownInConstraint(let name, let constraint):
      "the constraint `\(constraint)` names `\(name)`, which is not varied; name a parameter of the search"
    case .notNumeric(let name, let constraint):
      "the constraint `\(constraint)` compares `\(name)`, which has values that are no numbers; compare numbers"
    case .gridOfContinuous(let name):
      "`\(name)` may be any number of an interval, and a grid has only values; list the values or give a step"
    case .gridTooLarge(let most):
      "the grid has more than \(most) combinations; list fewer values, or use random search"
    case .emptyGrid: "no combination of the grid meets the constraints; change the constraints or the values"
    case .emptyList: "the list has no trials; give at least one"
    case .noTrials: "a Latin hypercube of no trials; expected at least 1"
    case .noneMeetsConstraints(let trial, let tried):
      "trial \(trial): none of \(tried) draws meets the constraints; widen the constraints or the distributions"
    }
  }

  /// The parameter that it is about.
  package var parameter: String? {
    switch self {
    case .badName(let name), .declaredTwice(let name), .noValues(let name), .nothingBetween(let name, _, _),
      .notPositive(let name, _), .badStep(let name, _), .stepMissesEnd(let name, _, _, _),
      .stepTooLong(let name, _, _), .integerTooLarge(let name, _), .unknownParent(_, let name),
      .parentIsContinuous(_, let name), .noConditionValues(let name, _), .neverExists(let name, _, _),
      .gridOfContinuous(let name):
      name
    default: nil
    }
  }

  /// The constraint that it is about.
  package var constraint: String? {
    switch self {
    case .unreadableConstraint(let text), .unknownInConstraint(_, let text), .notNumeric(_, let text): text
    default: nil
    }
  }

  private static func list(_ names: [String]) -> String {
    names.map { "`\($0)`" }.joined(separator: ", ")
  }
}
