// The text of an address, read from left to right: `outer@2.inner@last.score@rm=a,lr=0.1.rows`.
// Where a label ends depends on which labels there are, so whoever knows them reads on from here.

import JSON

struct AddressText {
  let bytes: [UInt8]
  private(set) var position = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  /// What has been read.
  var read: String { String(decoding: bytes[..<position], as: UTF8.self) }
  var rest: String { String(decoding: bytes[position...], as: UTF8.self) }
  var isAtEnd: Bool { position == bytes.count }

  func isAt(_ character: Unicode.Scalar) -> Bool {
    position < bytes.count && bytes[position] == UInt8(ascii: character)
  }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard isAt(character) else { return false }
    position += 1
    return true
  }

  /// Up to the next `.` or `@`.
  mutating func word() -> String { upTo(".@") }

  private mutating func upTo(_ ends: String) -> String {
    let end = bytes[position...].firstIndex { ends.utf8.contains($0) } ?? bytes.count
    defer { position = end }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }

  /// The name before a `=`; nil, and nothing is read, when what follows is not `name=`.
  mutating func axis() -> String? {
    let start = position
    let name = upTo("=.@,")
    if take("=") { return name }
    position = start
    return nil
  }

  /// The longest of these labels that stands here whole; nil, and nothing is read, when none does.
  mutating func label(among labels: [String]) -> String? {
    var best: (label: String, end: Int)?
    for label in labels {
      let end = position + label.utf8.count
      guard end <= bytes.count, bytes[position..<end].elementsEqual(label.utf8) else { continue }
      guard end == bytes.count || ",.@".utf8.contains(bytes[end]) else { continue }
      if end > best?.end ?? -1 { best = (label, end) }
    }
    if let best { position = best.end }
    return best?.label
  }

  /// What stands where a label should, for a message.
  var nextLabel: String {
    var copy = self
    return copy.upTo(",@")
  }

  /// What is left after a stage, cut at the points: an output, a metric.
  var parts: [String] {
    guard isAt(".") else { return [] }
    return rest.dropFirst().split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
  }
}
