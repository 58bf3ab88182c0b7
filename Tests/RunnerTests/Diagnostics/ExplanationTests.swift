// The catalogue of codes is complete. That its examples are what they say is tested with the stages they name.

import Foundation
import Runner
import Testing

@Suite struct ExplanationTests {
  static let codes = Explanation.all.map(\.code)

  @Test func `every code in the sources is explained, and no other`() throws {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources")
    let pattern = try Regex(
      #"(?:error|warning|Fatal|Diagnostic)\(\s*(?:\.warning,\s*)?(?:code:\s*)?"([a-z0-9]+(?:-[a-z0-9]+)*)""#
    )
    var used: Set<String> = []
    let files = try #require(FileManager.default.enumerator(atPath: sources.path))
    for case let name as String in files where name.hasSuffix(".swift") {
      let text = try String(contentsOf: sources.appendingPathComponent(name), encoding: .utf8)
      for match in text.matches(of: pattern) {
        if let code = match.output[1].substring { used.insert(String(code)) }
      }
    }
    #expect(used.count > 40)
    let unexplained = used.subtracting(Self.codes).sorted()
    #expect(unexplained.isEmpty, "add them to the lists beside Explanation.swift")
    let unused = Set(Self.codes).subtracting(used).sorted()
    #expect(unused.isEmpty)
    #expect(Set(Self.codes).count == Self.codes.count)
  }

  @Test func `a page shows the code, the title, both examples`() throws {
    let page = try #require(Explanation.of("bad-override")).page
    #expect(page.hasPrefix("error[bad-override]: `--set` without a value, or with more than one\n\n"))
    #expect(page.contains("\nWrong:\n\n    version: 1\n") && page.contains("--set limit\n\nRight:\n\n"))
    #expect(Explanation.list.split(separator: "\n").count == Explanation.all.count)
    #expect(Explanation.of("nonsense") == nil)
  }
}
