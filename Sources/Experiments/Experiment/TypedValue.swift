// The value of a `--set`: one value of YAML in one word of a command line. What was typed is what arrives, or an error.

import JSON

/// A whole file of YAML may hold more than its value: comments, blanks around a text, the marks of a document, a text over several lines. Of
/// a word on a command line they were meant, so that leaving them out is a mistake; so are lists and mappings
/// in the form that a file has them, line by line, which texts such as `a: b` and `- a` look like.
struct TypedValue {
  /// Nil when it was reported.
  private(set) var node: Node?

  /// `file` holds `name=value`; `start` is where the value begins.
  init(_ file: SourceFile, from start: Int, name: String, _ collector: DiagnosticCollector) {
    let text = String(decoding: file.bytes[start...], as: UTF8.self)
    let quoted = "put a text in quotes: `--set '\(name)=\(JSON.string(text).text())'`"
    func refuse(readAs what: String) {
      collector.error(
        .badOverride, "`--set \(name)` gives `\(text)`, which YAML reads as \(what)",
        at: SourceSpan(file: file, start: start, end: .max), label: "not a single value",
        help: "\(quoted); a list is `[a, b]`, a mapping `{a: b}`")
    }
    let reading = DiagnosticCollector()
    let root = Document.read(file, from: start, reading)?.root
    for var diagnostic in reading.list.diagnostics {
      switch diagnostic.code {
      case .emptyFile: refuse(readAs: "nothing")
      case .severalDocuments: refuse(readAs: "several documents")
      case .syntax:
        diagnostic.help = diagnostic.help ?? quoted
        collector.add(diagnostic)
      default: collector.add(diagnostic)
      }
    }
    guard let root else { return }
    if TypedValue.isWhole(root, file.bytes[start...]) {
      node = root
    } else {
      refuse(readAs: root.found)
    }
  }

  /// Whether the node is all of what was typed; blanks around it count where it is a text without quotes.
  private static func isWhole(_ root: Node, _ typed: ArraySlice<UInt8>) -> Bool {
    func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
    var core = typed.drop(while: isBlank)
    while let last = core.last, isBlank(last) { core.removeLast() }
    switch root.content {
    case .invalid: return true
    case .sequence, .mapping:
      return [UInt8(ascii: "["), UInt8(ascii: "{")].contains(core.first) && root.span.end == core.endIndex
    case .scalar(let scalar):
      switch core.first {
      case UInt8(ascii: "\""), UInt8(ascii: "'"): return scalar.isQuoted && root.span.end == core.endIndex
      // A tag is no part of what it says the kind of.
      case UInt8(ascii: "!"):
        return scalar.isQuoted
          ? root.span.end == core.endIndex
          : core.suffix(scalar.text.utf8.count).elementsEqual(scalar.text.utf8)
      default:
        if case .string = scalar.value { return typed.elementsEqual(scalar.text.utf8) }
        return core.elementsEqual(scalar.text.utf8)
      }
    }
  }
}
