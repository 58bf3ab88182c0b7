// `plumb explain CODE`: what a kind of mistake means, with an example of it and one without.

import ArgumentParser
import Runner
import System

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Explain a kind of mistake: \(Program.name) explain duplicate-key.",
    discussion: """
      Every message begins with its code in brackets: `error[unknown-reference]`. Without a code all are listed.

        \(Program.name) explain unknown-reference
      """)

  @Argument(
    help: ArgumentHelp("The code of a mistake.", valueName: "code"),
    completion: .list(DiagnosticCode.allCases.map(\.rawValue)))
  var code: String?

  @Flag(help: "Print all of them, as a page of Markdown.")
  var markdown = false

  func run() throws {
    finish {
      if markdown {
        try standardOutput(DiagnosticCode.markdown)
        return .done
      }
      guard let code else {
        try standardOutput(DiagnosticCode.list)
        return .done
      }
      // `error[code]` and `[code]`, as they are shown, will do.
      let bare = code.split(separator: "[").last?.split(separator: "]").first.map { String($0) } ?? code
      guard let known = DiagnosticCode(rawValue: bare) else {
        let help =
          Suggestion.nearest(to: bare, among: DiagnosticCode.allCases.map(\.rawValue)).map {
            "did you mean `\($0)`?"
          }
          ?? "`\(Program.name) explain` lists them"
        throw RunError(.commandLine, "there is no code `\(bare)`; \(help)")
      }
      try standardOutput(known.page)
      return .done
    }
  }
}
