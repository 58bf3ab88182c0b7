// The estimated density beside Optuna's, and as a density.

import JSON
import Search
import Testing

struct ParzenEstimatorTests {
  private func axis(_ json: JSON) throws -> Axis {
    func ends(_ json: JSON?) -> (Double, Double)? {
      guard let ends = json?.arrayValue?.compactMap(\.doubleValue), ends.count == 2 else { return nil }
      return (ends[0], ends[1])
    }
    let distribution: Distribution
    if let (least, most) = ends(json["log_uniform"]) {
      distribution = .logUniform(least, most)
    } else if let (least, most) = ends(json["uniform"]) {
      distribution = .uniform(least, most, step: json["step"]?.doubleValue)
    } else if let (least, most) = ends(json["integers"]) {
      distribution = .integers(
        Int(least), Int(most), step: json["step"]?.intValue ?? 1, isLogarithmic: json["log"] == true)
    } else {
      distribution = .values((0..<Int64(try #require(json["values"]?.intValue))).map { .int($0) })
    }
    return try Axis(distribution, of: "p")
  }

  private func matrix(_ json: JSON?) throws -> [[Double]] {
    try #require(json?.arrayValue).map { try #require($0.arrayValue).map { try #require($0.doubleValue) } }
  }

  @Test func `densities are those of Optuna`() throws {
    let cases = try #require(fixture()["estimators"]?.arrayValue)
    try #require(cases.count == 25)
    for (index, item) in cases.enumerated() {
      let axes = try #require(item["axes"]?.arrayValue).map { try axis($0) }
      let estimator = ParzenEstimator(axes, try matrix(item["observations"]))
      let found = estimator.logDensities(try matrix(item["points"]))
      let expected = try #require(item["log_densities"]?.arrayValue).map { try #require($0.doubleValue) }
      try #require(found.count == 12 && expected.count == 12)
      for (found, expected) in zip(found, expected) {
        #expect(
          abs(found - expected) < 1e-11 * max(1, abs(expected)), "case \(index): \(found), not \(expected)")
      }
    }
  }

  @Test func `draws have the density`() throws {
    let axes = try [
      Axis(.integers(1, 6, isLogarithmic: true), of: "a"), Axis(.values(["x", "y"]), of: "b"),
      Axis(.uniform(0, 1, step: 0.5), of: "c"), Axis(.logUniform(0.5, 2.5, step: 0.5), of: "d"),
    ]
    let estimator = ParzenEstimator(axes, [[2, 5, 5], [0, 1, 1], [0.5, 1, 0], [1, 1, 2]])
    var points: [[Double]] = []
    for a in 1...6 {
      for b in 0...1 {
        for c in 0...2 {
          for d in 1...5 {
            points.append([Double(a), Double(b), Double(c) / 2, Double(d) / 2])
          }
        }
      }
    }
    let shares = estimator.logDensities(points).map(ElementaryFunctions.exponential)
    #expect(abs(shares.reduce(0, +) - 1) < 1e-12)
    var counts = [[Double]: Int]()
    let draws = 20000
    for draw in 0..<draws {
      let numbers = (0..<5).map { UnitNumber.at(seed: 1, trial: draw, name: "p", element: $0) }
      counts[estimator.draw(kernel: numbers[4], Array(numbers[..<4])), default: 0] += 1
    }
    #expect(counts.keys.allSatisfy(points.contains))
    for (point, share) in zip(points, shares) {
      let expected = share * Double(draws)
      #expect(abs(Double(counts[point] ?? 0) - expected) < 5 * expected.squareRoot() + 1, "\(point)")
    }
  }

  @Test func `a density of numbers sums to one`() throws {
    let axis = try Axis(.logUniform(1e-3, 10), of: "p")
    let estimator = ParzenEstimator([axis], [[1e-3, 0.02, 0.021, 5]])
    let (low, high) = (ElementaryFunctions.logarithm(1e-3), ElementaryFunctions.logarithm(10))
    let cells = 2000
    let width = (high - low) / Double(cells)
    let points = (0..<cells).map { [ElementaryFunctions.exponential(low + (Double($0) + 0.5) * width)] }
    let sum = estimator.logDensities(points).map { ElementaryFunctions.exponential($0) * width }.reduce(0, +)
    #expect(abs(sum - 1) < 1e-4)
  }

  @Test func `without observations the density is the prior`() throws {
    let axes = try [Axis(.values([1, 2, 3, 4]), of: "a"), Axis(.integers(1, 5), of: "b")]
    let estimator = ParzenEstimator(axes, [[], []])
    #expect(abs(estimator.draw(kernel: 0.99, [0.6, 0.5])[0] - 2) < 1e-9)
    let density = estimator.logDensities([[0, 3], [3, 3]])
    #expect(density[0] == density[1])
  }
}
