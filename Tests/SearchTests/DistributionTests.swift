// Distributions: their ends, lattices, shares, and what is refused.

import JSON
import Search
import Testing

struct DistributionTests {
  private static let all: [Distribution] = [
    .values(["a", "b", 3]), .uniform(-1, 2), .uniform(0, 1, step: 0.1), .logUniform(1e-6, 1e-2),
    .logUniform(0.1, 1, step: 0.1), .integers(-3, 4), .integers(0, 100, step: 25),
    .integers(1, 1000, isLogarithmic: true),
  ]

  private func shares(_ axis: Axis, of count: Int) -> [Double] {
    var counts = [String: Int]()
    let draws = 20000
    for draw in 0..<draws {
      let coordinate = axis.coordinate(below: (Double(draw) + 0.5) / Double(draws))
      counts[axis.value(at: coordinate).text(), default: 0] += 1
    }
    return (0..<count).map {
      Double(counts[axis.value(at: axis.coordinate(at: $0)).text()] ?? 0) / Double(draws)
    }
  }

  @Test(arguments: all.indices) func `both ends are reached, and every value finds its way back`(_ index: Int)
    throws
  {
    let axis = try Axis(Self.all[index], of: "p")
    let ends = [axis.coordinate(below: 0), axis.coordinate(below: 1.0.nextDown)]
    switch Self.all[index] {
    case .values(let values): #expect(ends.map(axis.value) == [values[0], values[2]])
    case .integers(let least, let most, _, _):
      #expect(ends.map(axis.value) == [.int(Int64(least)), .int(Int64(most))])
    case .uniform(let least, let most, _), .logUniform(let least, let most, _):
      #expect(abs(ends[0] - least) <= 1e-14 * abs(least) && abs(ends[1] - most) <= 1e-14 * abs(most))
      #expect(ends[0] >= least && ends[1] <= most)
    }
    for draw in 0..<1000 {
      let coordinate = axis.coordinate(below: Double(draw) / 1000)
      #expect(axis.coordinate(of: axis.value(at: coordinate)) == coordinate)
    }
  }

  @Test func `numbers of a lattice are decimal numbers`() throws {
    let axis = try Axis(.uniform(0, 1, step: 0.1), of: "p")
    #expect(axis.count == 11)
    #expect((0...10).map { axis.coordinate(at: $0) } == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1])
    let small = try Axis(.uniform(1e-5, 1e-4, step: 1e-5), of: "p")
    #expect((0...3).map { small.coordinate(at: $0) } == [1e-5, 2e-5, 3e-5, 4e-5])
    let thirds = try Axis(.uniform(0, 1, step: 1.0 / 3), of: "p")
    #expect(thirds.coordinate(at: 3) == 1)
  }

  @Test func `values and lattices are equally likely, logarithmic ones by the half steps about them`() throws
  {
    for (distribution, count) in [
      (Distribution.values(["a", "b", "c", "a"]), 3), (.integers(1, 7), 7),
      (.uniform(0, 0.5, step: 0.05), 11),
    ] {
      for share in shares(try Axis(distribution, of: "p"), of: count) {
        #expect(abs(share - 1 / Double(count)) < 1e-3)
      }
    }
    let logarithm = ElementaryFunctions.logarithm
    let found = shares(try Axis(.integers(1, 8, isLogarithmic: true), of: "p"), of: 8)
    for (place, share) in found.enumerated() {
      let number = Double(place + 1)
      let expected =
        (logarithm(number + 0.5) - logarithm(number - 0.5)) / (logarithm(8.5) - logarithm(0.5))
      #expect(abs(share - expected) < 1e-3)
    }
    let coarse = shares(try Axis(.logUniform(100, 400, step: 100), of: "p"), of: 4)
    #expect(abs(coarse[0] - logarithm(3) / logarithm(9)) < 1e-3)
  }

  @Test func `a logarithmic distribution has as much in each power of ten`() throws {
    let axis = try Axis(.logUniform(1e-6, 1e-2), of: "p")
    for (share, number) in [(0.25, 1e-5), (0.5, 1e-4), (0.75, 1e-3)] {
      #expect(abs(axis.coordinate(below: share) / number - 1) < 1e-14)
    }
  }

  @Test func `the widest distributions stay within their ends`() throws {
    let most = Double.greatestFiniteMagnitude / 2
    let axis = try Axis(.uniform(-most, most), of: "p")
    #expect(axis.coordinate(below: 0) == -most && axis.coordinate(below: 0.5) == 0)
    let limit = 1 << 53
    let integers = try Axis(.integers(-limit, -1), of: "p")
    #expect(integers.value(at: integers.coordinate(below: 0)) == .int(Int64(-limit)))
  }

  @Test func `what is no distribution is refused by name`() {
    let wrong: [(Distribution, SearchError)] = [
      (.values([]), .noValues("p")),
      (.uniform(1, 1), .nothingBetween("p", 1, 1)),
      (.uniform(0, .infinity), .nothingBetween("p", 0, .infinity)),
      (.uniform(-1e308, 1e308), .nothingBetween("p", -1e308, 1e308)),
      (.uniform(0, 1e-305), .nothingBetween("p", 0, 1e-305)),
      (.logUniform(1e300, 1e300.nextUp), .nothingBetween("p", 1e300, 1e300.nextUp)),
      (.integers(5, 2), .nothingBetween("p", 5, 2)),
      (.logUniform(0, 1), .notPositive("p", 0)),
      (.integers(0, 8, isLogarithmic: true), .notPositive("p", 0)),
      (.uniform(0, 1, step: 0), .badStep("p", 0)),
      (.integers(0, 4, step: -1), .badStep("p", -1)),
      (.uniform(0, 1, step: 0.3), .stepMissesEnd("p", least: 0, most: 1, step: 0.3)),
      (.uniform(0, 1, step: 2), .stepMissesEnd("p", least: 0, most: 1, step: 2)),
      (.integers(1, 8, step: 2), .stepMissesEnd("p", least: 1, most: 8, step: 2)),
      (.logUniform(0.1, 1.1, step: 0.2), .stepTooLong("p", least: 0.1, step: 0.2)),
      (.integers(0, Int.max), .integerTooLarge("p", Int.max)),
    ]
    for (distribution, error) in wrong {
      #expect(searchError { _ = try Axis(distribution, of: "p") } == error)
      #expect(error.description.contains("`p`"))
    }
  }
}
