// Members of lines that are never made values: what is taken is right, and the text is the writer's.

import JSON
import Testing

struct WrittenMembersTests {
  private struct Draw {
    var state: UInt64
    mutating func callAsFunction(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
    mutating func one(_ texts: [String]) -> String { texts[self(texts.count)] }

    mutating func string() -> String {
      let pieces = [
        "a", "bcd e", "é", "日本", "😀", "\\n", "\\u00e9", "\\\"", "\\\\", "\\/", "\\u2028", "\u{2028}", "“x”",
        "\u{7F}",
        "\\u007f", "\\ud83d\\ude00", "\\u0001", self(40) == 0 ? "\\x" : "z", self(40) == 0 ? "\u{1}" : "y",
      ]
      return "\"" + (0..<self(12)).map { _ in one(pieces) }.joined() + "\""
    }

    mutating func number() -> String {
      let digits = (0..<self(20)).map { _ in String(self(10)) }.joined()
      let fraction = (0..<self(20)).map { _ in one(["0", "0", "5", "9"]) }.joined()
      return one(["", "-"]) + one([digits, "0", "12", ""]) + one(["", "."]) + fraction
        + one(["", "", "e5", "E-7"])
    }

    mutating func value(_ depth: Int) -> String {
      switch self(depth > 2 ? 6 : 8) {
      case 0, 1, 2: string()
      case 3: number()
      case 4: one(["true", "false", "null", "nul"])
      case 5: String(self(100_000))
      case 6: "[" + (0..<self(4)).map { _ in value(depth + 1) }.joined(separator: one([",", ", "])) + "]"
      default:
        "{" + (0..<self(3)).map { _ in string() + ":" + value(depth + 1) }.joined(separator: ",") + "}"
      }
    }
  }

  @Test(arguments: [true, false])
  func `what is taken of random lines is what reading them gives`(passesOthers: Bool) throws {
    var draw = Draw(state: 7)
    let names = ["id", "label"]
    var members = WrittenMembers(names, passesOthers: passesOthers)
    var taken = 0
    for _ in 0..<30_000 {
      let keys = names + ["é", "a b", "k\\n", "“q”", "score"]
      let body = (0..<draw(5)).map { _ in "\"\(draw.one(keys))\"\(draw.one([":", " : "]))\(draw.value(0))" }
      let line =
        draw.one(["{", " { "]) + body.joined(separator: draw.one([",", " , "]))
        + draw.one(["}", "} ", "}x", ""])
      let value = try? JSON(parsing: line)
      Array(line.utf8).withUnsafeBytes { bytes in
        guard members.read(bytes) else { return }
        taken += 1
        guard let value else {
          Issue.record("took `\(line)`, which is not JSON")
          return
        }
        var text: [UInt8] = []
        if !passesOthers {
          members.writeCanonical(of: bytes, to: &text)
          #expect(String(decoding: text, as: UTF8.self) == value.text(.canonical))
        }
        for (index, name) in names.enumerated() {
          text = []
          if let place = members.place(index) { members.write(place, of: bytes, to: &text) }
          #expect(String(decoding: text, as: UTF8.self) == value[name]?.text() ?? "")
        }
      }
    }
    #expect(taken > 1000)
  }

  @Test func `a line in a usual form is taken`() {
    var members = WrittenMembers(["prompt", "id"], passesOthers: true)
    // An object's canonical text is another one.
    var whole = WrittenMembers(["prompt", "id"], passesOthers: false)
    let line = #"{"id": "a", "prompt": "caf\u00e9\n", "score": 0.13436424411240122, "tags": ["x", {"y": 1}]}"#
    Array(line.utf8).withUnsafeBytes { line in
      let isTaken = members.read(line)
      #expect(isTaken && members.place(0) == 1 && members.place(1) == 0)
      #expect(members.range(1) == nil && members.range(0) == 7..<10)
      let isTakenWhole = whole.read(line)
      #expect(!isTakenWhole)
    }
  }
}

/// Numbers with a point: read without the system's function where they are short, with the same result.
struct DecimalTests {
  @Test func `a number of few digits is the nearest double`() throws {
    var state: UInt64 = 3
    func random() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 11
    }
    var texts = [
      "0.0", "-0.0", "0.5", "9007199254740993.0", "9007199254740992.5", "4503599627370497.5",
      "1.7976931348623157",
    ]
    for _ in 0..<20_000 {
      let digits = String(random() % 1_000_000_000_000_000_000)
      let point = Int(random() % UInt64(digits.count)) + 1
      texts.append(digits.prefix(point) + "." + digits.dropFirst(point) + String(random() % 10))
      texts.append(
        "-0." + String(repeating: "0", count: Int(random() % 4)) + String(random() % 100_000_000_000_000))
      // Halfway between two doubles, and beside it.
      texts.append("\((1 << 52) + random() % (1 << 52))" + [".5", ".49", ".51", ".50"][Int(random() % 4)])
    }
    for text in texts where !(text.first == "0" && text.dropFirst().first != ".") {
      let expected = try #require(Double(text))
      #expect(try JSON(parsing: text).doubleValue?.bitPattern == expected.bitPattern, "\(text)")
    }
  }
}
