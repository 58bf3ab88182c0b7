// Diagnostics for programs: one JSON object per line.

import JSON

extension DiagnosticList {
  /// All of them, in order of place; secrets are masked here too.
  package var jsonLines: String { diagnostics.map { $0.json.text() + "\n" }.joined() }
}

extension Diagnostic {
  /// `severity`, `code`, `message`, the place, and where there are any `label`, `help`, `notes`.
  package var json: JSON {
    var members = JSONObject([
      ("severity", .string(severity.rawValue)), ("code", .string(code.rawValue)),
      ("message", .string(SecretText.masked(message))),
    ])
    Self.add(span, to: &members)
    if let label { members["label"] = .string(SecretText.masked(label)) }
    if let help { members["help"] = .string(SecretText.masked(help)) }
    if !notes.isEmpty {
      members["notes"] = .array(
        notes.map { note in
          var members = JSONObject([("message", .string(SecretText.masked(note.message)))])
          Self.add(note.span, to: &members)
          return .object(members)
        })
    }
    return .object(members)
  }

  /// 1-based, columns in Unicode scalars; the end is the first place after.
  private static func add(_ span: SourceSpan?, to members: inout JSONObject) {
    guard let span else { return }
    let end = SourceSpan(file: span.file, start: span.end, end: span.end)
    members["file"] = .string(span.file.name)
    members["line"] = .int(Int64(span.line))
    members["column"] = .int(Int64(span.column))
    members["end_line"] = .int(Int64(end.line))
    members["end_column"] = .int(Int64(end.column))
  }
}
