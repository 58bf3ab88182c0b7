// Where tokens stand in a text: from the bytes that the model is given back to the characters of the text.

/// `trim_offsets` of a `ByteLevel` post-processor: the spaces that a token begins and ends with do not count.
package struct OffsetTrim: Sendable {
  /// `add_prefix_space`: of a token at the start of the text, a single space counts.
  let keepsPrefixSpace: Bool
}

/// Gathers places while a text is encoded, in the order of its tokens. Ranges are of UTF-8 unless they say otherwise.
struct TokenLocator {
  let trim: OffsetTrim?
  /// Where the text starts that got a space before it, if one did.
  var prefixedStart: Int?
  /// Where a normalizer has been: by byte of its text, the character of the given text.
  private var sources: [Range<Int>]?
  private var ranges: [Range<Int>] = []
  /// How much whitespace each token begins and ends with, in scalars; empty where nothing is trimmed.
  private var whitespace: [(leading: Int, trailing: Int)] = []

  init(trim: OffsetTrim?) { self.trim = trim }

  /// What is added from here on stands in `text`, which the normalizer made of `given` at `start`.
  mutating func enter(
    _ text: String, normalizedFrom given: String, at start: Int, _ normalizer: any Normalizer
  ) {
    sources = NormalizedPlaces(text, from: given, at: start, normalizer).characters
  }

  mutating func leaveNormalized() { sources = nil }

  /// The tokens of a piece.
  mutating func add(
    _ piece: Range<Int>, of bytes: UnsafeBufferPointer<UInt8>, as tokens: ArraySlice<Int32>,
    _ model: any TokenModel
  ) {
    let counts = tokens.map(model.byteCount)
    guard counts.reduce(0, +) == piece.count else {
      for _ in tokens { add(piece, leading: 0, trailing: 0) }
      return
    }
    var start = piece.lowerBound
    for count in counts {
      let token = bytes[start..<(start + count)]
      add(
        start..<(start + count), leading: token.prefix { $0 == 0x20 }.count,
        trailing: token.reversed().prefix { $0 == 0x20 }.count)
      start += count
    }
  }

  /// An added token, with the whitespace that it takes.
  mutating func add(addedToken range: Range<Int>, of bytes: UnsafeBufferPointer<UInt8>) {
    let scalars = String(decoding: bytes[range], as: UTF8.self).unicodeScalars
    // U+0120 is the space of the byte alphabet.
    func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace || scalar == "\u{120}" }
    add(
      range, leading: scalars.prefix(while: isSpace).count,
      trailing: scalars.reversed().prefix(while: isSpace).count)
  }

  private mutating func add(_ range: Range<Int>, leading: Int, trailing: Int) {
    var range = range
    if let prefixedStart {
      // The space has the place of the character before which it was put.
      range =
        (prefixedStart + max(range.lowerBound - 1, 0))..<(prefixedStart + max(range.upperBound - 1, 1))
    }
    if let sources {
      range = sources[range.lowerBound].lowerBound..<sources[range.upperBound - 1].upperBound
    }
    ranges.append(range)
    if trim != nil { whitespace.append((leading, trailing)) }
  }

  /// In UTF-8 of the text, each widened to whole scalars; nothing is trimmed.
  func places(in text: String) -> [Range<Int>] {
    var text = text
    return text.withUTF8 { bytes in
      func isInside(_ place: Int) -> Bool { place < bytes.count && bytes[place] & 0xC0 == 0x80 }
      return ranges.map { range in
        var (start, end) = (range.lowerBound, range.upperBound)
        while start > 0, isInside(start) { start -= 1 }
        while isInside(end) { end += 1 }
        return start..<end
      }
    }
  }

  /// In scalars of the text.
  func offsets(in text: String) -> [Range<Int>] {
    // By byte, the scalar that it belongs to.
    var places: [Int] = []
    places.reserveCapacity(text.utf8.count)
    for (place, scalar) in text.unicodeScalars.enumerated() {
      for _ in 0..<UTF8.width(scalar) { places.append(place) }
    }
    let offsets = ranges.map { places[$0.lowerBound]..<(places[$0.upperBound - 1] + 1) }
    guard let trim else { return offsets }
    return zip(offsets, whitespace).enumerated().map { index, token in trimmed(token.0, token.1, index, trim)
    }
  }

  /// Source: tokenizers `byte_level.rs` `process_offsets`.
  private func trimmed(
    _ range: Range<Int>, _ whitespace: (leading: Int, trailing: Int), _ index: Int, _ trim: OffsetTrim
  ) -> Range<Int> {
    let isFirst = index == 0 || range.lowerBound == 0
    let leading = isFirst && trim.keepsPrefixSpace && whitespace.leading == 1 ? 0 : whitespace.leading
    let start = min(range.lowerBound + leading, range.upperBound)
    return start..<max(range.upperBound - whitespace.trailing, start)
  }
}
