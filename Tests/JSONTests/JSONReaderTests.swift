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

  /// Strings are read and written by the word: what stands in each place of one must be seen.
  @Test func `every character at every place of a string is read and written as RFC 8259 says`() throws {
    let scalars: [Unicode.Scalar] =
      (0..<0x80).map { Unicode.Scalar(UInt8($0)) } + [
        "é", "\u{2027}", "\u{2028}", "\u{2029}", "\u{202A}", "€", "😀",
      ]
    for scalar in scalars {
      for before in 0..<10 {
        for after in [0, 1, 9] {
          let plain =
            String(repeating: "a", count: before) + String(scalar) + String(repeating: "q", count: after)
          let escaped: String
          switch scalar {
          case "\"", "\\": escaped = "\\\(scalar)"
          case "\n": escaped = "\\n"
          case "\r": escaped = "\\r"
          case "\t": escaped = "\\t"
          case "\u{0}"..<"\u{20}", "\u{7F}":
            escaped = "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
          case "\u{2028}": escaped = "\\u2028"
          case "\u{2029}": escaped = "\\u2029"
          default: escaped = String(scalar)
          }
          let written = JSON.string(plain).text()
          #expect(
            written == "\"" + String(repeating: "a", count: before) + escaped
              + String(repeating: "q", count: after) + "\"")
          #expect(try JSON(parsing: written) == .string(plain))
          // As it stands it is an end, an escape, a control character or itself.
          let bare = Result { try JSON(parsing: "\"\(plain)\"") }
          let isItself = scalar.value >= 0x20 && scalar != "\"" && scalar != "\\"
          #expect((try? bare.get()) == (isItself ? .string(plain) : nil), "\(scalar.value) after \(before)")
        }
      }
    }
  }

  @Test(arguments: [
    ("\"aaaaaaaaaaaa\\q", "1:15: unknown escape in a string"),
    ("\"a\\n\u{1}", "1:5: unescaped control character in a string"),
    ("\"aaaaaaaa\u{1f}\"", "1:10: unescaped control character in a string"),
    ("\"aaaaaaaaa\\nbbbbbbbbb", "1:1: unterminated string"),
    ("\"\\", "1:3: unterminated string"), ("\"a\\u12", "1:5: unterminated \\u escape"),
  ])
  func `a string that is wrong is refused where it is wrong`(text: String, message: String) {
    #expect { try JSON(parsing: text) } throws: { "\($0)" == message }
  }

  @Test func `bytes that are no UTF-8 are refused at the first, behind escapes too`() {
    for before in ["", "aaaaaaaaa", "a\\n", "\\u00e9bbbbbbbbb"] {
      let bytes = Array("\"\(before)".utf8) + [0xFF, 0x61, 0x22]
      #expect { try JSON(parsing: bytes) } throws: {
        "\($0)" == "1:\(before.utf8.count + 2): string is not valid UTF-8"
      }
    }
  }

  @Test(arguments: [
    "0", "-1", "999999999999999999", "-999999999999999999", "9223372036854775807", "-9223372036854775808",
  ])
  func `integers of every length keep their digits`(text: String) throws {
    guard case .int(let value) = try JSON(parsing: text) else {
      Issue.record("no integer")
      return
    }
    #expect(String(value) == text)
  }
}
