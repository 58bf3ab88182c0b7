// Texts made to hurt: they are refused, quickly, and nothing crashes.

import Foundation
import Runner
import TestFolder
import Testing

@Suite(.serialized) struct HostileTextTests {
  /// The diagnostics of a text, and the seconds of the processor it took to refuse it.
  func refuse(_ bytes: [UInt8]) throws -> (text: String, seconds: Double) {
    let project = try TemporaryProject()
    try project.write("a.yaml", bytes)
    var text = ""
    let seconds = processorSeconds { text = project.diagnostics("a.yaml") }
    return (text, seconds)
  }

  static let bombs: [(name: String, text: String, code: String)] = [
    ("flow sequences", "a: " + String(repeating: "[", count: 100_000), "too-deep"),
    ("flow mappings", "a: " + String(repeating: "{a: ", count: 100_000), "too-deep"),
    ("flow sequences on lines", "a: " + String(repeating: "[\n ", count: 100_000), "too-deep"),
    ("block sequences on a line", String(repeating: "- ", count: 100_000) + "a", "too-deep"),
    ("complex keys", String(repeating: "? ", count: 100_000) + "a", "too-deep"),
    (
      "block mappings", (0..<1500).map { String(repeating: " ", count: $0) + "a:\n" }.joined(), "too-deep"
    ),
    (
      "a billion laughs",
      "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        + (1..<30).map { "a\($0): &a\($0) [" + String(repeating: "*a\($0 - 1),", count: 10) + "]\n" }.joined(),
      "too-large"
    ),
    (
      "many aliases of a long text",
      "a: &a \(String(repeating: "x", count: 50_000))\nb: [" + String(repeating: "*a,", count: 50_000)
        + "]\n",
      "too-large"
    ),
    ("a key of a megabyte", String(repeating: "k", count: 1 << 20) + ": {a: [}", "syntax"),
    (
      "an unknown key of a kilobyte",
      String(repeating: "k", count: 1000) + String(repeating: "é", count: 10) + ": 1", "unknown-key"
    ),
    (
      "a chain of merges",
      "m0: &m0 {\((0..<500).map { "k\($0): 1" }.joined(separator: ","))}\n"
        + (1..<2000).map { "m\($0): &m\($0) {<<: *m\($0 - 1), x\($0): 1}\n" }.joined(), "too-large"
    ),
    (
      "aliases that nest",
      (0..<40).reduce("a0: &a0 [[x]]\n") { $0 + "a\($1 + 1): &a\($1 + 1) [[*a\($1)]]\n" }, "too-deep"
    ),
  ]

  @Test(arguments: bombs.indices) func `refuses a bomb in well under a second`(_ index: Int) throws {
    let bomb = Self.bombs[index]
    let result = try refuse(Array(bomb.text.utf8))
    #expect(result.text.contains("error[\(bomb.code)]"), "\(bomb.name): \(result.text.prefix(300))")
    // Far above what it takes (hundredths of a second), far below what quadratic work would.
    #expect(result.seconds < 3, "\(bomb.name)")
    #expect(result.text.utf8.count < 20_000)
  }

  @Test func `parameters cannot be multiplied without bound`() throws {
    let list = (0..<1000).map { _ in "x" }.joined(separator: ",")
    let uses = (0..<1000).map { "s\($0): {uses: sample, with: {stop: $p}}" }.joined(separator: ",")
    let result = try refuse(
      Array("version: 1\nname: x\nparams: {p: [\(list)]}\nstages: {\(uses)}\n".utf8))
    #expect(result.text.contains("error["))
    #expect(result.seconds < 5)
  }

  @Test func `every truncation and every changed byte of an experiment is survived`() throws {
    let bytes = Array(quark.utf8)
    for length in stride(from: 0, to: bytes.count, by: 7) { _ = try refuse(Array(bytes[..<length])) }
    var state: UInt64 = 7
    for _ in 0..<300 {
      var changed = bytes
      for _ in 0..<3 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        changed[Int(state >> 33) % changed.count] = UInt8(truncatingIfNeeded: state >> 24)
      }
      _ = try refuse(changed)
    }
  }

  @Test(
    .enabled(
      if: FileManager.default.fileExists(atPath: "\(Fixtures.shared)/conformance/yaml-test-suite"),
      "the YAML test suite is not beside the project"))
  func `no case of the YAML test suite crashes`() throws {
    let folder = "\(Fixtures.shared)/conformance/yaml-test-suite"
    var count = 0
    for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
      guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(name)/in.yaml") else { continue }
      // None of them is an experiment.
      #expect(try refuse(Array(bytes)).text.contains("error["), "\(name)")
      count += 1
    }
    #expect(count > 200)
  }
}
