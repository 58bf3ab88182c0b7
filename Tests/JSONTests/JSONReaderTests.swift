import JSON
import Testing

@Suite struct JSONReaderTests {
  @Test(arguments: [
    ("{\"a\":1,\"b\":[1.5,true,null,\"x\\u00e9\\n\"]}", "{\"a\":1,\"b\":[1.5,true,null,\"xé\\n\"]}"),
    (" [ ] ", "[]"), ("-0", "0"), ("1e3", "1000.0"), ("\"\\ud83d\\ude00\"", "\"😀\""),
    ("9223372036854775807", "9223372036854775807"),
    ("[9223372036854775808,-9223372036854775809]", "[9223372036854775808,-9223372036854775809]"),
    ("12345678901234567890123", "12345678901234567890123"),
    ("[1.10,1E2,-0.0,0.1000000000000000055]", "[1.1,100.0,-0.0,0.1]"),
  ])
  func `reads and writes back`(text: String, expected: String) throws {
    #expect(try JSON(parsing: text).text() == expected)
  }

  @Test(arguments: [
    ("", "1:1: expected a value, found the end of the text"),
    ("{\"a\":1,\n\"a\":2}", "2:1: duplicate key `a`"),
    ("[1,]", "1:4: expected a value, found `]`"),
    ("01", "1:1: a number may not start with 0"),
    ("1e999", "1:1: number out of range"),
    (String(repeating: "9", count: 400), "1:1: number out of range"),
    ("\"\\ud800\"", "1:8: lone surrogate in a string"),
    ("nul", "1:1: expected `null`"),
    ("[1] x", "1:5: unexpected text after the value"),
  ])
  func `says where and why a text is not JSON`(text: String, message: String) {
    #expect { try JSON(parsing: text) } throws: { "\($0)" == message }
  }

  @Test func `integers beyond 64 bits are told apart by each digit and still count as numbers`() throws {
    let values = try JSON(parsing: "[12345678901234567890,12345678901234567891,1e19]").arrayValue ?? []
    try #require(values.count == 3)
    #expect(values[0] != values[1])
    #expect(values[0].doubleValue == values[1].doubleValue)
    #expect(values[0].intValue == nil)
    #expect(values[0].kind == "an integer beyond 64 bits")
    #expect(try JSON(parsing: "10000000000000000000") == values[2])
  }

  @Test func `nesting is bounded`() {
    let text = String(repeating: "[", count: 100_000)
    #expect { try JSON(parsing: text) } throws: { "\($0)".contains("nested deeper than 64") }
  }

  @Test func `keys that differ only by Unicode composition are two keys`() throws {
    let value = try JSON(parsing: "{\"\u{e9}\":1,\"e\u{301}\":2}")
    #expect(value["\u{e9}"] == 1)
    #expect(value["e\u{301}"] == 2)
  }

  @Test func `canonical text does not depend on the order of members`() throws {
    let a = try JSON(parsing: "{\"b\":1,\"a\":{\"d\":2,\"c\":3}}")
    let b = try JSON(parsing: "{\"a\":{\"c\":3,\"d\":2},\"b\":1}")
    #expect(a.text(.canonical) == b.text(.canonical))
    #expect(a.text(.canonical) == "{\"a\":{\"c\":3,\"d\":2},\"b\":1}")
  }
}
