// Every family of mistakes and the exact words for it: `NAME.yaml` beside `NAME.expected.txt`.
// PLUMB_REWRITE_GOLDEN=1 rewrites the expected texts; review the difference like code.

import Foundation
import Runner
import Testing

@Suite struct GoldenDiagnosticsTests {
  static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: Fixtures.diagnostics)) ?? [])
    .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()

  @Test func `there are fixtures`() { #expect(Self.names.count > 30) }

  @Test(arguments: names) func `says what is wrong and where`(_ name: String) throws {
    let project = try TemporaryProject()
    let files = FileManager.default
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(Fixtures.diagnostics)/\(name).yaml"))
    try project.write("\(name).yaml", Array(bytes))
    try project.write("train.jsonl", "{\"id\": \"1\", \"prompt\": \"a\"}\n")
    for folder in ["sft", "rm"] {
      try files.createDirectory(atPath: "\(project.folder)/\(folder)", withIntermediateDirectories: true)
    }
    // `# --set NAME=VALUE` in the first lines stands for the command line.
    let overrides = String(decoding: bytes, as: UTF8.self).split(separator: "\n").prefix {
      $0.hasPrefix("# --set ")
    }
    .map { String($0.dropFirst(8)) }
    let found = project.diagnostics("\(name).yaml", set: overrides)
    let path = "\(Fixtures.diagnostics)/\(name).expected.txt"
    if ProcessInfo.processInfo.environment["PLUMB_REWRITE_GOLDEN"] == "1" {
      try found.write(toFile: path, atomically: true, encoding: .utf8)
    }
    let expected = try String(contentsOfFile: path, encoding: .utf8)
    #expect(found == expected)
    #expect(!found.isEmpty)
  }

  @Test func `colour changes nothing but colour`() throws {
    let project = try TemporaryProject()
    try project.write("a.yaml", "version: 2\nname: x\nstages: {data: {with: {path: no}}}\n")
    guard case .failure(let list) = project.result("a.yaml") else {
      Issue.record("the file should be wrong")
      return
    }
    let plain = DiagnosticRenderer().render(list)
    let colored = DiagnosticRenderer(color: true).render(list)
    #expect(!plain.contains("\u{1B}"))
    #expect(colored.contains("\u{1B}[1;31m"))
    var stripped = ""
    var isEscape = false
    for scalar in colored.unicodeScalars {
      if scalar == "\u{1B}" { isEscape = true }
      if !isEscape { stripped.unicodeScalars.append(scalar) }
      if scalar == "m" { isEscape = false }
    }
    #expect(stripped == plain)
  }

  @Test func `shows at most twenty`() throws {
    let project = try TemporaryProject()
    let keys = (0..<50).map { "zzz\($0): 1\n" }.joined()
    try project.write("a.yaml", "version: 1\nname: x\nstages: {d: {uses: draw}}\n" + keys)
    let text = project.diagnostics("a.yaml")
    #expect(text.components(separatedBy: "error[").count - 1 == 20)
    #expect(text.hasSuffix("and 32 more, not shown\n"))
  }
}
