// What is wrong with a text as YAML, whatever it is meant to say.

extension Diagnostic {
  /// libyaml's complaint, or the tab that lies behind it.
  /// - Parameter base: where in `file` the text given to libyaml begins.
  static func syntax(_ problem: YAMLProblem, in file: SourceFile, base: Int) -> Diagnostic {
    let offset = base + problem.offset
    let place = SourceSpan(file: file, start: offset, end: offset + 1)
    let line = file.lineRange(file.lineIndex(of: place.start))
    let indentation = file.bytes[line].prefix { $0 == 0x20 || $0 == 0x09 }
    if let tab = indentation.firstIndex(of: 0x09), tab <= offset {
      return Diagnostic(
        code: .tab, "a tab is used where YAML requires spaces",
        at: SourceSpan(file: file, start: tab, end: tab + 1), label: "tab", help: "indent with spaces")
    }
    var notes: [Diagnostic.Note] = []
    if let context = problem.context {
      let start = base + problem.contextOffset
      notes.append(.init(context, at: SourceSpan(file: file, start: start, end: start + 1)))
    }
    return Diagnostic(
      code: .syntax, "this is not YAML: \(problem.problem)", at: place, label: problem.problem,
      notes: notes, help: advice(problem.problem))
  }

  private static func advice(_ problem: String) -> String? {
    switch problem {
    case "mapping values are not allowed in this context":
      "a value that holds `: ` needs quotes; a key must be indented like its neighbours"
    case "did not find expected key", "did not find expected '-' indicator":
      "check the indentation of this line"
    case "found character that cannot start any token":
      "a value that begins with this character needs quotes"
    default: nil
    }
  }

  static func tooDeep(at span: SourceSpan) -> Diagnostic {
    Diagnostic(
      code: .tooDeep, "the document is nested deeper than \(Document.maximumDepth) levels", at: span,
      label: "level \(Document.maximumDepth + 1)")
  }

  static func undefinedAlias(_ name: String, at span: SourceSpan, anchors: [String]) -> Diagnostic {
    Diagnostic(
      code: .undefinedAlias, "the alias `*\(name)` has no anchor before it", at: span,
      label: "no `&\(name)` above",
      help: Suggestion.nearest(to: name, among: anchors).map { "did you mean `*\($0)`?" })
  }
}
