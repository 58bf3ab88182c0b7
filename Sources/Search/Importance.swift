// How much of a metric's variance over a search space each parameter explains alone.

import JSON

/// The share of the variance that one parameter explains alone: fANOVA over a forest of regression trees.
///
/// A parameter's share is the variance of the metric's mean over all other parameters, divided by the variance of the metric, both over
/// the space with its own distributions, not over the trials. So the shares sum to less than 1 where parameters act together.
/// A parameter that exists under a condition is judged among the trials in which it exists, beside those that exist whenever it does.
///
/// Each of the trees reads as many trials as there are, drawn with replacement by the numbers
/// `UnitNumber.at(seed, tree, "bootstrap\tnames", element)`, where the names are those of the parameters that exist together.
///
/// Source: Hutter, Hoos and Leyton-Brown, An efficient approach for assessing hyperparameter importance (2014).
/// Deviation: parameters that do not exist are not given a default value; see above.
package struct Importance: Sendable, Equatable {
  /// Several where they are tied.
  package let parameters: [String]
  /// From 0 to 1; nil where fewer than two trials have the parameter, or all of these have the same metric.
  package let share: Double?
  /// The standard deviation of the share over the trees.
  package let deviation: Double?
  /// How many trials it is from.
  package let trials: Int

  /// In the order of the parameters. Trials whose metric is not finite, or whose values are not of the space, are left out.
  package static func of(
    _ space: Space, trials: [(values: JSONObject, metric: Double)], seed: Int, trees: Int = 64
  ) -> [Importance] {
    precondition(trees > 0, "\(trees) trees; expected at least 1")
    let known = trials.compactMap { trial -> (point: Point, metric: Double)? in
      guard trial.metric.isFinite, let point = space.point(of: trial.values) else { return nil }
      return (point, trial.metric)
    }
    var found = [Importance?](repeating: nil, count: space.parameters.count)
    for group in space.groups {
      let members = known.filter { $0.point[group[0]] != nil }
      let shares = shares(of: group, space, members, seed: seed, trees: trees)
      for (place, index) in group.enumerated() {
        let each = shares.map { $0[place] }
        let mean = average(each)
        found[index] = Importance(
          parameters: space.parameters[index].names, share: mean,
          deviation: mean.flatMap { mean in average(each.map { ($0 - mean) * ($0 - mean) })?.squareRoot() },
          trials: members.count)
      }
    }
    return found.compactMap { $0 }
  }

  private static func average(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    var sum = 0.0
    for value in values { sum += value }
    return sum / Double(values.count)
  }

  /// For each tree whose values differ, the shares of the group's parameters.
  private static func shares(
    of group: [Int], _ space: Space, _ members: [(point: Point, metric: Double)], seed: Int, trees: Int
  ) -> [[Double]] {
    guard members.count > 1, let least = members.map(\.metric).min(), let most = members.map(\.metric).max(),
      least < most
    else { return [] }
    let columns = columns(beside: group, space)
    let rows = members.map { member in columns.map { $0.value(member.point[$0.index] ?? 0) } }
    // From 0 to 1, so that no square is beyond a double.
    let targets = members.map { ($0.metric / 2 - least / 2) / (most / 2 - least / 2) }
    let name = "bootstrap\t\(group.map { space.parameters[$0].drawName }.joined(separator: ","))"
    return (0..<trees).compactMap { tree in
      let drawn = rows.indices.map { element in
        let number = UnitNumber.at(seed: seed, trial: tree, name: name, element: element)
        return min(Int(number * Double(rows.count)), rows.count - 1)
      }
      let grown = RegressionTree(
        columns.map(\.feature), rows: drawn.map { rows[$0] }, targets: drawn.map { targets[$0] })
      let (whole, parts) = grown.variances()
      guard whole > 0 else { return nil }
      return group.map { index in
        columns.firstIndex { $0.index == index }.map { parts[$0] / whole } ?? 0
      }
    }
  }

  /// A parameter as the trees read it.
  private struct Column {
    let index: Int
    let feature: RegressionTree.Feature
    let value: (Double) -> Double
  }

  /// The parameters that exist whenever the group does. One that decides whether it does has only the values under which it does.
  private static func columns(beside group: [Int], _ space: Space) -> [Column] {
    var possible: [Int: Set<Double>] = [:]
    var condition = space.conditions[group[0]]
    var conditions = [condition]
    while let met = condition {
      let coordinates = Set(met.coordinates)
      possible[met.parent] = possible[met.parent]?.intersection(coordinates) ?? coordinates
      condition = space.conditions[met.parent]
      conditions.append(condition)
    }
    return space.parameters.indices.filter { conditions.contains(space.conditions[$0]) }.map { index in
      if let coordinates = possible[index]?.sorted() {
        return Column(index: index, feature: .category(count: coordinates.count)) { coordinate in
          Double(coordinates.firstIndex(of: coordinate) ?? 0)
        }
      }
      switch space.axes[index] {
      case .categories(let values):
        return Column(index: index, feature: .category(count: values.count)) { $0 }
      case .numbers(let numbers):
        let (low, high) = numbers.edges
        return Column(index: index, feature: .number) { coordinate in
          min(max((numbers.scaled(coordinate) - low) / (high - low), 0), 1)
        }
      }
    }
  }
}
