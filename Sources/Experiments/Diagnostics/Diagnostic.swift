// What is wrong with a user's file or command: values that are collected, sorted and rendered elsewhere.

/// One finding.
package struct Diagnostic: Sendable {
  package enum Severity: String, Sendable { case error, warning }

  /// A further place, or a remark without one.
  package struct Note: Sendable {
    package var message: String
    package var span: SourceSpan?
    package init(_ message: String, at span: SourceSpan? = nil) {
      self.message = message
      self.span = span
    }
  }

  package var severity: Severity
  package var code: DiagnosticCode
  /// Lower case, no final period, literals in backticks.
  package var message: String
  /// Nil only where there is no text to point at, such as a file that cannot be read.
  package var span: SourceSpan?
  /// Said beside the carets.
  package var label: String?
  package var notes: [Note]
  package var help: String?
  /// Whether a file that the experiment reads is wrong, rather than the experiment.
  package var concernsInputFile = false
  /// Of a warning: what is missing, so that a run would refuse to start: "the model `sft` is missing".
  package var lack: String?

  package init(
    _ severity: Severity = .error, code: DiagnosticCode, _ message: String, at span: SourceSpan?,
    label: String? = nil, notes: [Note] = [], help: String? = nil
  ) {
    self.severity = severity
    self.code = code
    self.message = message
    self.span = span
    self.label = label
    self.notes = notes
    self.help = help
  }

  /// In one line, where a command that reads no experiment says it: the place, the message and the help.
  package var line: String {
    let place = span.map { "\($0.file.name):\($0.line):\($0.column): " } ?? ""
    return place + message + (help.map { "; \($0)" } ?? "")
  }
}

extension Diagnostic {
  /// Whether it says the same of the same place, though perhaps for another stage.
  func isSameMistake(as other: Diagnostic) -> Bool {
    guard span != nil, span == other.span else { return false }
    if message == other.message { return true }
    return code == other.code && label != nil && label == other.label
      && notes.map(\.span) == other.notes.map(\.span)
  }
}

/// All findings about one command's input, in order of place.
package struct DiagnosticList: Error, Sendable {
  package private(set) var diagnostics: [Diagnostic]

  package init(_ diagnostics: [Diagnostic] = []) {
    self.diagnostics = diagnostics.enumerated().sorted { a, b in
      switch (a.element.span, b.element.span) {
      case (nil, nil): return a.offset < b.offset
      case (nil, _): return true
      case (_, nil): return false
      case (let first?, let second?):
        if first == second { return a.offset < b.offset }
        return SourceSpan.precedes(first, second)
      }
    }.map(\.element)
  }

  package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
  /// Whether all that is wrong is wrong in files that the experiment reads.
  package var isAboutInputFiles: Bool {
    diagnostics.allSatisfy { $0.severity != .error || $0.concernsInputFile }
  }
  package var isEmpty: Bool { diagnostics.isEmpty }

  package func adding(_ more: [Diagnostic]) -> DiagnosticList { DiagnosticList(diagnostics + more) }
}

/// Where the passes over a file leave what they find, so that one mistake does not hide the next.
package final class DiagnosticCollector {
  private(set) var diagnostics: [Diagnostic] = []
  /// Said again or not.
  private(set) var errorCount = 0
  /// Names that a misspelt one was taken for.
  private var misspelt: Set<[String]> = []

  /// A name that `what` does not know. The one that it is nearest to is then not called missing as well.
  func recordMisspelt(_ name: String, among candidates: [String], of what: String) {
    if let near = Suggestion.nearest(to: name, among: candidates) { misspelt.insert([what, near]) }
  }

  func isMisspelt(_ name: String, of what: String) -> Bool { misspelt.contains([what, name]) }

  /// The name that a misspelt one was taken for is not called missing as well.
  func recordMisspelt(as name: String, of what: String) { misspelt.insert([what, name]) }

  /// One slip is said once: each cell of a matrix, and each stage that an anchor or a parameter gives the same text, finds
  /// it anew.
  func add(_ diagnostic: Diagnostic) {
    if diagnostic.severity == .error { errorCount += 1 }
    if diagnostics.contains(where: { $0.isSameMistake(as: diagnostic) }) { return }
    diagnostics.append(diagnostic)
  }

  func error(
    _ code: DiagnosticCode, _ message: String, at span: SourceSpan?, label: String? = nil,
    notes: [Diagnostic.Note] = [], help: String? = nil
  ) {
    add(Diagnostic(code: code, message, at: span, label: label, notes: notes, help: help))
  }

  func warning(
    _ code: DiagnosticCode, _ message: String, at span: SourceSpan?, label: String? = nil,
    notes: [Diagnostic.Note] = [], help: String? = nil, lack: String? = nil
  ) {
    var diagnostic = Diagnostic(
      .warning, code: code, message, at: span, label: label, notes: notes, help: help)
    diagnostic.lack = lack
    add(diagnostic)
  }

  var list: DiagnosticList { DiagnosticList(diagnostics) }
}
