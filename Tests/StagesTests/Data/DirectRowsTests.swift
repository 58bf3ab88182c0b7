// Rows that `data` makes of the text of a line: they are the bytes that it makes of the line's values.

import JSON
import Runner
import Stages
import System
import Testing

struct DirectRowsTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  /// The bytes of the rows, or the error; and what was left out. `strip: []` changes no row, and lets no row be made directly.
  private func result(_ text: String, _ options: [(String, JSON)], isDirect: Bool) throws -> [String] {
    let path = try bench.file("data.jsonl", text)
    bench.reporter.lines.withLock { $0 = [] }
    let all = [("path", JSON.string(path))] + options + (isDirect ? [] : [("strip", [])])
    var rows = ""
    let error = inputError {
      try bench.run(DataStage(), .object(JSONObject(all.map { ($0.0, $0.1) })))
      rows = String(decoding: try File.read("\(bench.directory)/out/rows.jsonl"), as: UTF8.self)
    }
    return [rows, error] + bench.reporter.lines.withLock { $0 }
  }

  private static let options: [[(String, JSON)]] = [
    [("id", "id"), ("keep", ["label"])], [("keep", ["label"])], [],
    [("id", "id"), ("keep", ["again": "prompt", "l": "label", "naïve \"key\"": "label"])],
    [("prompt", "{id}"), ("id", "id")], [("prompt", "{a.b}"), ("keep", ["a"])],
  ]

  private static let lines = [
    #"{"id":"a","prompt":"p","label":"x"}"#, #" { "id" : "b" , "prompt" : "p\n\"q\"" , "label" : null } "#,
    #"{"label":[1,2,["x"]],"prompt":"é 日本 😀","id":"c"}"#, #"{"id":7,"prompt":1.50,"label":1e2}"#,
    #"{"id":-8,"prompt":true,"label":{"b":1,"a":{"d":2,"c":3}}}"#,
    #"{"id":"d\u0065","prompt":"\u00e9\/\ud83d\ude00\u2028","label":"\u007f"}"#,
    "{\"id\":\"\u{2028}\",\"prompt\":\"\u{2028}\u{7F}—\",\"label\":-0}",
    #"{"id":12345678901234567890123,"prompt":12345678901234567890123,"label":[ 1 ]}"#,
    #"{"id":"e","prompt":"","label":0.1000000000000000055,"more":[{"x":1}],"empty":{}}"#,
    #"{"prompt":"p","id":"f","label":"","é":"ü","\u0061":{"b":"nested"}}"#,
    #"{"a.b":"whole","id":"g","prompt":"p","label":1,"a":{"b":"inner"}}"#,
    "{\"id\":\"h\",\"prompt\":\"p\",\"label\":\"x\"}\r",
  ]
  private static let badLines = [
    #"{"id":"i","prompt":null,"label":1}"#, #"{"id":"j","prompt":[1],"label":1}"#, #"{"id":"k","label":1}"#,
    #"{"id":"l","prompt":"p"}"#, #"{"id":"","prompt":"p","label":1}"#, #"{"id":1.5,"prompt":"p","label":1}"#,
    #"{"id":"m","prompt":"p","label":1,"id":"n"}"#, #"{"id":"o","prompt":"p","label":01}"#,
    #"{"id":"p","prompt":"p","label":1e999}"#, #"{"id":"q","prompt":"p","label":"\q"}"#,
    "{\"id\":\"r\",\"prompt\":\"p\u{1}\",\"label\":1}", #"{"id":"s","prompt":"p","label":1} x"#, "[1]", "{}",
    #"{"id":"t","prompt":"p","label":1,"x":1.}"#, #"{"id":"u","prompt":"p","label":1,"x":--1}"#, "  ",
    #"{"id":"v","prompt":"p","label":1,"x":1e}"#, #"{"id":"w","prompt":"p","label":tru}"#,
  ]

  @Test(arguments: options.indices)
  func `rows of all kinds of lines are the bytes that their values give`(choice: Int) throws {
    let text = Self.lines.joined(separator: "\n")
    for extra in [[], [("skip", 2), ("limit", 5)], [("limit", 1)]] as [[(String, JSON)]] {
      let options = Self.options[choice] + extra
      let expected = try result(text, options, isDirect: false)
      #expect(try result(text, options, isDirect: true) == expected)
    }
  }

  @Test(arguments: badLines)
  func `a bad line among others is said, or left out, as by its values`(bad: String) throws {
    let text = (Self.lines.prefix(3) + [bad] + Self.lines.suffix(2)).joined(separator: "\n")
    for options in Self.options {
      for extra in [[], [("on_bad_row", "skip")]] as [[(String, JSON)]] {
        let expected = try result(text, options + extra, isDirect: false)
        #expect(try result(text, options + extra, isDirect: true) == expected)
      }
    }
  }

  @Test func `an id that comes twice is refused with both places, however each of the rows was made`() throws
  {
    let plain = #"{"id":"a","prompt":"p"}"#
    let escaped = #"{"id":"\u0061","prompt":"p"}"#
    for (first, second) in [(plain, plain), (escaped, plain), (plain, escaped)] {
      let text = [first, #"{"id":"b","prompt":"p"}"#, second].joined(separator: "\n")
      let found = try result(text, [("id", "id")], isDirect: true)
      #expect(found[1].hasSuffix("data.jsonl:3:1: the id `a` was given before, on line 1"))
      #expect(try result(text, [("id", "id")], isDirect: false) == found)
    }
  }

  /// More than are read at once, of the same content now and then, with lines between them that are not made directly.
  @Test func `many rows keep their order and their counts`() throws {
    let text = (0..<20_000).map { index in
      index % 997 == 0
        ? #"{"id":"\#(index)","prompt":"other \#(index)","label":{"x":\#(index)}}"#
        : #"{"id":"\#(index)","prompt":"\#(String(repeating: "word ", count: 20))\#(index % 5000)","label":2}"#
    }.joined(separator: "\n")
    for options in [[("id", "id")], [("keep", ["label"])], [("prompt", "{prompt}"), ("skip", 15_000)]]
      as [[(String, JSON)]]
    {
      let expected = try result(text, options, isDirect: false)
      #expect(try result(text, options, isDirect: true) == expected)
    }
  }
}
