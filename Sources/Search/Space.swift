// The space of a search: its parameters in the order written, when each exists, and what their values must meet.

import JSON

/// A point of a space: for each of its parameters the coordinate on its axis, nil where it does not exist.
typealias Point = [Double?]

package struct Space: Sendable {
  package let parameters: [Parameter]
  package let constraints: [Constraint]
  let axes: [Axis]
  /// For each parameter; nil where it always exists.
  let conditions: [Condition?]
  /// Parameters that always exist together, by their indices. A group stands after those that decide whether it exists.
  let groups: [[Int]]

  /// A condition by indices: the parameter that decides, and the coordinates that it may have.
  struct Condition: Sendable, Equatable {
    let parent: Int
    let coordinates: [Double]
  }

  /// Draws of one trial, at most, until the constraints are met.
  static let mostTries = 1000

  /// Of nothing.
  package init() {
    (parameters, constraints, axes, conditions, groups) = ([], [], [], [], [])
  }

  /// - Throws: `SearchError` for the first thing that is wrong.
  package init(_ parameters: [Parameter], constraints: [Constraint] = []) throws(SearchError) {
    self.parameters = parameters
    self.constraints = constraints
    var axes: [Axis] = []
    var conditions: [Condition?] = []
    var places: [UTF8Key: Int] = [:]
    for (index, parameter) in parameters.enumerated() {
      try Space.checkTied(parameter)
      let axis = try Axis(parameter.distribution, of: parameter.drawName)
      let condition = try parameter.condition.map { (condition) throws(SearchError) in
        guard let parent = places[UTF8Key(condition.parameter)] else {
          throw .unknownParent(condition.parameter, of: parameter.drawName)
        }
        return try Space.resolved(condition, parent, parameters[parent], axes[parent], of: parameter.drawName)
      }
      for name in parameter.names {
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { throw .badName(name) }
        guard places.updateValue(index, forKey: UTF8Key(name)) == nil else { throw .declaredTwice(name) }
      }
      axes.append(axis)
      conditions.append(condition)
    }
    for constraint in constraints {
      for name in constraint.comparedParameters {
        guard let index = places[UTF8Key(name)] else {
          throw .unknownInConstraint(name, constraint: constraint.description)
        }
        if case .categories(let values) = axes[index],
          values.contains(where: { (parameters[index].isTied ? $0[name] : $0)?.doubleValue == nil })
        {
          throw .notNumeric(name, constraint: constraint.description)
        }
      }
    }
    self.axes = axes
    self.conditions = conditions
    var groups: [[Int]] = []
    for index in conditions.indices {
      if let group = groups.firstIndex(where: { conditions[$0[0]] == conditions[index] }) {
        groups[group].append(index)
      } else {
        groups.append([index])
      }
    }
    self.groups = groups
  }

  private static func checkTied(_ parameter: Parameter) throws(SearchError) {
    guard parameter.isTied, case .values(let rows) = parameter.distribution else { return }
    guard !parameter.names.isEmpty else { throw .noTiedRows }
    let names = Set(parameter.names.map(UTF8Key.init))
    for (index, row) in rows.enumerated()
    where Set((row.objectValue?.keys ?? []).map(UTF8Key.init)) != names {
      throw .tiedRowDiffers(row: index + 1, names: parameter.names)
    }
  }

  private static func resolved(
    _ condition: Parameter.Condition, _ parent: Int, _ parameter: Parameter, _ axis: Axis, of name: String
  ) throws(SearchError) -> Condition {
    guard axis.count != nil else { throw .parentIsContinuous(condition.parameter, of: name) }
    guard !condition.values.isEmpty else { throw .noConditionValues(name, parent: condition.parameter) }
    var coordinates: [Double] = []
    for value in condition.values {
      var found: [Double] = []
      if parameter.isTied, case .categories(let rows) = axis {
        found = rows.indices.filter { rows[$0][condition.parameter] == value }.map(Double.init)
      } else if let coordinate = axis.coordinate(of: value) {
        found = [coordinate]
      }
      guard !found.isEmpty else { throw .neverExists(name, parent: condition.parameter, value: value) }
      coordinates += found
    }
    return Condition(parent: parent, coordinates: Set(coordinates).sorted())
  }

  // MARK: points

  /// Whether a parameter exists, given those before it.
  func exists(_ index: Int, in point: Point) -> Bool {
    guard let condition = conditions[index] else { return true }
    return point[condition.parent].map(condition.coordinates.contains) ?? false
  }

  /// The parameters that exist with their values, in the order declared; tied parameters each under its own name.
  func values(of point: Point) -> JSONObject {
    var members: [JSONObject.Member] = []
    for (index, parameter) in parameters.enumerated() {
      guard let coordinate = point[index] else { continue }
      let value = axes[index].value(at: coordinate)
      if parameter.isTied {
        members += parameter.names.map { ($0, value[$0] ?? .null) }
      } else {
        members += parameter.names.map { ($0, value) }
      }
    }
    return JSONObject(members)
  }

  /// Nil where a value is missing or not one of the space.
  func point(of values: JSONObject) -> Point? {
    var point = Point(repeating: nil, count: parameters.count)
    for (index, parameter) in parameters.enumerated() where exists(index, in: point) {
      let row = parameter.names.map { (key: $0, value: values[$0] ?? .null) }
      guard let first = row.first,
        let coordinate = axes[index].coordinate(
          of: parameter.isTied ? .object(JSONObject(row)) : first.value)
      else { return nil }
      point[index] = coordinate
    }
    return point
  }

  func meetsConstraints(_ point: Point, isComplete: Bool = true) -> Bool {
    guard !constraints.isEmpty else { return true }
    let values = values(of: point)
    return constraints.allSatisfy { $0.isMet(by: values, areComplete: isComplete) }
  }

  // MARK: draws

  /// The first draw of a trial that meets the constraints. Draw n uses the numbers of element n, which `number` gives for a parameter.
  /// - Throws: `SearchError.noneMeetsConstraints` after `mostTries` draws.
  func draw(
    trial: Int, number: (_ parameter: Int, _ element: Int) -> Double
  ) throws(SearchError) -> Point {
    for element in 0..<Space.mostTries {
      var point = Point(repeating: nil, count: parameters.count)
      for index in parameters.indices where exists(index, in: point) {
        point[index] = axes[index].coordinate(below: number(index, element))
      }
      if meetsConstraints(point) { return point }
    }
    throw .noneMeetsConstraints(trial: trial, tried: Space.mostTries)
  }

  /// A draw from the distributions as they are declared.
  func draw(trial: Int, seed: Int) throws(SearchError) -> Point {
    try draw(trial: trial) { index, element in
      UnitNumber.at(seed: seed, trial: trial, name: parameters[index].drawName, element: element)
    }
  }
}
