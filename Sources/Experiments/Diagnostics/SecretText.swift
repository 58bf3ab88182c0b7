// Secrets in text: by the shape of a provider's key, or by the name they are written under. Shown as `***`, always.

package enum SecretText {
  static let mask = "***"

  /// How known providers' keys begin, and how many characters follow at least.
  private static let shapes: [(prefix: String, count: Int)] = [
    ("sk-", 16), ("sk_live_", 16), ("hf_", 20), ("gsk_", 20), ("r8_", 20), ("ghp_", 20), ("gho_", 20),
    ("ghs_", 20), ("github_pat_", 20), ("glpat-", 16), ("xoxb-", 16), ("xoxp-", 16), ("pypi-", 40),
    ("AKIA", 16),
    ("AIza", 30),
  ]

  private static let shortestKey = shapes.map { $0.prefix.utf8.count + $0.count }.min() ?? 0

  /// Names under which only a secret is written. `eos_token` and `max_tokens` are none.
  private static let names: Set<[UInt8]> = Set(
    [
      "api_key", "apikey", "access_key", "secret_key", "private_key", "secret_access_key", "token",
      "api_token",
      "access_token", "auth_token", "bearer_token", "refresh_token", "hf_token", "github_token", "password",
      "passwd", "passphrase", "secret", "client_secret", "credential", "credentials", "authorization",
    ].map { Array($0.utf8) })
  private static let suffixes = [
    "_api_key", "_apikey", "_secret", "_secret_key", "_password", "_access_token",
  ].map { Array($0.utf8) }
  private static let lengths = (names.map(\.count).min() ?? 0)...100

  static func isName(_ key: String) -> Bool {
    guard lengths.contains(key.utf8.count) else { return false }
    let name = key.utf8.map { byte -> UInt8 in
      byte == UInt8(ascii: "-") ? UInt8(ascii: "_") : (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
    }
    return names.contains(name) || suffixes.contains { name.suffix($0.count).elementsEqual($0) }
  }

  static func holdsKey(_ text: String) -> Bool {
    text.utf8.count >= shortestKey && !keys(in: Array(text.utf8)[...]).isEmpty
  }

  /// `text` with everything in the shape of a key replaced.
  package static func masked(_ text: String) -> String {
    let bytes = Array(text.utf8)
    let ranges = keys(in: bytes[...])
    return ranges.isEmpty ? text : replaced(ranges, in: bytes)
  }

  /// What to hide in a line of an experiment or of a command line, in order and apart. Judged by the text alone, since
  /// the line may be shown because it is not YAML.
  static func ranges(inLine line: ArraySlice<UInt8>) -> [Range<Int>] {
    var result: [Range<Int>] = []
    for range in (keys(in: line) + namedValues(in: line)).sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = result.last, range.lowerBound <= last.upperBound {
        result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }

  /// A line of a command or of a file with all that is to be hidden replaced.
  package static func maskedLine(_ text: String) -> String {
    let bytes = Array(text.utf8)
    return replaced(ranges(inLine: bytes[...]), in: bytes)
  }

  private static func replaced(_ ranges: [Range<Int>], in bytes: [UInt8]) -> String {
    var result = ""
    var start = 0
    for range in ranges {
      result += String(decoding: bytes[start..<range.lowerBound], as: UTF8.self) + mask
      start = range.upperBound
    }
    return result + String(decoding: bytes[start...], as: UTF8.self)
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
  }

  /// The words of a text: runs of letters, digits, `_` and `-`.
  private static func words(in text: ArraySlice<UInt8>) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var start: Int?
    for index in text.indices {
      if isWordByte(text[index]) {
        start = start ?? index
      } else if let begin = start {
        result.append(begin..<index)
        start = nil
      }
    }
    if let start { result.append(start..<text.endIndex) }
    return result
  }

  private static func keys(in text: ArraySlice<UInt8>) -> [Range<Int>] {
    words(in: text).filter { word in
      shapes.contains { shape in
        guard word.count >= shape.prefix.utf8.count + shape.count else { return false }
        guard text[word].starts(with: shape.prefix.utf8) else { return false }
        // `sk-learn-based-classifier` is a name; keys have digits or capitals.
        return text[word].dropFirst(shape.prefix.utf8.count).contains {
          (0x30...0x39).contains($0) || (0x41...0x5A).contains($0)
        }
      }
    }
  }

  /// The value in `password: value`, `{"token": "value", …}`, `api_key=value`.
  private static func namedValues(in line: ArraySlice<UInt8>) -> [Range<Int>] {
    words(in: line).compactMap { word in
      guard isName(String(decoding: line[word], as: UTF8.self)) else { return nil }
      var index = word.upperBound
      func skip(_ bytes: String) {
        while index < line.endIndex, bytes.utf8.contains(line[index]) { index += 1 }
      }
      skip("'\"")
      skip(" \t")
      guard index < line.endIndex, line[index] == UInt8(ascii: ":") || line[index] == UInt8(ascii: "=") else {
        return nil
      }
      index += 1
      skip(" \t")
      guard index < line.endIndex, !"{[$&*|>#".utf8.contains(line[index]) else { return nil }
      let isFlow = line[..<word.lowerBound].contains(UInt8(ascii: "{"))
      let start = index
      let first = line[start]
      if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
        let close = line[(start + 1)...].firstIndex(of: first) ?? line.endIndex
        return start..<min(close + 1, line.endIndex)
      }
      while index < line.endIndex {
        let byte = line[index]
        if isFlow, byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") { break }
        if byte == UInt8(ascii: "#"), line[index - 1] == 0x20 { break }
        index += 1
      }
      while index > start, line[index - 1] == 0x20 { index -= 1 }
      return start < index ? start..<index : nil
    }
  }
}
