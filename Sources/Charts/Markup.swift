// Elements of SVG or HTML with their attributes and texts, escaped.
//
// Of our own: a template library imports Foundation whole, with whose tables of languages the program is 50 MB larger and each command starts
// 3 ms later.

package struct Markup: Sendable {
  package private(set) var text = ""

  package init() {}

  /// What is markup already.
  package mutating func raw(_ markup: String) { text += markup }

  package mutating func text(_ words: String) { text += Self.escaped(words) }

  package mutating func open(_ name: String, _ attributes: [(String, String)] = []) {
    text += "<\(name)\(attributes.map { " \($0)=\"\(Self.escaped($1))\"" }.joined())>"
  }

  package mutating func close(_ name: String) { text += "</\(name)>\n" }

  package mutating func element(
    _ name: String, _ attributes: [(String, String)] = [], _ content: String? = nil
  ) {
    open(name, attributes)
    text += content.map(Self.escaped) ?? ""
    close(name)
  }

  package mutating func element(
    _ name: String, _ attributes: [(String, String)] = [], _ body: (inout Markup) throws -> Void
  ) rethrows {
    open(name, attributes)
    try body(&self)
    close(name)
  }

  /// What XML 1.0 and HTML take as a text: five characters by name, control characters and directions as their codes in brackets.
  package static func escaped(_ text: String) -> String {
    // Most texts need nothing.
    let isPlain = text.utf8.allSatisfy { byte in
      byte >= 0x20 && byte < 0x7F && !"&<>\"'".utf8.contains(byte) || byte == 0x0A || byte == 0x09
    }
    if isPlain { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
      case "'": result.append(contentsOf: "&#39;".unicodeScalars)
      case _ where isHidden(scalar): result.append(contentsOf: code(scalar).unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  /// For what is no markup: control characters and directions as their codes in brackets.
  package static func visible(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isHidden) else { return text }
    return text.unicodeScalars.map { isHidden($0) ? code($0) : String($0) }.joined()
  }

  private static func code(_ scalar: Unicode.Scalar) -> String { "[\(String(scalar.value, radix: 16))]" }

  /// Control characters, and directions that would turn around what stands beside them.
  private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\t", "\n", "\r": false
    case "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}", "\u{200E}", "\u{200F}", "\u{61C}": true
    default:
      scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || [0xFFFE, 0xFFFF].contains(scalar.value)
    }
  }
}
