// Where the value of an option or a setting was written.

/// The place that set an option or a setting: a line of the experiment or a `--set`.
package struct ValueOrigin: Sendable, Equatable {
  /// Dotted path under `with:`, or beside it.
  package var option: String
  /// As shown to the user.
  package var file: String
  /// Both 1-based.
  package var line: Int
  package var column: Int
}

extension ValueOrigin {
  init(_ option: String, at span: SourceSpan) {
    self.init(option: option, file: span.file.name, line: span.line, column: span.column)
  }
}
