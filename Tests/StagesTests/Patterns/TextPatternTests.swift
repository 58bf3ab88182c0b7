// Regular expressions: what Python's `re` finds, what is refused, and that hostile ones take no longer.

import JSON
import Stages
import System
import Testing

@Suite struct TextPatternTests {
  private static let fixture =
    "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
    + "/Fixtures/patterns/patterns.jsonl"

  @Test func `what is found first is what Python finds`() throws {
    let lines = try File.read(Self.fixture).split(separator: UInt8(ascii: "\n"))
    #expect(lines.count > 500)
    for line in lines {
      let entry = try #require(try JSON(parsing: Array(line)).arrayValue)
      let (source, text) = (try #require(entry[0].stringValue), try #require(entry[1].stringValue))
      let pattern = try TextPattern(source)
      let match = try pattern.firstMatch(in: text)
      let range: JSON =
        match.map { [.int(Int64($0.range.lowerBound)), .int(Int64($0.range.upperBound))] } ?? .null
      let groups: JSON =
        match.map { match in
          .array(pattern.groupNames.indices.map { match.text(ofGroup: $0).map { .string($0) } ?? .null })
        } ?? .null
      #expect(range == entry[2] && groups == entry[3], "\(JSON.array(entry).text()): \(range) \(groups)")
    }
  }

  @Test(
    arguments: [
      ("(a", "character 1: `(` is not closed; as text it is written `\\(`"),
      ("a)", "character 2: `)` has no `(` before it; as text it is written `\\)`"),
      ("[a", "character 1: `[` is not closed; as text it is written `\\[`"),
      ("*a", "character 1: `*` has nothing to repeat; as text it is written `\\*`"),
      ("a**", "character 3: `*` repeats a repetition; put that into `(?:…)`"),
      (
        "a*+",
        "character 3: possessive repetition is not possible in linear time; write `*`, `+` or `?` alone"
      ),
      ("^*", "character 3: what is repeated is a place and no text"),
      ("a{3,2}", "character 7: a repetition from 3 to 2"),
      ("a{1001}", "character 8: a repetition counts at most to 1000"),
      ("(a)\\1", "character 5: `\\1` looks back at a group, which is not possible in linear time"),
      ("\\k", "character 2: `\\k` is not known"),
      ("a\\", "character 3: `\\` is followed by nothing; as text it is written `\\\\`"),
      ("\\x4", "character 4: 2 hexadecimal digits are expected"),
      (
        "[b-a]",
        "character 5: a range of characters that does not ascend; `-` as text stands last in the class"
      ),
      ("(?<a>x)(?<a>y)", "character 11: two groups are called `a`"),
      ("(?<1>x)", "character 4: a group's name is letters, digits and `_`, and `>` ends it"),
      ("(?ia)x", "character 3: the flag `a` is not known; known are `i`, `m` and `s`"),
    ])
  func `a wrong expression is refused at its place`(source: String, message: String) {
    #expect { try TextPattern(source) } throws: { "\($0)" == message }
  }

  @Test(arguments: ["(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", "(?>a)b", "(?(1)a|b)", "a(?i)b"])
  func `what looks around is refused`(source: String) {
    #expect {
      try TextPattern(source)
    } throws: { "\($0)".contains("not possible in linear time, or not known") }
  }

  @Test func `expressions that take others exponential time take none`() throws {
    let text = String(repeating: "a", count: 2000)
    for source in ["(?:a+)+b", "(?:a|a)*b", "(?:a|aa)+b", "(?:.*)*b", "(?:a?){50}a{50}b"] {
      let started = ContinuousClock.now
      let found = try TextPattern(source).firstMatch(in: text)?.text
      #expect(found == nil && ContinuousClock.now - started < .seconds(10), "\(source)")
    }
    #expect(throws: TextPattern.TooManySteps.self) {
      try TextPattern("(?:a?){1000}b", mostSteps: 100_000).firstMatch(in: text)
    }
  }

  @Test func `an expression that would become too large, or nests too deep, is refused`() {
    for source in [
      "(?:(?:(?:a{1000}){1000}){1000}){1000}", "(?:(?:(?:(?:){1000}){1000}){1000}){1000}",
      String(repeating: "(", count: 200) + String(repeating: ")", count: 200),
    ] {
      #expect(throws: PatternError.self, "\(source.prefix(40))") { try TextPattern(source) }
    }
  }
}
