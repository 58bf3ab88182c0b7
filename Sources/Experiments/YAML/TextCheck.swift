// Checks on the bytes before libyaml sees them: size, UTF-8, control characters. libyaml gives no line for these.

import System

enum TextCheck {
  /// A file of settings, not of data.
  static let maximumBytes = 8 << 20

  /// Reports the first thing that keeps `file` from being text.
  /// - Returns: the offset at which the text begins (after a byte order mark), or nil when it is not text.
  static func start(of file: SourceFile, _ collector: DiagnosticCollector) -> Int? {
    let bytes = file.bytes
    guard bytes.count <= maximumBytes else {
      collector.error(
        .fileTooLarge, "the file has \(bytes.count) bytes, at most \(maximumBytes) are read", at: nil,
        help: "an experiment file holds settings; name data files by their path")
      return nil
    }
    var index = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    let start = index
    while index < bytes.count {
      let byte = bytes[index]
      if byte >= 0x20 && byte < 0x7F || byte == 0x0A || byte == 0x09 || byte == 0x0D {
        index += 1
        continue
      }
      let next = UTF8Scalar.at(index, in: bytes)
      let span = SourceSpan(file: file, start: index, end: index + next.length)
      guard let scalar = next.scalar else {
        let hex = String(byte, radix: 16, uppercase: true)
        collector.error(
          .invalidUTF8, "the file is not UTF-8 text: byte 0x\(hex) at offset \(index)", at: span,
          label: "not UTF-8", help: "save the file as UTF-8")
        return nil
      }
      guard isAllowed(scalar) else {
        let name = TerminalText.escape(scalar)
        collector.error(
          .controlCharacter, "the control character `\(name)` is not allowed in YAML", at: span,
          label: "control character",
          help: scalar.value == 0
            ? "save the file as UTF-8" : "write it as an escape in a double-quoted string")
        return nil
      }
      index += next.length
    }
    return start
  }

  /// YAML's printable characters.
  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
    default: false
    }
  }
}
