// Values that are kept as their texts: recognized exactly where the writer writes the same, and never let through where they are wrong.

import JSON
import Testing

struct JSONTextTests {
  private func members(_ line: String, reading read: [String] = []) throws -> [(
    key: String, value: ReadOrText
  )]? {
    try JSON.members(of: Array(line.utf8)[...], reading: { read.contains($0) })
  }

  /// The value's text where it is kept as one.
  private func text(_ value: String) throws -> JSONText? {
    guard case .text(let text)? = try members("{\"a\":\(value)}")?.first?.value else { return nil }
    return text
  }

  @Test(arguments: [
    "null", "true", "false", "0", "-7", "123456789012345678", "1.5", "-0.0", "1e+16", "\"\"", "\"text\"",
    "\"é 😀 — “x”\"",
    #""\"\\\n\r\t\u0001\u007f\u2028\u2029""#, "[]", "[[1,2],[],[3]]", #"["a","b\n"]"#, "[0.1,null,[\"x\"]]",
  ])
  func `a value in the writer's form is kept as its text`(value: String) throws {
    let text = try #require(try text(value))
    #expect(Array(text.bytes) == Array(value.utf8) && text.value.text() == value)
  }

  @Test(arguments: [
    "[1, 2]", " [1]".replacing(" ", with: "[ "), "-0", "1.50", "1e2", "1E5", "9223372036854775808",
    "1000000000000000000",
    #""\/""#, #""\u00e9""#, #""\u000A""#, #""\u001F""#, #""\b""#, #""\ud83d\ude00""#, "\"\u{7F}\"",
    "\"\u{2028}\"",
    #"{"k":1}"#, #"[{"k":1}]"#,
  ])
  func `a value in another form is read`(value: String) throws {
    let value = value == "[ [1]" ? "[ 1]" : value
    #expect(try text(value) == nil)
    guard case .value(let read)? = try members("{\"a\":\(value)}")?.first?.value else {
      Issue.record("`\(value)` was not read")
      return
    }
    #expect(read.text() == (try JSON(parsing: value)).text())
  }

  @Test(arguments: [
    #"{"a":}"#, #"{"a":01}"#, #"{"a":-}"#, #"{"a":1.}"#, #"{"a":tru}"#, #"{"a":"x}"#, #"{"a":"\q"}"#,
    #"{"a":"\u12"}"#,
    #"{"a":"\ud800"}"#, #"{"a":[1,]}"#, #"{"a":[1 2]}"#, #"{"a":[1}"#, #"{"a":[1]"#, #"{"a":1}x"#,
    #"{"a":1,"a":2}"#,
    #"{"a":{"b":1,"b":2}}"#, #"{"a":nan}"#, "{\"a\":\"\u{1}\"}", #"{"a":1e999}"#, "",
  ])
  func `what is wrong is refused as the reader of whole values refuses it`(line: String) throws {
    let expected = #expect(throws: JSONError.self) { try JSON(parsing: line) }
    let found = #expect(throws: JSONError.self) { try members(line) }
    #expect(found == expected)
  }

  @Test func `bytes that are no UTF-8 and nesting without end are refused`() throws {
    let invalid = Array("{\"a\":\"x".utf8) + [0xFF] + Array("\"}".utf8)
    #expect(throws: JSONError.self) { try JSON.members(of: invalid[...], reading: { _ in false }) }
    let deep = "{\"a\":" + String(repeating: "[", count: 100) + String(repeating: "]", count: 100) + "}"
    #expect(throws: JSONError.self) { try members(deep) }
    #expect(try members("[1]") == nil)
  }

  @Test func `what is named is read, and order and names stay`() throws {
    let found = try #require(try members(#" { "id" : "x", "a":[1],"b":2 } "#, reading: ["id", "b"]))
    #expect(found.map(\.key) == ["id", "a", "b"])
    if case .text = found[0].value { Issue.record("`id` was not read") }
    if case .text = found[2].value { Issue.record("`b` was not read") }
    if case .value = found[1].value { Issue.record("`a` was read") }
  }

  @Test func `entries are counted, chosen and joined as those of the value are`() throws {
    let values = ["[]", "[1]", #"["a",[1,2],null,"b,c]"]"#]
    for first in values {
      let text = try #require(try text(first))
      let entries = try #require(text.value.arrayValue)
      #expect(text.count == entries.count)
      for indices in [[], Array(entries.indices), entries.indices.reversed(), entries.indices.map { $0 / 2 }]
      {
        let chosen = try #require(text.selecting(indices))
        #expect(chosen.value == .array(indices.map { entries[$0] }) && chosen.count == indices.count)
        #expect(Array(chosen.bytes) == Array(chosen.value.text().utf8))
      }
      for second in values {
        let other = try #require(try self.text(second))
        let joined = try #require(text.joined(with: other))
        #expect(joined.value == .array(entries + (other.value.arrayValue ?? [])))
        #expect(Array(joined.bytes) == Array(joined.value.text().utf8))
        #expect(joined.selecting(Array(0..<(joined.count ?? 0)))?.bytes == joined.bytes)
      }
    }
    #expect(try #require(try text("1")).count == nil)
  }

  /// Random lines, written and damaged: either way what comes out is what reading the whole gives.
  @Test func `random lines give what reading them whole gives`() throws {
    var state: UInt64 = 1
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
    func value(_ depth: Int) -> JSON {
      switch random(depth > 2 ? 6 : 8) {
      case 0: .null
      case 1: .bool(random(2) == 0)
      case 2: .int(Int64(random(1 << 30)) * Int64(random(1 << 30)) - 5)
      case 3: .double(Double(random(1000) - 500) / Double(1 + random(64)))
      case 4:
        .string(
          String(
            String.UnicodeScalarView(
              (0..<random(9)).compactMap { _ in Unicode.Scalar(UInt32(random(0x3000))) })))
      case 5: .string("x\"\\\n\u{2028}é")
      case 6: .array((0..<random(5)).map { _ in value(depth + 1) })
      default: .object(JSONObject((0..<random(3)).map { ("k\($0)", value(depth + 1)) }))
      }
    }
    for _ in 0..<3000 {
      let row = JSON.object(JSONObject((0..<(1 + random(4))).map { ("c\($0)", value(0)) }))
      var bytes = Array(row.text().utf8)
      if random(2) == 0 { bytes[random(bytes.count)] = UInt8(random(256)) }
      let whole = Result { try JSON(parsing: bytes) }
      let kept = Result { try JSON.members(of: bytes[...], reading: { _ in false }) }
      switch (whole, kept) {
      case (.success(let whole), .success(let kept?)):
        let values = kept.map { key, member in
          switch member {
          case .value(let value): return (key, value)
          case .text(let text):
            #expect(Array(text.bytes) == Array(text.value.text().utf8))
            return (key, text.value)
          }
        }
        #expect(JSON.object(JSONObject(values)).text() == whole.text())
      case (.success(let whole), .success(nil)): #expect(whole.objectValue == nil)
      case (.failure(let a), .failure(let b)): #expect(a as? JSONError == b as? JSONError)
      default: Issue.record("\(String(decoding: bytes, as: UTF8.self)): \(whole), \(kept)")
      }
    }
  }
}
