// What a Swift source declares at its top level and which names it uses: read from the text, without a compiler.

import Foundation

struct SourceText {
  /// The module's folder that it stands in; empty for a file that stands in none.
  let folder: String
  let name: String
  let imports: [String]
  /// Types, functions and constants of the file's top level that other files can see.
  let declared: Set<String>
  /// Every identifier in code that does not follow a dot.
  let used: Set<String>

  init(folder: String, name: String, text: String) {
    self.folder = folder
    self.name = name
    let code = SourceText.code(of: text)
    var imports: [String] = []
    var declared: Set<String> = []
    for line in code.split(separator: 0x0A) {
      let words = SourceText.identifiers(line).map(\.text)
      if line.first != UInt8(ascii: " "), line.first != UInt8(ascii: "}") {
        if let place = words.firstIndex(of: "import"), place + 1 < words.count {
          imports.append(words[place + 1])
        }
        let hidden = words.contains("private") || words.contains("fileprivate")
        if !hidden, let place = words.firstIndex(where: SourceText.introducers.contains),
          place + 1 < words.count
        {
          declared.insert(words[place + 1])
        }
      }
    }
    self.imports = imports
    self.declared = declared
    used = Set(SourceText.identifiers(code[...]).filter { !$0.isMember }.map(\.text))
  }

  /// All `.swift` files below a module's folder.
  static func all(below module: String) throws -> [SourceText] {
    let root = URL(fileURLWithPath: module).standardizedFileURL
    let files = try FileManager.default.subpathsOfDirectory(atPath: root.path).filter {
      $0.hasSuffix(".swift")
    }
    return try files.sorted().map { path in
      let parts = path.split(separator: "/").map(String.init)
      return SourceText(
        folder: parts.count > 1 ? parts[0] : "", name: path,
        text: try String(contentsOfFile: "\(root.path)/\(path)", encoding: .utf8))
    }
  }

  private static let introducers: Set<String> = [
    "struct", "class", "enum", "protocol", "actor", "typealias", "func", "let", "var",
  ]

  private static func isIdentifier(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
    default: byte >= 0x80
    }
  }

  private static func identifiers(_ code: ArraySlice<UInt8>) -> [(text: String, isMember: Bool)] {
    var found: [(text: String, isMember: Bool)] = []
    var place = code.startIndex
    while place < code.endIndex {
      guard isIdentifier(code[place]) else {
        place += 1
        continue
      }
      let end = code[place...].firstIndex { !isIdentifier($0) } ?? code.endIndex
      let isMember = place > code.startIndex && code[place - 1] == UInt8(ascii: ".")
      if !(0x30...0x39).contains(code[place]) {
        found.append((String(decoding: code[place..<end], as: UTF8.self), isMember))
      }
      place = end
    }
    return found
  }

  /// The text without comments and without what stands in string literals, except the code of interpolations.
  private static func code(of text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    var code: [UInt8] = []
    var place = 0
    /// For each literal around the place: its delimiter, and how many parentheses its interpolation has open.
    var literals: [(delimiter: [UInt8], depth: Int)] = []
    let quote = [UInt8(ascii: "\"")]
    func starts(_ wanted: [UInt8]) -> Bool { bytes[place...].starts(with: wanted) }
    while place < bytes.count {
      let byte = bytes[place]
      if let literal = literals.last, literal.depth == 0 {
        if starts(literal.delimiter) {
          literals.removeLast()
          place += literal.delimiter.count
        } else if starts(Array("\\(".utf8)) {
          literals[literals.count - 1].depth = 1
          code.append(UInt8(ascii: " "))
          place += 2
        } else {
          place += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        continue
      }
      if starts(Array("//".utf8)) {
        place = bytes[place...].firstIndex(of: 0x0A) ?? bytes.count
        continue
      }
      if byte == quote[0] {
        let delimiter = starts(quote + quote + quote) ? quote + quote + quote : quote
        literals.append((delimiter, 0))
        place += delimiter.count
        continue
      }
      if !literals.isEmpty {
        if byte == UInt8(ascii: "(") { literals[literals.count - 1].depth += 1 }
        if byte == UInt8(ascii: ")") { literals[literals.count - 1].depth -= 1 }
      }
      code.append(byte)
      place += 1
    }
    return code
  }
}
