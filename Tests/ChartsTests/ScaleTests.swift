import Charts
import Testing

@Suite struct ScaleTests {
  @Test(arguments: [
    ([0.05, 0.95], 5, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]), ([1, 2], 6, ["1", "2"]),
    ([0.31, 0.57], 4, ["0.3", "0.4", "0.5", "0.6"]),
    ([-3, 12], 4, ["-5", "0", "5", "10", "15"]),
    ([1, 2, 3], 2, ["1", "2", "3"]),
    ([0, 120_000], 3, ["0", "50000", "100000", "150000"]),
    ([0, 3e6], 3, ["0", "1e+06", "2e+06", "3e+06"]),
    ([0, 2e-5], 2, ["0", "1e-05", "2e-05"]),
  ]) func `ticks are round numbers around the values`(_ values: [Double], _ count: Int, _ labels: [String]) {
    let scale = Scale(values, ticks: count)
    #expect(scale.ticks.map(scale.label) == labels)
    #expect(values.allSatisfy { (0...1).contains(scale.share($0)) })
  }

  @Test(arguments: [[], [4.0], [0.0, 0.0], [.nan, .infinity], [-2, -2]])
  func `there is an axis around anything`(
    _ values: [Double]
  ) {
    let scale = Scale(values, ticks: 4)
    #expect(scale.least < scale.most && scale.ticks.count >= 2 && scale.ticks.allSatisfy(\.isFinite))
    for value in values where value.isFinite { #expect((0.2...0.8).contains(scale.share(value))) }
  }
}
