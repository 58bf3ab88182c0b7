// What a diagnostic's code means at length, with an example that is wrong and one that is right: `plumb explain CODE`.

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

  package var severity: Diagnostic.Severity
  /// One line for the list.
  package var title: String
  package var text: String
  package var wrong: Example
  package var right: Example

  init(
    _ title: String, severity: Diagnostic.Severity = .error, _ text: String, wrong: Example, right: Example
  ) {
    self.severity = severity
    self.title = title
    self.text = text
    self.wrong = wrong
    self.right = right
  }
}

extension DiagnosticCode {
  /// What `plumb explain` prints without a code.
  package static var list: String {
    let width = allCases.map(\.rawValue.utf8.count).max() ?? 0
    return allCases.map { code in
      let explanation = code.explanation
      return code.rawValue + String(repeating: " ", count: width + 2 - code.rawValue.utf8.count)
        + explanation.title + (explanation.severity == .warning ? " (a warning)" : "") + "\n"
    }.joined()
  }

  /// What `plumb explain CODE` prints.
  package var page: String {
    let explanation = explanation
    return "\(explanation.severity.rawValue)[\(rawValue)]: \(explanation.title)\n\n" + Self.body(explanation)
  }

  /// All pages as one of docs/reference.
  package static var markdown: String {
    "# Mistakes\n\nThe codes that messages show in brackets, explained. `\(Program.name) explain CODE` prints the same.\n"
      + allCases.map { code in
        let explanation = code.explanation
        return "\n## \(code.rawValue)\n\n" + (explanation.severity == .warning ? "A warning: " : "")
          + "\(explanation.title).\n\n" + body(explanation)
      }.joined()
  }

  private static func body(_ explanation: Explanation) -> String {
    "\(explanation.text)\n\nWrong:\n\n\(block(explanation.wrong))\nRight:\n\n\(block(explanation.right))"
  }

  private static func block(_ example: Explanation.Example) -> String {
    let command = example.overrides.map { "    \(Program.name) check experiment.yaml --set \($0)\n" }.joined()
    let lines = example.text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.map { $0.isEmpty ? "\n" : "    \($0)\n" }.joined() + (command.isEmpty ? "" : "\n\(command)")
  }
}
