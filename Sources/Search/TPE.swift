// The tree-structured Parzen estimator: candidates are drawn from where good trials lie, and the one that is most typical of them is taken.

/// Trials are ranked, and the first min(⌈n/10⌉, 25) of the n known outcomes are the good ones; a failed one is never good. With the density
/// l of the good trials and g of the others, the suggestion is the one of `candidates` draws from l that has the greatest l/g.
///
/// Parameters that always exist together have one density (`Space.groups`), from the trials in which they exist. A group is drawn after
/// those that decide whether it exists.
///
/// Trials that have no outcome yet count among the others, as if they were bad, which keeps suggestions apart from them. Their parameters
/// are known, since those follow from the outcomes before them.
///
/// Source: Bergstra and others (2011); Falkner, Klein and Hutter (2018); defaults as Optuna's TPESampler has them.
/// Deviation: Optuna leaves failed trials out; here they are bad trials, so that what fails is left alone.
package struct TPE: Sendable {
  /// Outcomes that must be known before any is used; until then trials are random.
  package let startupTrials: Int
  package let candidates: Int

  package init(startupTrials: Int = 10, candidates: Int = 24) {
    precondition(candidates > 0, "\(candidates) candidates; expected at least 1")
    self.startupTrials = startupTrials
    self.candidates = candidates
  }

  /// Draws for each candidate wanted, at most, where constraints refuse some.
  private static let drawsPerCandidate = 10
  /// Whole suggestions, at most, before a trial is drawn at random.
  private static let mostAttempts = 20

  /// Whether outcomes are used when so many are known.
  func reads(_ known: Int) -> Bool { known >= max(startupTrials, 1) }

  /// `known`: the points of the first trials with the ranks of their outcomes; `pending`: the points of the trials after those.
  /// - Throws: `SearchError.noneMeetsConstraints`.
  func point(
    trial: Int, of space: Space, seed: Int, known: ArraySlice<Point>, ranks: [Rank],
    pending: ArraySlice<Point>
  ) throws(SearchError) -> Point {
    guard reads(known.count) else { return try space.draw(trial: trial, seed: seed) }
    let (good, others) = TPE.split(known, ranks: ranks)
    var estimators = space.groups.map { _ in nil as (good: ParzenEstimator, others: ParzenEstimator)? }
    for attempt in 0..<TPE.mostAttempts {
      var point: Point? = Point(repeating: nil, count: space.parameters.count)
      for (place, group) in space.groups.enumerated() {
        guard let drawn = point, space.exists(group[0], in: drawn) else { continue }
        let pair =
          estimators[place]
          ?? (
            TPE.estimator(of: group, space, good), TPE.estimator(of: group, space, others + pending)
          )
        estimators[place] = pair
        point = best(of: group, pair, after: drawn, space) { name, draw in
          let element = attempt * candidates * TPE.drawsPerCandidate + draw
          return UnitNumber.at(seed: seed, trial: trial, name: name, element: element)
        }
      }
      if let point, space.meetsConstraints(point) { return point }
    }
    return try space.draw(trial: trial, seed: seed)
  }

  /// Both in the order of the trials.
  private static func split(_ points: ArraySlice<Point>, ranks: [Rank]) -> (good: [Point], others: [Point]) {
    let order = Rank.order(ranks)
    let goodCount = min((order.count + 9) / 10, 25)
    let places = Set(order.prefix(goodCount).filter { !ranks[$0].isFailed })
    var (good, others): ([Point], [Point]) = ([], [])
    for (place, point) in points.enumerated() {
      if places.contains(place) { good.append(point) } else { others.append(point) }
    }
    return (good, others)
  }

  private static func estimator(of group: [Int], _ space: Space, _ points: [Point]) -> ParzenEstimator {
    var observations = [[Double]](repeating: [], count: group.count)
    for point in points {
      for (column, index) in group.enumerated() {
        if let coordinate = point[index] { observations[column].append(coordinate) }
      }
    }
    return ParzenEstimator(group.map { space.axes[$0] }, observations)
  }

  /// The point with the group's coordinates; nil where no draw meets the constraints.
  private func best(
    of group: [Int], _ estimators: (good: ParzenEstimator, others: ParzenEstimator), after point: Point,
    _ space: Space, number: (_ name: String, _ draw: Int) -> Double
  ) -> Point? {
    let names = group.map { space.parameters[$0].drawName }
    let kernelName = "kernel\t\(names.joined(separator: ","))"
    func with(_ coordinates: [Double]) -> Point {
      var point = point
      for (index, coordinate) in zip(group, coordinates) { point[index] = coordinate }
      return point
    }
    var drawn: [[Double]] = []
    for draw in 0..<(candidates * TPE.drawsPerCandidate) where drawn.count < candidates {
      let coordinates = estimators.good.draw(
        kernel: number(kernelName, draw), names.map { number($0, draw) })
      if space.meetsConstraints(with(coordinates), isComplete: false) { drawn.append(coordinates) }
    }
    let (good, others) = (estimators.good.logDensities(drawn), estimators.others.logDensities(drawn))
    let gains = zip(good, others).map { $0 - $1 }
    guard let greatest = gains.max(), let first = gains.firstIndex(of: greatest) else { return nil }
    return with(drawn[first])
  }
}
