// `plumb yaml events`: the format, the mistakes, and the whole yaml-test-suite against bare libyaml.

import Foundation
import Runner
import Testing

@Suite struct EventStreamTests {
  /// The events, and the codes of what is wrong.
  func events(_ bytes: [UInt8]) -> (text: String, codes: [String], list: DiagnosticList) {
    var text = ""
    let list = EventStream.read(SourceFile(name: "a.yaml", folder: "/", bytes: bytes)) { text += $0 + "\n" }
    return (text, list.diagnostics.map(\.code.rawValue), list)
  }

  @Test func `one line an event, with style, anchor, tag and escapes`() {
    let text = """
      --- !!map
      a: &x [1, 'two']
      b: {c: *x}
      d: !mine "tab\\t"
      e: |
        text
      ...

      """
    let expected = """
      +STR
      +DOC ---
      +MAP <tag:yaml.org,2002:map>
      =VAL :a
      +SEQ [] &x
      =VAL :1
      =VAL 'two
      -SEQ
      =VAL :b
      +MAP {}
      =VAL :c
      =ALI *x
      -MAP
      =VAL :d
      =VAL <!mine> "tab\\t
      =VAL :e
      =VAL |text\\n
      -MAP
      -DOC ...
      -STR

      """
    let found = events(Array(text.utf8))
    #expect(found.text == expected)
    #expect(found.codes.isEmpty)
  }

  @Test(arguments: [
    ("a: [1", "syntax"), ("a:\n\t- b", "tab"), ("a: *x", "undefined-alias"),
    ("--- &x a\n--- *x\n", "undefined-alias"),
    ("a: \u{0}", "control-character"), (String(repeating: "[", count: 100_000), "too-deep"),
  ]) func `stops at the first mistake and says where`(_ text: String, _ code: String) {
    let found = events(Array(text.utf8))
    #expect(found.codes == [code])
    #expect(found.list.diagnostics.first?.span != nil)
  }

  @Test func `is not UTF-8`() { #expect(events([0x61, 0xFF]).codes == ["invalid-utf8"]) }

  @Test(.enabled(if: YAMLTestSuite.isPresent, "the YAML test suite is not at \(YAMLTestSuite.folder)"))
  func `is worse than libyaml on no case of the YAML test suite`() throws {
    var right = 0
    var rightOfLibYAML = 0
    var count = 0
    for test in try YAMLTestSuite.cases() {
      count += 1
      let found = events(test.input)
      let isRight = test.isRight(found.codes.isEmpty ? found.text : nil)
      let isLibYAMLRight = test.isRight(YAMLTestSuite.libyaml(test.input))
      right += isRight ? 1 : 0
      rightOfLibYAML += isLibYAMLRight ? 1 : 0
      #expect(isRight || !isLibYAMLRight, "\(test.name): \(found.codes)\n\(found.text)")
    }
    // Both oracles are alive: a suite of hundreds, of which libyaml gets most but not all.
    #expect(count > 200)
    #expect(rightOfLibYAML > count * 3 / 4 && rightOfLibYAML < count)
    #expect(right >= rightOfLibYAML)
  }
}
