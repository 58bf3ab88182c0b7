// Reasons are cut around what differs, not before it.

import JSON
import Runner
import TestFolder
import Testing

@Suite struct ValueDifferenceTests {
  private func text(_ old: JSON, _ new: JSON) -> String {
    KeyDifference(field: .option, name: "x", old: old, new: new).text
  }

  @Test func `short values are shown whole`() {
    #expect(text(2e-5, 1e-5) == "option x 2e-05 -> 1e-05")
    #expect(text(["a", "b"], ["a", "c"]) == "option x [\"a\", \"b\"] -> [\"a\", \"c\"]")
  }

  @Test func `of a long text the part that differs is shown with a little around it`() {
    let start = String(repeating: "begin ", count: 20)
    let end = String(repeating: " end", count: 20)
    let found = text(.string(start + "good" + end), .string(start + "bad" + end))
    #expect(found == "option x …\"begin begin good end end en\"… -> …\"begin begin bad end end en\"…")
    #expect(
      text(.string(start), .string(start + "more")) == "option x …\"begin begin \" -> …\"begin begin more\"")
  }

  @Test func `of a long list the elements that differ are shown with their place`() {
    let words = (1...20).map { JSON.string("word \($0)") }
    var other = words
    other[11] = "other"
    #expect(text(.array(words), .array(other)) == "option x.11 \"word 12\" -> \"other\"")
    #expect(
      text(.array(words), .array(words + ["one", "two", "three"])) == "option x + \"one\", \"two\" and 1 more"
    )
    other.remove(at: 11)
    #expect(text(.array(words), .array(other)) == "option x - \"word 12\"")
    #expect(
      text(.array(words), .array(["first"] + other.dropFirst())).hasPrefix(
        "option x.0 \"word 1\", \"word 2\""))
  }

  @Test func `what is cut is whole in the details`() {
    let words = (1...20).map { JSON.string("word \($0)") }
    let difference = KeyDifference(
      field: .option, name: "x", old: .array(words), new: .array(words.dropLast()))
    #expect(difference.details.count == 2 && difference.details[0].hasSuffix("\"word 20\"]"))
    #expect(KeyDifference(field: .option, name: "x", old: 1, new: 2).details.isEmpty)
  }

  @Test func `a file is named, and of rows how many came or went`() throws {
    let folder = TemporaryFolder()
    let path = try folder.file("a.jsonl", "{}\n{}\n")
    let old = try #require(FileState(option: "path", path: path))
    #expect(try FileState(json: JSON(parsing: old.json.text())) == old)
    for (content, words) in [("{}\n{}\n{}\n", ": +1 row"), ("", ": -2 rows"), ("[]\n[]\n", " changed")] {
      try folder.write(content, to: "a.jsonl")
      let new = try #require(FileState(option: "path", path: path))
      #expect(FileChange(old: [old], new: [new]).text == path + words)
    }
    let program = try #require(FileState(option: "path", path: try folder.file("b.py", "1\n2\n3\n")))
    #expect(FileChange(old: [old, program], new: [old, program]).text == "other files")
    var longer = old
    longer.lines = 5
    #expect(FileChange(old: [old, program], new: [longer, program]).text.hasSuffix("a.jsonl: +3 rows"))
    #expect(FileChange(old: [old, program], new: [longer, old]).text == "other files")
    #expect(FileChange(old: [old], new: [old, program]).text == "1 files -> 2 files")
    #expect(FileChange(old: [], new: [program]).text.hasSuffix("b.py changed"))
    #expect(FileChange(old: [old], new: [program]).text == "\(path) -> \(program.path)")
  }
}
