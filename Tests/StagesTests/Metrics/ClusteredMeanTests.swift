// Standard errors and intervals, beside numpy and scipy: `Fixtures/statistics/make_statistics.py`.

import JSON
import Runner
import Stages
import System
import Testing

struct ClusteredMeanTests {
  static func fixture() throws -> JSON {
    let tests = "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
    return try JSON(parsing: try File.read("\(tests)/Fixtures/statistics/statistics.json"))
  }

  private func numbers(_ json: JSON?) throws -> [Double] {
    try #require(json?.arrayValue).compactMap(\.doubleValue)
  }

  private func number(_ value: JSON?) throws -> Double { try #require(value?.doubleValue) }

  private func isClose(_ found: Double, _ expected: Double, _ tolerance: Double) -> Bool {
    abs(found - expected) <= tolerance * max(1e-300, abs(expected))
  }

  /// Sums are in another order than numpy's: 1e-12.
  @Test func `mean, standard error and bootstrap interval are those of numpy`() throws {
    for entry in try Self.fixture()["means"]?.arrayValue ?? [] {
      let values = try (entry["values"]?.arrayValue ?? []).map { try numbers($0) }
      let mean = try #require(ClusteredMean(values))
      let expected = (mean: try number(entry["mean"]), error: try number(entry["se"]))
      #expect(isClose(mean.mean, expected.mean, 1e-12))
      let error = mean.standardError ?? .nan
      #expect(isClose(error, expected.error, 1e-12))
      for entry in entry["intervals"]?.arrayValue ?? [] {
        let (level, resamples) = (try number(entry["level"]), Int(try number(entry["resamples"])))
        let seed = UInt64(try number(entry["seed"]))
        let interval = try mean.bootstrapInterval(level: level, resamples: resamples, seed: seed)
        let found = try #require(interval)
        let expected = try numbers(entry["interval"])
        #expect(isClose(found.lowerBound, expected[0], 1e-12), "\(found), expected \(expected)")
        #expect(isClose(found.upperBound, expected[1], 1e-12), "\(found), expected \(expected)")
      }
    }
  }

  @Test func `a share's interval is Wilson's, as scipy computes it`() throws {
    for entry in try Self.fixture()["shares"]?.arrayValue ?? [] {
      let (count, total) = (Int(try number(entry["count"])), Int(try number(entry["of"])))
      let share = try #require(ClusteredMean((0..<total).map { [$0 < count ? 1 : 0] }))
      let found = share.wilsonInterval(level: try number(entry["level"]))
      let expected = try numbers(entry["interval"])
      #expect(abs(found.lowerBound - expected[0]) < 1e-13, "\(entry.text()): \(found)")
      #expect(abs(found.upperBound - expected[1]) < 1e-13, "\(entry.text()): \(found)")
    }
  }

  @Test func `quantiles of the normal distribution are those of scipy`() throws {
    for entry in try Self.fixture()["quantiles"]?.arrayValue ?? [] {
      let pair = try numbers(entry)
      #expect(abs(normalQuantile(pair[0]) - pair[1]) <= 1e-14 * max(1, abs(pair[1])), "\(pair)")
    }
  }

  /// Copies of one value say no more than the value.
  @Test func `generations of a prompt that agree count once`() throws {
    let once: [[Double]] = [[1], [0], [1], [1], [0], [0], [1]]
    let single = try #require(ClusteredMean(once))
    let copied = try #require(ClusteredMean(once.map { Array(repeating: $0[0], count: 9) }))
    let a = try #require(single.standardError)
    let b = try #require(copied.standardError)
    #expect(isClose(a, b, 1e-14))
    let (narrow, wide) = (single.wilsonInterval(level: 0.9), copied.wilsonInterval(level: 0.9))
    #expect(isClose(narrow.lowerBound, wide.lowerBound, 1e-12))
    #expect(isClose(narrow.upperBound, wide.upperBound, 1e-12))
    // A share without variance counts prompts.
    let all = try #require(ClusteredMean(Array(repeating: [1, 1, 1], count: 5)))
    let five = try #require(ClusteredMean(Array(repeating: [1], count: 5)))
    #expect(all.wilsonInterval(level: 0.95) == five.wilsonInterval(level: 0.95))
  }

  @Test func `one prompt has no standard error and no interval of resampling, and none has no mean`() throws {
    let one = try #require(ClusteredMean([[], [1, 2, 6], []]))
    #expect(one.mean == 3 && one.standardError == nil && one.count == 3)
    #expect(try one.bootstrapInterval(level: 0.95, resamples: 100, seed: 0) == nil)
    #expect(ClusteredMean([[], []]) == nil)
  }

  @Test func `numbers near the ends of the range neither overflow nor vanish`() throws {
    for scale in [1e308, 1e-300] {
      let large = try #require(ClusteredMean([[scale], [-scale], [scale / 2]]))
      let small = try #require(ClusteredMean([[1], [-1], [0.5]]))
      let ratio = (large.standardError ?? 0) / scale
      #expect(isClose(ratio, small.standardError ?? 0, 1e-12))
      let bounds = try large.bootstrapInterval(level: 0.95, resamples: 100, seed: 0)
      let interval = try #require(bounds)
      #expect(interval.lowerBound.isFinite && interval.upperBound > interval.lowerBound)
    }
  }
}
