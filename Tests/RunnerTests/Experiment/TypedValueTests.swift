// The value of a `--set`: what was typed arrives, or an error says how to write it.

import JSON
import Runner
import Testing

@Suite struct TypedValueTests {
  private let project: TemporaryProject

  init() throws {
    project = try TemporaryProject()
    try project.write(
      "x.yaml", "version: 1\nname: x\nparams: {x: 1}\nstages: {rows: {uses: data, with: {path: d.jsonl}}}\n")
    try project.write("d.jsonl", "")
  }

  private func value(_ typed: String) throws -> JSON {
    let (experiment, _) = try project.result("x.yaml", set: ["x=\(typed)"]).get()
    return try #require(experiment.parameters.first { $0.name == "x" }?.value)
  }

  @Test(
    arguments: [
      ("5", 5), (" 5 ", 5), ("2e-5", 2e-5), ("true", true), ("", nil), ("  ", nil), ("null", nil),
      ("abc", "abc"),
      ("a b:c#d", "a b:c#d"), ("http://h:1/p", "http://h:1/p"), ("C# and --- too", "C# and --- too"),
      ("\"a: b\"", "a: b"),
      ("' a '", " a "), (" \"a #b\" ", "a #b"), ("\"a\\nb\"", "a\nb"), ("[1, two]", [1, "two"]),
      ("{a: b}", ["a": "b"]), ("[]", []),
      ("!!str 5", "5"), ("-a", "-a"),
    ] as [(String, JSON)])
  func `one value arrives as it was typed`(_ typed: String, _ expected: JSON) throws {
    #expect(try value(typed) == expected)
  }

  @Test(arguments: [
    ("a: b", "a mapping"), ("a:", "a mapping"), ("- a", "a list"), ("? a", "a mapping"), ("# c", "nothing"),
    ("a #b", "the string `a`"),
    (" a ", "the string `a`"), ("a ", "the string `a`"), ("a\nb", "the string `a b`"), ("---", "nothing"),
    ("--- a", "the string `a`"), ("a\n---\nb", "several documents"), ("|\n a", "the string `a`"),
    ("&a", "null"), ("&a b", "the string `b`"),
    ("\"a\" # c", "the string `a`"), ("[a] # c", "a list"), ("\"a\": b", "a mapping"),
    ("5 # five", "the integer `5`"),
  ])
  func `a text that YAML would cut or take for something else is refused with how to write it`(
    _ typed: String, _ readAs: String
  ) {
    let said = project.diagnostics("x.yaml", set: ["x=\(typed)"])
    #expect(said.contains("error[bad-override]: `--set x` gives"), "\(said)")
    #expect(said.contains(", which YAML reads as \(readAs)\n"), "\(said)")
    #expect(said.contains("help: put a text in quotes: `--set 'x=\""), "\(said)")
  }

  @Test(arguments: ["...", "%YAML 1.2", "a: b: c", "@a", "\"a", "[a", "`a"])
  func `what is not YAML says so, with what to do`(_ typed: String) {
    let said = project.diagnostics("x.yaml", set: ["x=\(typed)"])
    #expect(said.contains("error[syntax]") && said.contains("help: "), "\(said)")
    #expect(said.contains("quotes"), "\(said)")
  }
}
