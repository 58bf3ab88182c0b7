// Types the guide: every `$ command` of its pages, in the order of the pages, in a copy of what a clone has; what it says it
// prints is what it prints, and files that it writes piece by piece are written.

import Glibc
import Runner
import System
import Testing

@Suite struct GuideTests {
  /// The stage in Swift is a package of its own, which `make new-stage` builds.
  private static let untyped = ["swift-stage.md"]

  @Test(.enabled(if: CommandStageTests.hasPython, "python3 is not installed"))
  func `what the guide says can be typed, and prints what it says`() throws {
    let guide = "\(ReferenceTests.package)/docs/guide"
    let plumb = try BuiltPlumb()
    let clone = "\(plumb.folder)/guide"
    try #require(
      try plumb.shell("mkdir guide guide/.plumb && cp -r '\(ReferenceTests.package)/experiments' guide;")
        .status
        == 0)
    for name in try Self.pages(of: guide) where !Self.untyped.contains(name) {
      let entries = TypedCommand.all(of: String(decoding: try File.read("\(guide)/\(name)"), as: UTF8.self))
        .filter { !$0.needsFetchedModel || Self.isModelFetched }
      let script = entries.map { "\($0.command)\nprintf '\\036\\n'\n" }.joined()
      try plumb.write(script, to: "page.sh")
      let typed = try plumb.shell(
        "export PATH='\(Path.parent(plumb.binary))':$PATH; unset PLUMB_HOME; cd guide; bash ../page.sh </dev/null 2>&1;"
      )
      let printed = typed.output.split(separator: "\u{1E}", omittingEmptySubsequences: false)
      try #require(printed.count == entries.count + 1, "\(name): \(typed.output.suffix(1000))")
      for (entry, output) in zip(entries, printed) {
        let found = output.split(separator: "\n").map { Self.comparable($0, clone) }
        let expected = entry.output.map { Self.comparable(Substring($0), clone) }
        #expect(
          Self.matches(expected[...], found[...]),
          "\(name): `\(entry.command)` printed\n\(output)\nand not\n\(entry.output.joined(separator: "\n"))")
      }
    }
  }

  @Test(.enabled(if: isModelFetched, "the quickstart's model is not in the model cache"))
  func `some commands of the guide are typed with the quickstart's model`() throws {
    let page = String(decoding: try File.read("\(ReferenceTests.package)/docs/guide/data.md"), as: UTF8.self)
    #expect(TypedCommand.all(of: page).contains { $0.needsFetchedModel })
  }

  /// Whether the quickstart has fetched its model on this machine.
  private static let isModelFetched: Bool = {
    let digest = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    return (try? ModelCache.standard()).map { FileStatus.of("\($0.root)/\(digest)") != nil } ?? false
  }()

  @Test func `a line that is not printed, or not said, is a difference`() {
    func matches(_ expected: [String], _ found: [String]) -> Bool { Self.matches(expected[...], found[...]) }
    #expect(matches(["a", "…", "d", "e … f"], ["a", "b", "c", "d", "e 1 f"]))
    #expect(matches(["…", "d"], ["d"]))
    #expect(!matches(["a"], ["a", "b"]))
    #expect(!matches(["a", "…", "d"], ["a", "b"]))
    #expect(!matches(["e … f"], ["e 1 g"]))
  }

  /// In the order of the list on the guide's first page.
  private static func pages(of guide: String) throws -> [String] {
    String(decoding: try File.read("\(guide)/README.md"), as: UTF8.self).split(separator: "\n")
      .filter { $0.first?.isNumber == true }
      .compactMap { $0.firstMatch(of: /\]\(([a-z-]+\.md)\)/).map { String($0.1) } }
  }

  /// A line without what is different each time: times, memory, the names of runs, the width of columns.
  private static func comparable(_ line: Substring, _ clone: String) -> String {
    line.split(separator: clone, omittingEmptySubsequences: false).joined(separator: "/tmp/guide")
      .replacing(/[0-9]{8}-[0-9]{6}\.[0-9]{6}-[0-9a-f]{6}/, with: "RUN")
      .replacing(/\b[0-9a-f]{6}\b/, with: "RUN")
      .replacing(/[0-9]+ min [0-9]+ s\b|[0-9]+(\.[0-9]+)? s\b/, with: "TIME")
      .replacing(/peak [0-9]+ MiB/, with: "peak MEMORY")
      .split(separator: " ").joined(separator: " ")
  }

  /// `…` stands for any lines, and within a line for anything.
  private static func matches(_ expected: ArraySlice<String>, _ found: ArraySlice<String>) -> Bool {
    guard let line = expected.first else { return found.isEmpty }
    if line == "…" {
      return (found.startIndex...found.endIndex).contains { matches(expected.dropFirst(), found[$0...]) }
    }
    guard let other = found.first, isMatch(line, other) else { return false }
    return matches(expected.dropFirst(), found.dropFirst())
  }

  private static func isMatch(_ line: String, _ other: String) -> Bool {
    let parts = line.split(separator: "…", omittingEmptySubsequences: false)
    guard parts.count > 1 else { return line == other }
    var rest = other[...]
    guard rest.hasPrefix(parts[0]), rest.hasSuffix(parts[parts.count - 1]) else { return false }
    for part in parts.dropLast() where !part.isEmpty {
      guard let range = rest.firstRange(of: part) else { return false }
      rest = rest[range.upperBound...]
    }
    return rest.hasSuffix(parts[parts.count - 1])
  }
}

/// A line of a fenced block that begins with `$ `, and what stands below it. A block that opens with "```fetched" uses the quickstart's
/// model.
private struct TypedCommand {
  /// One line, or the lines that write a file.
  let command: String
  let needsFetchedModel: Bool
  var output: [String] = []

  static func all(of page: String) -> [TypedCommand] {
    var commands: [TypedCommand] = []
    var isFenced = false
    var isConsole = false
    var needsFetchedModel = false
    // A block named for a file, as in "```yaml mine.yaml", is written at its end.
    var file: (name: Substring, lines: [Substring])?
    for line in page.split(separator: "\n") {
      if line.hasPrefix("```") {
        if let written = file {
          let text = written.lines.joined(separator: "\n")
          commands.append(
            TypedCommand(command: "cat >> \(written.name) <<'END'\n\(text)\nEND", needsFetchedModel: false))
        }
        file = line.firstIndex(of: " ").map { (line[line.index(after: $0)...], []) }
        isFenced.toggle()
        isConsole = false
        needsFetchedModel = line == "```fetched"
      } else if file != nil {
        file?.lines.append(line)
      } else if isFenced, line.hasPrefix("$ ") {
        isConsole = true
        commands.append(
          TypedCommand(command: String(line.dropFirst(2)), needsFetchedModel: needsFetchedModel))
      } else if isConsole {
        commands[commands.count - 1].output.append(String(line))
      }
    }
    return commands
  }
}
