// What a diagnostic's code means at length, with an example that is wrong and one that is right: `plumb explain CODE`.

import JSON
import System

package struct Explanation: Sendable {
  /// A text for `check`. What it names is there: `train.jsonl` is a data file, `sft` a model's folder.
  package struct Example: Sendable {
    package var text: String
    /// What `--set` gives beside it.
    package var overrides: [String]
    /// Where the text as it is shown cannot be the text that is meant: bytes that are not UTF-8, megabytes.
    private var makeBytes: (@Sendable () -> [UInt8])?

    init(_ text: String, set overrides: [String] = [], bytes: (@Sendable () -> [UInt8])? = nil) {
      self.text = text
      self.overrides = overrides
      makeBytes = bytes
    }

    package var bytes: [UInt8] { makeBytes?() ?? Array(text.utf8) }
  }

  package var code: String
  package var severity: Diagnostic.Severity
  /// One line for the list.
  package var title: String
  package var text: String
  package var wrong: Example
  package var right: Example

  init(
    _ code: String, _ title: String, severity: Diagnostic.Severity = .error, _ text: String, wrong: Example,
    right: Example
  ) {
    self.code = code
    self.severity = severity
    self.title = title
    self.text = text
    self.wrong = wrong
    self.right = right
  }

  /// All of them: the text first, then what it says.
  package static let all: [Explanation] =
    ofText + ofValues + ofNames + ofMatrices + ofStages + ofChecks + ofCommands

  package static func of(_ code: String) -> Explanation? { all.first { UTF8Key($0.code) == UTF8Key(code) } }

  /// What `plumb explain` prints without a code.
  package static var list: String {
    let width = all.map(\.code.utf8.count).max() ?? 0
    return all.map { explanation in
      explanation.code + String(repeating: " ", count: width + 2 - explanation.code.utf8.count)
        + explanation.title + (explanation.severity == .warning ? " (a warning)" : "") + "\n"
    }.joined()
  }

  /// What `plumb explain CODE` prints.
  package var page: String {
    "\(severity.rawValue)[\(code)]: \(title)\n\n\(text)\n\nWrong:\n\n\(Self.block(wrong))\nRight:\n\n\(Self.block(right))"
  }

  /// All pages as one of docs/reference.
  package static var markdown: String {
    "# Mistakes\n\nThe codes that messages show in brackets, explained. `\(Program.name) explain CODE` prints the same.\n"
      + all.map { explanation in
        "\n## \(explanation.code)\n\n"
          + (explanation.severity == .warning ? "A warning: " : "")
          + "\(explanation.title).\n\n\(explanation.text)\n\nWrong:\n\n\(block(explanation.wrong))\nRight:\n\n\(block(explanation.right))"
      }.joined()
  }

  private static func block(_ example: Example) -> String {
    let command = example.overrides.map { "    \(Program.name) check experiment.yaml --set \($0)\n" }.joined()
    let lines = example.text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.map { $0.isEmpty ? "\n" : "    \($0)\n" }.joined() + (command.isEmpty ? "" : "\n\(command)")
  }
}
