// Mistakes as the built binary shows them: text, JSON, colour, `explain`, `yaml events`, and what hostile texts cost.

import Glibc
import JSON
import Testing

@Suite struct DiagnosticsCommandTests {
  let plumb: BuiltPlumb
  init() throws {
    plumb = try BuiltPlumb()
    try plumb.write("version: 1\nname: x\nsed: 2\nstages:\n  a: {uses: nothing}\n", to: "wrong.yaml")
  }

  @Test func `check writes JSON lines to standard output, run to standard error`() throws {
    let check = try plumb.run("check wrong.yaml --format json")
    #expect(check.status == 3 && check.error.isEmpty)
    let found = try check.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
    #expect(found.compactMap { $0["code"]?.stringValue } == ["unknown-key", "unknown-plug-in"])
    #expect(found[0]["line"]?.intValue == 3 && found[0]["column"]?.intValue == 1)
    #expect(found[0]["file"]?.stringValue == "wrong.yaml")
    for command in ["run", "plan"] {
      let run = try plumb.run("\(command) wrong.yaml --format json")
      #expect(run.status == 3 && run.output.isEmpty && run.error == check.output)
    }
  }

  @Test func `a pipe gets no colour`() throws {
    let text = try plumb.run("check wrong.yaml")
    #expect(text.status == 3 && text.output.isEmpty)
    #expect(text.error.contains("error[unknown-key]") && !text.error.contains("\u{1B}"))
  }

  @Test(.enabled(if: access("/usr/bin/script", X_OK) == 0, "`script`, which gives a terminal, is not there"))
  func `a terminal gets colour unless NO_COLOR is set`() throws {
    let script = "script -qec \"'\(plumb.binary)' check wrong.yaml\" /dev/null"
    _ = try plumb.run("explain", before: "env -u NO_COLOR \(script) >tty; NO_COLOR=1 \(script) >plain;")
    #expect(plumb.text("tty").contains("\u{1B}[1;31m"))
    #expect(plumb.text("plain").contains("error[unknown-key]"))
    #expect(!plumb.text("plain").contains("\u{1B}[1;31m"))
  }

  @Test func `explain prints a page, a list, or what was meant`() throws {
    let page = try plumb.run("explain 'error[unknown-key]'")
    #expect(
      page.status == 0 && page.output.hasPrefix("error[unknown-key]: ") && page.output.contains("Wrong:"))
    let list = try plumb.run("explain")
    #expect(list.status == 0 && list.output.split(separator: "\n").count > 40)
    let unknown = try plumb.run("explain unknown-kee")
    #expect(
      unknown.status == 2 && unknown.output.isEmpty && unknown.error.contains("did you mean `unknown-key`?"))
  }

  @Test func `yaml events reads a file or standard input`() throws {
    try plumb.write("a: [1]\n", to: "a.yaml")
    let file = try plumb.run("yaml events a.yaml")
    #expect(file.status == 0)
    #expect(file.output == "+STR\n+DOC\n+MAP\n=VAL :a\n+SEQ []\n=VAL :1\n-SEQ\n-MAP\n-DOC\n-STR\n")
    let input = try plumb.run("yaml events - < a.yaml")
    #expect(input.output == file.output)
    let wrong = try plumb.run("yaml events wrong.yml")
    #expect(wrong.status == 3 && wrong.error.contains("error[missing-file]"))
  }

  static let bombs: [(String, String)] = [
    ("brackets", "a: " + String(repeating: "[", count: 100_000)),
    ("levels", (0..<1500).map { String(repeating: " ", count: $0) + "a:\n" }.joined()),
    (
      "a billion laughs",
      "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        + (1..<30).map { "a\($0): &a\($0) [" + String(repeating: "*a\($0 - 1),", count: 10) + "]\n" }.joined()
    ),
    (
      "aliases of a long text",
      "a: &a \(String(repeating: "x", count: 50_000))\nb: [" + String(repeating: "*a,", count: 50_000) + "]\n"
    ),
  ]

  @Test(arguments: bombs.indices) func `a bomb costs neither time nor memory`(_ index: Int) throws {
    try plumb.write(Self.bombs[index].1, to: "bomb.yaml")
    // A process that asks for more than 200 MB dies. What it used cannot be asked afterwards: the kernel counts in the memory of
    // the process that started it, which here runs all other tests as well.
    let ending = try plumb.run("check bomb.yaml", before: "ulimit -d \(200 << 10) &&")
    #expect(ending.status == 3 && ending.error.contains("--> bomb.yaml:"), "\(ending.error.prefix(500))")
    // Far above what it takes (hundredths of a second), far below what quadratic work would.
    #expect(ending.seconds < 5, "\(Self.bombs[index].0): \(ending.seconds) s")
  }
}
