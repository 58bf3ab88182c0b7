// A regression tree over boxes: what a metric is about, and how much of its variance one parameter explains.

/// Leaves are boxes that fill the space: an interval of each number, a set of each category's values. A box is split where the squared
/// errors of the two means are least. A set is split in the order of the means of its categories, which holds the best split
/// for squared errors (Breiman and others, 1984).
struct RegressionTree {
  enum Feature: Sendable {
    /// From 0 to 1.
    case number
    /// 0 to count - 1.
    case category(count: Int)
  }

  private enum Side {
    case interval(low: Double, high: Double)
    case set([Bool])

    /// Of the whole axis.
    var share: Double {
      switch self {
      case .interval(let low, let high): high - low
      case .set(let members): Double(members.count { $0 }) / Double(members.count)
      }
    }
  }

  private struct Leaf {
    let box: [Side]
    let value: Double
  }

  private static let mostLevels = 64

  private let features: [Feature]
  private var leaves: [Leaf] = []

  /// `rows`: for each the feature values; a row may be there several times.
  init(_ features: [Feature], rows: [[Double]], targets: [Double]) {
    self.features = features
    let box = features.map { feature -> Side in
      switch feature {
      case .number: .interval(low: 0, high: 1)
      case .category(let count): .set([Bool](repeating: true, count: count))
      }
    }
    grow(box, Array(rows.indices), rows, targets, level: 0)
  }

  private struct Split {
    let gain: Double
    let feature: Int
    /// The box's sides of the feature, and which rows are in the first.
    let sides: (Side, Side)
    let isFirst: (Double) -> Bool
  }

  private mutating func grow(
    _ box: [Side], _ members: [Int], _ rows: [[Double]], _ targets: [Double], level: Int
  ) {
    var best: Split?
    if members.count > 1, level < Self.mostLevels {
      for feature in features.indices {
        if let split = split(feature, box[feature], members, rows, targets), split.gain > best?.gain ?? 0 {
          best = split
        }
      }
    }
    guard let best else {
      var sum = 0.0
      for member in members { sum += targets[member] }
      leaves.append(Leaf(box: box, value: sum / Double(max(members.count, 1))))
      return
    }
    var (first, second) = (box, box)
    (first[best.feature], second[best.feature]) = best.sides
    grow(first, members.filter { best.isFirst(rows[$0][best.feature]) }, rows, targets, level: level + 1)
    grow(second, members.filter { !best.isFirst(rows[$0][best.feature]) }, rows, targets, level: level + 1)
  }

  /// The best split of a feature; nil where there is none.
  private func split(
    _ feature: Int, _ side: Side, _ members: [Int], _ rows: [[Double]], _ targets: [Double]
  ) -> Split? {
    // Rows of equal value, or of one category, go together: number of rows, sum of targets, value.
    var parts: [(value: Double, count: Int, sum: Double)] = []
    let sorted = members.sorted { (rows[$0][feature], $0) < (rows[$1][feature], $1) }
    var mean = 0.0
    for member in sorted { mean += targets[member] / Double(sorted.count) }
    for member in sorted {
      let (value, target) = (rows[member][feature], targets[member] - mean)
      if parts.last?.value == value {
        parts[parts.count - 1].count += 1
        parts[parts.count - 1].sum += target
      } else {
        parts.append((value, 1, target))
      }
    }
    if case .category = features[feature] {
      parts.sort { a, b in
        let (first, second) = (a.sum / Double(a.count), b.sum / Double(b.count))
        return first == second ? a.value < b.value : first < second
      }
    }
    var (total, all) = (0.0, 0)
    for part in parts { (total, all) = (total + part.sum, all + part.count) }
    var best: (gain: Double, place: Int)?
    var (sum, count) = (0.0, 0)
    for place in parts.indices.dropLast() {
      (sum, count) = (sum + parts[place].sum, count + parts[place].count)
      let rest = total - sum
      // What the squared errors become less by: targets are less their mean, so that the total is about 0.
      let gain =
        sum * sum / Double(count) + rest * rest / Double(all - count) - total * total / Double(all)
      if gain > best?.gain ?? 0 { best = (gain, place) }
    }
    guard let best else { return nil }
    switch side {
    case .interval(let low, let high):
      let middle = parts[best.place].value / 2 + parts[best.place + 1].value / 2
      let cut = min(max(middle, low), high)
      return Split(
        gain: best.gain, feature: feature,
        sides: (.interval(low: low, high: cut), .interval(low: cut, high: high)),
        isFirst: { [last = parts[best.place].value] in $0 <= last })
    case .set(let members):
      // Categories of the box without a row go to the second side.
      let first = Set(parts[...best.place].map(\.value))
      return Split(
        gain: best.gain, feature: feature,
        sides: (
          .set(members.indices.map { members[$0] && first.contains(Double($0)) }),
          .set(members.indices.map { members[$0] && !first.contains(Double($0)) })
        ),
        isFirst: { first.contains($0) })
    }
  }

  // MARK: variance

  /// The variance of the tree's value over the whole space, and for each feature the variance of its mean over all others.
  ///
  /// Source: Hutter, Hoos and Leyton-Brown, An efficient approach for assessing hyperparameter importance (2014).
  func variances() -> (whole: Double, ofFeatures: [Double]) {
    let shares = leaves.map { $0.box.map(\.share) }
    func product(_ leaf: Int, without feature: Int?) -> Double {
      var product = 1.0
      for (index, share) in shares[leaf].enumerated() where index != feature { product *= share }
      return product
    }
    var (mean, whole) = (0.0, 0.0)
    for leaf in leaves.indices { mean += product(leaf, without: nil) * leaves[leaf].value }
    for leaf in leaves.indices {
      whole += product(leaf, without: nil) * (leaves[leaf].value - mean) * (leaves[leaf].value - mean)
    }
    let ofFeatures = features.indices.map { feature -> Double in
      let others = leaves.indices.map { product($0, without: feature) }
      var variance = 0.0
      for cell in cells(of: feature) {
        var value = 0.0
        for (leaf, other) in zip(leaves, others) where cell.isIn(leaf.box[feature]) {
          value += other * (leaf.value - mean)
        }
        variance += cell.share * value * value
      }
      return variance
    }
    return (whole, ofFeatures)
  }

  /// A part of an axis that no leaf divides.
  private struct Cell {
    let share: Double
    let isIn: (Side) -> Bool
  }

  private func cells(of feature: Int) -> [Cell] {
    switch features[feature] {
    case .category(let count):
      return (0..<count).map { category in
        Cell(share: 1 / Double(count)) { side in
          if case .set(let members) = side { members[category] } else { false }
        }
      }
    case .number:
      var ends: Set<Double> = [0, 1]
      for leaf in leaves {
        if case .interval(let low, let high) = leaf.box[feature] { ends.formUnion([low, high]) }
      }
      let sorted = ends.sorted()
      return zip(sorted, sorted.dropFirst()).map { from, to in
        Cell(share: to - from) { side in
          if case .interval(let low, let high) = side { low <= from && to <= high } else { false }
        }
      }
    }
  }
}
