import JSON
import Testing

@Suite struct JSONReaderTests {
  @Test(arguments: [
    ("{\"a\":1,\"b\":[1.5,true,null,\"x\\u00e9\\n\"]}", "{\"a\":1,\"b\":[1.5,true,null,\"xé\\n\"]}"),
    (" [ ] ", "[]"), ("-0", "0"), ("1e3", "1000.0"), ("\"\\ud83d\\ude00\"", "\"😀\""),
    ("9223372036854775807", "9223372036854775807"),
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
    ("\"\\ud800\"", "1:8: lone surrogate in a string"),
    ("nul", "1:1: expected `null`"),
    ("[1] x", "1:5: unexpected text after the value"),
  ])
  func `says where and why a text is not JSON`(text: String, message: String) {
    #expect { try JSON(parsing: text) } throws: { "\($0)" == message }
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
