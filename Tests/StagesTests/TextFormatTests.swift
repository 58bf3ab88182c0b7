// `data` over lines of text.

import JSON
import Runner
import Stages
import Testing

struct TextFormatTests {
  let bench: StageBench
  init() throws { bench = try StageBench() }

  @Test func `lines of text are records, as the library datasets has them`() throws {
    func texts(_ text: String) throws -> [String] {
      let rows =
        try bench.run(
          DataStage(), ["path": .string(bench.file("t.txt", text)), "format": "text", "prompt": "{text}"])[
          "rows"] ?? []
      return rows.map { $0["prompt"]?.stringValue ?? "" }
    }
    #expect(try texts("a\n\nb c \n") == ["a", "", "b c "])
    #expect(try texts("a\r\nb\rc\n\rd") == ["a", "b", "c", "", "d"])
    #expect(try texts("\r\r\n\n\u{FEFF}\u{2028}x") == ["", "", "", "\u{FEFF}\u{2028}x"])
    #expect(try texts("\u{FEFF}x") == ["x"])
    let lines = try bench.file("t.txt", "a\n")
    let message = inputError { try bench.run(DataStage(), ["path": .string(lines)]) }
    #expect(message.contains("t.txt:1:1: not JSON"))
    #expect(message.contains("a file of this name is read with `format: text`"))
    let bad = try bench.file("bad", bytes: [0x61, 0x0A, 0xFF])
    #expect(
      inputError {
        try bench.run(DataStage(), ["path": .string(bad), "format": "text", "prompt": "{text}"])
      }.hasSuffix("bad:2:1: the line is not valid UTF-8"))
  }
}
