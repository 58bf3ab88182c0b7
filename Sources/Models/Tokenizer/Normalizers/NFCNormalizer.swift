// `NFC`: Unicode's canonical composition.

import JSON
@_spi(_Unicode) import Swift

/// Deviation: characters that Unicode got after version 9 are composed and ordered too, which tokenizers leaves as they are.
package struct NFCNormalizer: Normalizer {
  package static let type = "NFC"

  package init() {}
  package init(_ json: JSON, _ path: String) throws {}

  package var json: JSON { .object(JSONObject([("type", .string(Self.type))])) }

  package func normalized(_ text: String) -> String {
    // Most texts are ASCII, which is composed.
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
    var scalars = String.UnicodeScalarView()
    scalars.append(contentsOf: Self.separated(text)._nfc)
    return String(scalars)
  }

  /// Without the three characters of class 0 whose decompositions begin with a mark: the standard library orders nothing across them.
  private static func separated(_ text: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\u{F73}", "\u{F75}", "\u{F81}": scalars.append(contentsOf: decomposed(scalar))
      default: scalars.append(scalar)
      }
    }
    return String(scalars)
  }

  /// Source: tokenizers `NormalizedString.transform` over `unicode_normalization_alignments`: a character stands for the next one
  /// of the text, one that is composed of several also for as many after it, whichever they are; what is more than the text had,
  /// for the one before.
  package func sources(of text: String) -> [Int] {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return Array(0..<text.utf8.count) }
    var parts = Self.parts(of: text)
    var firstLeft = 0
    var sources: [Int] = []
    var next = 0
    for scalar in normalized(text).unicodeScalars {
      var taken = 0
      for part in Self.decomposed(scalar) {
        var place = firstLeft
        while place < parts.count, parts[place].isTaken || parts[place].scalar != part { place += 1 }
        precondition(place < parts.count, "U+\(String(part.value, radix: 16)) is no part of the text")
        parts[place].isTaken = true
        if parts[place].isFirst { taken += 1 }
        while firstLeft < parts.count, parts[firstLeft].isTaken { firstLeft += 1 }
      }
      sources.append(taken == 0 ? max(0, next - 1) : next)
      next += taken
    }
    return sources
  }

  /// A character of the canonical decomposition.
  private struct Part {
    let scalar: Unicode.Scalar
    let order: UInt8
    /// Whether it begins the decomposition of a character of the text.
    let isFirst: Bool
    var isTaken = false
  }

  /// Of the whole text, in canonical order.
  private static func parts(of text: String) -> [Part] {
    var parts: [Part] = []
    var runStart = 0
    func sortRun() {
      guard parts.count - runStart > 1 else { return }
      let sorted = parts[runStart...].enumerated().sorted {
        ($0.element.order, $0.offset) < ($1.element.order, $1.offset)
      }
      parts.replaceSubrange(runStart..., with: sorted.map(\.element))
    }
    for scalar in text.unicodeScalars {
      for (place, part) in decomposed(scalar).enumerated() {
        let order = part.properties.canonicalCombiningClass.rawValue
        if order == 0 { sortRun() }
        parts.append(Part(scalar: part, order: order, isFirst: place == 0))
        if order == 0 { runStart = parts.count }
      }
    }
    sortRun()
    return parts
  }

  private static func decomposed(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    scalar.value < 0x80 ? [scalar] : Array(String(scalar)._nfd)
  }
}
