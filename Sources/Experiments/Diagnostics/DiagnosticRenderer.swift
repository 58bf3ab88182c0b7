// How diagnostics look: the only place that lays them out.

import System

package struct DiagnosticRenderer: Sendable {
  /// ANSI colours; nothing is said by colour alone.
  package var color: Bool
  package var limit: Int

  package init(color: Bool = false, limit: Int = 20) {
    self.color = color
    self.limit = limit
  }

  /// All of the list, errors before warnings where not all fit, separated by blank lines; ends with a newline unless empty.
  package func render(_ list: DiagnosticList) -> String {
    var shown = list.diagnostics
    var hidden = 0
    if shown.count > limit {
      let errors = shown.filter { $0.severity == .error }
      let warnings = shown.filter { $0.severity == .warning }
      hidden = shown.count - limit
      shown = DiagnosticList(Array((errors + warnings).prefix(limit))).diagnostics
    }
    var blocks = shown.map { render($0) }
    if hidden > 0 { blocks.append("and \(hidden) more, not shown\n") }
    return blocks.joined(separator: "\n")
  }

  package func render(_ diagnostic: Diagnostic) -> String {
    let style = diagnostic.severity == .error ? Style.red : Style.yellow
    let spans = ([diagnostic.span] + diagnostic.notes.map(\.span)).compactMap { $0 }
    let gutter = spans.map { String($0.line).utf8.count }.max() ?? 0
    var output = paint("\(diagnostic.severity.rawValue)[\(diagnostic.code)]", style)
    output += paint(": \(shown(diagnostic.message))", .bold) + "\n"
    if let span = diagnostic.span {
      output += snippet(span, label: diagnostic.label, gutter: gutter, style: style)
    }
    for note in diagnostic.notes {
      let text = shown(note.message)
      if let span = note.span {
        output += paint("note", .blue) + ": \(text)\n"
        output += snippet(span, label: nil, gutter: gutter, style: .blue)
      } else {
        output += trailer("note", text, gutter: gutter)
      }
    }
    if let help = diagnostic.help {
      output += trailer("help", shown(help), gutter: gutter)
    }
    return output
  }

  /// Safe for a terminal, without secrets, and not longer than someone would read: a key or a value may have megabytes.
  private func shown(_ text: String) -> String {
    let text = SecretText.masked(text)
    let scalars = text.unicodeScalars
    guard let end = scalars.index(scalars.startIndex, offsetBy: 1000, limitedBy: scalars.endIndex),
      end < scalars.endIndex
    else { return TerminalText.escaped(text) }
    return TerminalText.escaped(String(scalars[..<end])) + "…"
  }

  private func trailer(_ word: String, _ text: String, gutter: Int) -> String {
    "\(spaces(gutter + 1))\(paint("=", .blue)) \(word): \(text)\n"
  }

  private func snippet(_ span: SourceSpan, label: String?, gutter: Int, style: Style) -> String {
    let line = span.line
    let name = TerminalText.escaped(span.file.name)
    let bar = paint("|", .blue)
    let cells = SnippetLine(span)
    var output = "\(spaces(gutter))\(paint("-->", .blue)) \(name):\(line):\(span.column)\n"
    output += "\(spaces(gutter + 1))\(bar)\n"
    let number = String(line)
    output += paint(spaces(gutter - number.utf8.count) + number, .blue) + " \(bar)"
    output += cells.text.isEmpty ? "\n" : " \(cells.text)\n"
    var carets = String(repeating: "^", count: cells.caretCount)
    if let label { carets += " " + shown(label) }
    output += "\(spaces(gutter + 1))\(bar) \(spaces(cells.caretStart))\(paint(carets, style))\n"
    return output
  }

  private func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

  private enum Style: String {
    case red = "1;31"
    case yellow = "1;33"
    case blue = "1;34"
    case bold = "1"
  }

  private func paint(_ text: String, _ style: Style) -> String {
    color ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }
}

/// The line of a span as it is shown: escaped, secrets masked, tabs widened, very long lines cut around the span.
private struct SnippetLine {
  static let maximumWidth = 140
  var text = ""
  var caretStart = 0
  var caretCount = 1

  init(_ span: SourceSpan) {
    let file = span.file
    let range = file.lineRange(file.lineIndex(of: span.start))
    var end = min(span.end, range.upperBound)
    while end > span.start + 1, file.bytes[end - 1] == 0x20 || file.bytes[end - 1] == 0x09 { end -= 1 }
    // Only a window of bytes around the span is looked at, so that a line of megabytes costs nothing.
    var index = range.lowerBound
    var isCutLeft = false
    if span.start - range.lowerBound > Self.maximumWidth {
      isCutLeft = true
      index = span.start - Self.maximumWidth / 2
      while index < span.start, file.bytes[index] & 0xC0 == 0x80 { index += 1 }
    }
    var width = 0
    if isCutLeft {
      text = "…"
      width = 1
    }
    let secrets = Self.secrets(around: span, in: range)
    var caretEnd: Int?
    caretStart = width
    while index < range.upperBound {
      if index <= span.start { caretStart = width }
      if caretEnd == nil, index >= end { caretEnd = width }
      if width >= Self.maximumWidth {
        text += "…"
        break
      }
      if let secret = secrets.first(where: { $0.contains(index) }) {
        text += SecretText.mask
        width += SecretText.mask.utf8.count
        index = secret.upperBound
        continue
      }
      let next = UTF8Scalar.at(index, in: file.bytes)
      let (shown, cells) = Self.cell(next.scalar, byte: file.bytes[index])
      text += shown
      width += cells
      index += next.length
    }
    if span.start >= range.upperBound { caretStart = width }
    caretCount = max(1, (caretEnd ?? width) - caretStart)
    while text.utf8.last == 0x20 { text.removeLast() }
  }

  /// Looked for somewhat beyond what is shown, so that a cut does not hide where a secret begins.
  private static func secrets(around span: SourceSpan, in line: Range<Int>) -> [Range<Int>] {
    let start = max(line.lowerBound, span.start - 4096)
    let end = min(line.upperBound, span.start + 4096)
    return start < end ? SecretText.ranges(inLine: span.file.bytes[start..<end]) : []
  }

  private static func cell(_ scalar: Unicode.Scalar?, byte: UInt8) -> (String, Int) {
    guard let scalar else {
      let shown = "\\x{\(String(byte, radix: 16, uppercase: true))}"
      return (shown, shown.utf8.count)
    }
    if scalar == "\t" { return ("    ", 4) }
    if TerminalText.needsEscape(scalar) {
      let shown = TerminalText.escape(scalar)
      return (shown, shown.utf8.count)
    }
    return (String(scalar), TerminalText.width(scalar))
  }
}
