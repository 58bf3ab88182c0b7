// A distribution that was checked, as a coordinate: the place of a value in its list, or the number itself.

import JSON

/// The coordinate of a value is its place in `categories`, from 0, or its number.
package enum Axis: Sendable {
  case categories([JSON])
  case numbers(Numbers)

  package struct Numbers: Sendable {
    let least: Double
    let most: Double
    /// Nil where every number between the ends is possible.
    let step: Double?
    let isLogarithmic: Bool
    let isInteger: Bool
    /// Decimal places of the lattice's numbers; nil where they have more than a double holds.
    fileprivate let decimals: Int?

    /// The last place on the lattice; the first is 0.
    var lastPlace: Double { step.map { ((most - least) / $0).rounded() } ?? 0 }

    /// The number at a place of the lattice. With few decimal places it is the double nearest to the decimal number: 0.3, not 0.1 * 3.
    func number(at place: Double) -> Double {
      guard let step else { return least }
      let number = min(max(least + place * step, least), most)
      guard !isInteger, let decimals else { return number }
      let scale = Numbers.power(decimals)
      return (number * scale).rounded() / scale
    }

    /// The nearest possible number.
    func nearest(_ number: Double) -> Double {
      guard let step else { return min(max(number, least), most) }
      let place = ((number - least) / step).rounded()
      return self.number(at: min(max(place, 0), lastPlace))
    }

    /// On the scale where the distribution is uniform.
    func scaled(_ number: Double) -> Double {
      isLogarithmic ? ElementaryFunctions.logarithm(number) : number
    }
    func unscaled(_ position: Double) -> Double {
      isLogarithmic ? ElementaryFunctions.exponential(position) : position
    }

    /// The ends on that scale. A number of a lattice stands for the half step on either side.
    var edges: (low: Double, high: Double) {
      let half = (step ?? 0) / 2
      return (scaled(least - half), scaled(most + half))
    }

    fileprivate static func power(_ decimals: Int) -> Double {
      var power = 1.0
      for _ in 0..<decimals { power *= 10 }
      return power
    }
  }

  /// How many values there are; nil for every number between two ends.
  package var count: Int? {
    switch self {
    case .categories(let values): values.count
    case .numbers(let numbers): numbers.step == nil ? nil : Int(numbers.lastPlace) + 1
    }
  }

  /// The coordinate of a value by its place, from 0 to `count` - 1.
  package func coordinate(at place: Int) -> Double {
    switch self {
    case .categories: Double(place)
    case .numbers(let numbers): numbers.number(at: Double(place))
    }
  }

  /// The coordinate of which a share `number`, in [0, 1), lies below.
  package func coordinate(below number: Double) -> Double {
    switch self {
    case .categories(let values):
      return min((number * Double(values.count)).rounded(.down), Double(values.count - 1))
    case .numbers(let numbers):
      if numbers.step != nil, !numbers.isLogarithmic {
        let place = (number * (numbers.lastPlace + 1)).rounded(.down)
        return numbers.number(at: min(place, numbers.lastPlace))
      }
      let (low, high) = numbers.edges
      return numbers.nearest(numbers.unscaled(low * (1 - number) + high * number))
    }
  }

  package func value(at coordinate: Double) -> JSON {
    switch self {
    case .categories(let values):
      let place = Int(coordinate)
      return values.indices.contains(place) ? values[place] : .null
    case .numbers(let numbers):
      return numbers.isInteger ? .int(Int64(coordinate)) : .double(coordinate)
    }
  }

  /// Nil for what is not a value of it.
  package func coordinate(of value: JSON) -> Double? {
    switch self {
    case .categories(let values):
      return values.firstIndex(of: value).map(Double.init)
    case .numbers(let numbers):
      guard let number = value.doubleValue, number >= numbers.least, number <= numbers.most,
        numbers.step == nil || numbers.nearest(number) == number
      else { return nil }
      return number
    }
  }

  // MARK: from what is declared

  /// - Throws: `SearchError`, which names the parameter.
  package init(_ distribution: Distribution, of parameter: String) throws(SearchError) {
    switch distribution {
    case .values(let values):
      var distinct: [JSON] = []
      for value in values where !distinct.contains(value) { distinct.append(value) }
      guard !distinct.isEmpty else { throw .noValues(parameter) }
      self = .categories(distinct)
    case .uniform(let least, let most, let step):
      self = try Axis(least, most, step, isLogarithmic: false, isInteger: false, parameter)
    case .logUniform(let least, let most, let step):
      self = try Axis(least, most, step, isLogarithmic: true, isInteger: false, parameter)
    case .integers(let least, let most, let step, let isLogarithmic):
      let limit = 1 << 53
      for number in [least, most, step] where !(-limit...limit).contains(number) {
        throw .integerTooLarge(parameter, number)
      }
      self = try Axis(
        Double(least), Double(most), Double(step), isLogarithmic: isLogarithmic, isInteger: true, parameter)
    }
  }

  private init(
    _ least: Double, _ most: Double, _ step: Double?, isLogarithmic: Bool, isInteger: Bool,
    _ parameter: String
  ) throws(SearchError) {
    guard least.isFinite, most.isFinite, least < most else { throw .nothingBetween(parameter, least, most) }
    if isLogarithmic, least <= 0 { throw .notPositive(parameter, least) }
    if let step {
      guard step.isFinite, step > 0 else { throw .badStep(parameter, step) }
      let places = (most - least) / step
      guard places < 0x1p53, abs(places - places.rounded()) <= 1e-9 * max(1, places), places.rounded() >= 1
      else { throw .stepMissesEnd(parameter, least: least, most: most, step: step) }
      if isLogarithmic, least <= step / 2 { throw .stepTooLong(parameter, least: least, step: step) }
    }
    let numbers = Numbers(
      least: least, most: most, step: step, isLogarithmic: isLogarithmic, isInteger: isInteger,
      decimals: step.flatMap { Axis.decimals(of: [least, most, $0]) })
    // Also on the scale of the distribution, with room for parts of it.
    let (low, high) = numbers.edges
    guard high - low > 1e-300, (high - low).isFinite else { throw .nothingBetween(parameter, least, most) }
    self = .numbers(numbers)
  }

  /// Decimal places that all these numbers need, where scaling by them is exact.
  private static func decimals(of numbers: [Double]) -> Int? {
    let most = numbers.map { number -> Int in
      let parts = number.description.split(separator: "e")
      let places = parts[0].split(separator: ".").dropFirst().first.map { $0 == "0" ? 0 : $0.utf8.count } ?? 0
      return places - (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    }.reduce(0, max)
    let size = numbers.map { abs($0) }.reduce(0, max)
    guard most <= 22, size * Numbers.power(most) < 0x1p53 else { return nil }
    return most
  }
}
