// Versions and names of Python packages, as far as it takes to know that two are the same.

package enum PackageVersion {
  /// The one spelling of a version; what is none is its lower-case self.
  /// Source: PEP 440, "Normalization" and "Version comparisons": zeros at a release's end say nothing.
  package static func canonical(_ text: String) -> String {
    let lower = text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    var rest = lower[...]
    if rest.first == UInt8(ascii: "v") { rest = rest.dropFirst() }
    var epoch = ""
    if let mark = rest.firstIndex(of: UInt8(ascii: "!")) {
      epoch = number(rest[..<mark])
      rest = rest[(mark + 1)...]
    }
    var local = ""
    if let mark = rest.firstIndex(of: UInt8(ascii: "+")) {
      local = rest[(mark + 1)...].split { !isAlphanumeric($0) }.map(number).joined(separator: ".")
      rest = rest[..<mark]
    }
    var release: [String] = []
    while let digits = takeDigits(&rest) {
      release.append(number(digits))
      guard rest.first == UInt8(ascii: "."), rest.dropFirst().first.map(isDigit) == true else { break }
      rest = rest.dropFirst()
    }
    if release.isEmpty { return String(decoding: lower, as: UTF8.self) }
    while release.count > 1, release.last == "0" { release.removeLast() }
    var parts = ""
    while !rest.isEmpty {
      // `1.0-1` is `1.0.post1`.
      let isDash = rest.first == UInt8(ascii: "-")
      if let first = rest.first, ".-_".utf8.contains(first) { rest = rest.dropFirst() }
      let letters = rest.prefix { (0x61...0x7A).contains($0) }
      rest = rest.dropFirst(letters.count)
      let word = String(decoding: letters, as: UTF8.self)
      guard let known = word.isEmpty && isDash ? "post" : words[word] else {
        return String(decoding: lower, as: UTF8.self)
      }
      var after = rest
      if let first = after.first, ".-_".utf8.contains(first) { after = after.dropFirst() }
      if let digits = takeDigits(&after) {
        rest = after
        parts += " \(known)\(number(digits))"
      } else {
        parts += " \(known)0"
      }
    }
    let head = (epoch.isEmpty || epoch == "0" ? "" : "\(epoch)!") + release.joined(separator: ".")
    return head + parts + (local.isEmpty ? "" : "+\(local)")
  }

  /// Letters of either case and runs of `-_.` are the same. Source: PEP 503.
  package static func canonicalName(_ name: String) -> String {
    let words = name.utf8.split { "-_.".utf8.contains($0) }
    return words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "-").lowercased()
  }

  private static let words = [
    "a": "a", "alpha": "a", "b": "b", "beta": "b", "c": "rc", "rc": "rc", "pre": "rc", "preview": "rc",
    "post": "post", "rev": "post", "r": "post", "dev": "dev",
  ]

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
  private static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x7A).contains(byte) }

  private static func takeDigits(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let digits = rest.prefix(while: isDigit)
    rest = rest.dropFirst(digits.count)
    return digits.isEmpty ? nil : digits
  }

  /// Without zeros before it, however long it is.
  private static func number(_ digits: ArraySlice<UInt8>) -> String {
    guard digits.allSatisfy(isDigit) else { return String(decoding: digits, as: UTF8.self) }
    let significant = digits.drop { $0 == 0x30 }
    return significant.isEmpty ? "0" : String(decoding: significant, as: UTF8.self)
  }
}
