// Tables and texts that fit a terminal.

import System
import Testing

@Suite struct TerminalTableTests {
  @Test func `a line holds no more columns than it may, and nothing that moves the cursor`() {
    #expect(TerminalText.line("a\nb") == "a⏎b")
    #expect(TerminalText.line("a\u{1B}[1m\u{202E}") == "a\\u{1B}[1m\\u{202E}")
    #expect(TerminalText.line("abcdef", columns: 6) == "abcdef")
    #expect(TerminalText.line("abcdefg", columns: 6) == "abcde…")
    // Two columns a character; a mark has none.
    #expect(TerminalText.line("日本語", columns: 6) == "日本語")
    #expect(TerminalText.line("日本語", columns: 5) == "日本…")
    #expect(TerminalText.line("日本語", columns: 4) == "日…")
    #expect(TerminalText.line("e\u{301}e\u{301}e", columns: 2) == "e\u{301}…")
    #expect(TerminalText.line("a\u{7}", columns: 3) == "a…")
    #expect(TerminalText.line("abc", columns: 1) == "…" && TerminalText.line("abc", columns: 0).isEmpty)
  }

  @Test func `a text is broken at spaces, and ends in an ellipsis where lines are missing`() {
    #expect(TextTable.wrapped("one two three", to: 7) == ["one two", "three"])
    #expect(TextTable.wrapped("abcdefgh", to: 3) == ["abc", "def", "gh"])
    #expect(TextTable.wrapped("one two three four", to: 7, lines: 2) == ["one two", "three…"])
    #expect(TextTable.wrapped("abcdefgh", to: 3, lines: 2) == ["abc", "de…"])
    #expect(TextTable.wrapped("one", to: 7, lines: 1) == ["one"])
    #expect(TextTable.wrapped("", to: 7) == [""])
  }

  @Test func `the widest columns are cut to one width, numbers stand to the right`() throws {
    let rows = [
      ["a", String(repeating: "x", count: 90), "1"], ["bb", "日本", "100"],
    ]
    let table = try #require(
      FittedTable(titles: ["id", "text", "n"], rows: rows, isNumber: [false, false, true], columns: 30))
    let lines = [table.heading] + rows.map(table.line)
    #expect(
      lines.joined() == """
        id  text                     n
        a   xxxxxxxxxxxxxxxxxxxx…    1
        bb  日本                   100

        """)
    #expect(lines.allSatisfy { TextTable.width($0) - 1 <= 30 })
  }

  @Test func `columns that would be cut to almost nothing make no table`() {
    let wide = String(repeating: "x", count: 20)
    let titles = ["a", "b", "c"]
    func table(_ columns: Int) -> FittedTable? {
      FittedTable(
        titles: titles, rows: [[wide, wide, wide]], isNumber: [false, false, false], columns: columns)
    }
    #expect(table(40) != nil && table(39) == nil)
    #expect(FittedTable(titles: titles, rows: [["1", "2", "3"]], isNumber: [], columns: 7) != nil)
  }
}
