// Every combination of the values of a space.

import JSON

/// Row-major in the order written: the last parameter changes fastest. A parameter that does not exist takes no part, so that no two
/// combinations are equal; those that do not meet the constraints are left out.
enum Grid {
  /// Combinations that are looked at, those included that do not meet the constraints.
  static let most = 1_000_000

  /// - Throws: `SearchError` where a parameter has no last value, and for a grid that is empty or too large.
  static func points(of space: Space) throws(SearchError) -> [Point] {
    let counts = try space.axes.indices.map { (index) throws(SearchError) in
      guard let count = space.axes[index].count else {
        throw .gridOfContinuous(space.parameters[index].drawName)
      }
      return count
    }
    var points: [Point] = []
    var seen = 0
    // The place of each parameter on its axis; nil where it does not exist.
    var places = [Int?](repeating: nil, count: counts.count)
    var point = Point(repeating: nil, count: counts.count)
    var next = 0
    while true {
      for index in next..<counts.count {
        places[index] = space.exists(index, in: point) ? 0 : nil
        point[index] = places[index].map(space.axes[index].coordinate(at:))
      }
      seen += 1
      guard seen <= most else { throw .gridTooLarge(most: most) }
      if space.meetsConstraints(point) { points.append(point) }
      guard let turning = places.indices.last(where: { places[$0].map { $0 + 1 } ?? .max < counts[$0] }),
        let place = places[turning]
      else { break }
      places[turning] = place + 1
      point[turning] = space.axes[turning].coordinate(at: place + 1)
      // What follows is set anew; `exists` reads only what stands before.
      for index in (turning + 1)..<counts.count { point[index] = nil }
      next = turning + 1
    }
    guard !points.isEmpty else { throw .emptyGrid }
    return points
  }
}
