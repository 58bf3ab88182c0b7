// A density over some parameters, estimated from points: what the good trials, or the others, have in common.

/// A mixture of one kernel for each observation and one for the prior, each a product over the axes.
///
/// - Weights: 1 for the newest 25 observations, before them rising in equal steps from 1/n to 1; 1 for the prior; divided by their sum.
/// - Numbers, on the scale where the prior is uniform: a normal distribution cut off at the edges. Its deviation is the greater of the
///   distances to the neighbours on either side, where the first and the last have one neighbour, and a single one has the edges;
///   at least the range divided by min(100, 2 + n), at most the range. The prior's mean is the middle, its deviation the range.
/// - On a lattice a number's share is that of the interval from half a step below to half a step above.
/// - Categories of c: the observed one has (1 + 1/(n + 1))/(1 + c/(n + 1)), each other one (1/(n + 1))/(1 + c/(n + 1)); the prior 1/c.
///
/// These are the choices of the TPESampler of Optuna 5.0. Source: Bergstra and others, Algorithms for hyper-parameter optimization (2011), for
/// the neighbours and the prior; Falkner, Klein and Hutter, BOHB (2018), for the product over axes in one mixture.
package struct ParzenEstimator {
  private let axes: [Axis]
  private let columns: [Column]
  /// One for each kernel, the prior's last; with their sums up to each.
  private let logWeights: [Double]
  private let weightSums: [Double]

  private enum Column {
    case categories(places: [Int], chosen: Double, other: Double, count: Int)
    case numbers(Axis.Numbers, Kernels)
  }

  /// Normal distributions cut off at the edges, on the scale of the axis. On a lattice many observations have the same one.
  private struct Kernels {
    /// For each kernel its place in the lists below, the prior's last.
    var places: [Int] = []
    var means: [Double] = []
    var deviations: [Double] = []
    /// The share of the whole normal distribution that lies below the low edge, and between the edges.
    var below: [Double] = []
    var inside: [Double] = []
    /// The logarithm of what a density or a mass is divided by.
    var logDivisors: [Double] = []
  }

  /// `observations`: for each axis the coordinates, in the order of the trials.
  package init(_ axes: [Axis], _ observations: [[Double]]) {
    self.axes = axes
    columns = zip(axes, observations).map { axis, coordinates in
      switch axis {
      case .categories(let values): Self.categories(coordinates.map { Int($0) }, count: values.count)
      case .numbers(let numbers): .numbers(numbers, Self.kernels(numbers, coordinates))
      }
    }
    let weights = Self.weights(observations.first?.count ?? 0)
    var sum = 0.0
    for weight in weights { sum += weight }
    logWeights = weights.map { ElementaryFunctions.logarithm($0 / sum) }
    var sums: [Double] = []
    var total = 0.0
    for weight in weights {
      total += weight / sum
      sums.append(total)
    }
    weightSums = sums
  }

  private static func weights(_ count: Int) -> [Double] {
    let rising = max(count - 25, 0)
    let least = 1 / Double(max(count, 1))
    let weights = (0..<count).map { index -> Double in
      guard index < rising else { return 1 }
      return rising == 1 ? least : least + (1 - least) * Double(index) / Double(rising - 1)
    }
    return weights + [1]
  }

  private static func categories(_ places: [Int], count: Int) -> Column {
    let smoothing = 1 / Double(places.count + 1)
    let sum = 1 + Double(count) * smoothing
    return .categories(
      places: places, chosen: (1 + smoothing) / sum, other: smoothing / sum, count: count)
  }

  private static func kernels(_ numbers: Axis.Numbers, _ coordinates: [Double]) -> Kernels {
    let (low, high) = numbers.edges
    let range = high - low
    let least = range / min(100, Double(2 + coordinates.count))
    let means = coordinates.map(numbers.scaled)
    let order = means.indices.sorted { (means[$0], $0) < (means[$1], $1) }
    var kernels = Kernels()
    kernels.places = [Int](repeating: 0, count: means.count + 1)
    for (place, index) in order.enumerated() {
      let mean = means[index]
      let left = place > 0 ? mean - means[order[place - 1]] : nil
      let right = place + 1 < order.count ? means[order[place + 1]] - mean : nil
      let distance = left == nil && right == nil ? max(mean - low, high - mean) : max(left ?? 0, right ?? 0)
      let deviation = min(max(distance, least), range)
      if kernels.means.last != mean || kernels.deviations.last != deviation {
        kernels.means.append(mean)
        kernels.deviations.append(deviation)
      }
      kernels.places[index] = kernels.means.count - 1
    }
    kernels.places[means.count] = kernels.means.count
    kernels.means.append(0.5 * (low + high))
    kernels.deviations.append(range)
    for (mean, deviation) in zip(kernels.means, kernels.deviations) {
      let (a, b) = ((low - mean) / deviation, (high - mean) / deviation)
      let inside = NormalDistribution.between(a, b)
      kernels.below.append(NormalDistribution.below(a))
      kernels.inside.append(inside)
      // The root of 2π belongs to the density of a normal distribution, as the deviation does.
      let divisor = numbers.step == nil ? inside * deviation * 2.5066282746310002 : inside
      kernels.logDivisors.append(ElementaryFunctions.logarithm(divisor))
    }
    return kernels
  }

  // MARK: draws

  /// One point from numbers in [0, 1): one that chooses the kernel, and one for each axis.
  package func draw(kernel number: Double, _ numbers: [Double]) -> [Double] {
    let kernel = min(weightSums.firstIndex { number < $0 } ?? .max, weightSums.count - 1)
    return columns.indices.map { column in
      let number = numbers[column]
      switch columns[column] {
      case .categories(let places, let chosen, let other, let count):
        guard kernel < places.count else { return axes[column].coordinate(below: number) }
        var sum = 0.0
        for place in 0..<count {
          sum += place == places[kernel] ? chosen : other
          if number < sum { return Double(place) }
        }
        return Double(count - 1)
      case .numbers(let axis, let kernels):
        let place = kernels.places[kernel]
        let share = kernels.below[place] + number * kernels.inside[place]
        let position = kernels.means[place] + kernels.deviations[place] * NormalDistribution.quantile(share)
        let (low, high) = axis.edges
        return axis.nearest(axis.unscaled(min(max(position, low), high)))
      }
    }
  }

  // MARK: densities

  /// The natural logarithm of the density at each point: of the mass for categories and lattices, of the density on the scale where the prior
  /// is uniform for other numbers.
  package func logDensities(_ points: [[Double]]) -> [Double] {
    // For each axis, what the numbers of a lattice have under each kernel: many points share a number.
    var known = [[Double: [Double]]](repeating: [:], count: columns.count)
    return points.map { point in
      var terms = logWeights
      for (column, kernels) in columns.enumerated() {
        switch kernels {
        case .categories(let places, let chosen, let other, let count):
          let place = Int(point[column])
          let (logChosen, logOther) = (
            ElementaryFunctions.logarithm(chosen), ElementaryFunctions.logarithm(other)
          )
          for kernel in places.indices { terms[kernel] += places[kernel] == place ? logChosen : logOther }
          terms[places.count] -= ElementaryFunctions.logarithm(Double(count))
        case .numbers(let axis, let kernels):
          let number = point[column]
          let added = known[column][number] ?? Self.logDensities(of: number, axis, kernels)
          if axis.step != nil { known[column][number] = added }
          for (kernel, place) in kernels.places.enumerated() { terms[kernel] += added[place] }
        }
      }
      return Self.logarithmOfSum(terms)
    }
  }

  /// Under each of the distributions.
  private static func logDensities(of number: Double, _ axis: Axis.Numbers, _ kernels: Kernels) -> [Double] {
    guard let step = axis.step else {
      let position = axis.scaled(number)
      return kernels.means.indices.map {
        let distance = (position - kernels.means[$0]) / kernels.deviations[$0]
        return -0.5 * distance * distance - kernels.logDivisors[$0]
      }
    }
    let (low, high) = (axis.scaled(number - step / 2), axis.scaled(number + step / 2))
    return kernels.means.indices.map {
      let (mean, deviation) = (kernels.means[$0], kernels.deviations[$0])
      let mass = NormalDistribution.between((low - mean) / deviation, (high - mean) / deviation)
      return ElementaryFunctions.logarithm(mass) - kernels.logDivisors[$0]
    }
  }

  /// ln Σ e^t. The prior's term is finite, so that the greatest is.
  private static func logarithmOfSum(_ terms: [Double]) -> Double {
    let greatest = terms.max() ?? -.infinity
    var sum = 0.0
    // What is left out is under 1e-26 of the sum, which has 53 bits.
    for term in terms where term > greatest - 60 { sum += ElementaryFunctions.exponential(term - greatest) }
    return greatest + ElementaryFunctions.logarithm(sum)
  }
}
