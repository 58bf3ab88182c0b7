// Random numbers beside Python's.

import JSON
import Search
import Testing

struct UnitNumberTests {
  @Test func `a number is the one that Python computes`() throws {
    let cases = try #require(fixture()["numbers"]?.arrayValue)
    try #require(cases.count == 5)
    for item in cases {
      let parts = try #require(item.arrayValue)
      let number = UnitNumber.at(
        seed: try #require(parts[0].intValue), trial: try #require(parts[1].intValue),
        name: try #require(parts[2].stringValue), element: try #require(parts[3].intValue))
      #expect(number == parts[4].doubleValue)
    }
  }

  @Test func `numbers are uniform`() {
    let numbers = (0..<4000).map { UnitNumber.at(seed: 3, trial: $0, name: "lr", element: 0) }
    for tenth in 0..<10 {
      let count = numbers.count { Int($0 * 10) == tenth }
      // 400 with a standard deviation of 19.
      #expect(abs(count - 400) < 76, "\(count) in tenth \(tenth)")
    }
  }
}
