// Where what a normalizer gives stands in the text that it was given.

struct NormalizedPlaces {
  /// By byte of the normalized text, the UTF-8 range of the character that it stands for in the whole text.
  let characters: [Range<Int>]
  private let end: Int

  /// - Parameters:
  ///   - text: what `normalizer` made of `given`.
  ///   - start: where `given` begins in the whole text.
  init(_ text: String, from given: String, at start: Int, _ normalizer: any Normalizer) {
    var originals: [Range<Int>] = []
    var position = start
    for scalar in given.unicodeScalars {
      originals.append(position..<(position + UTF8.width(scalar)))
      position += UTF8.width(scalar)
    }
    let places = normalizer.sources(of: given)
    precondition(
      places.count == text.unicodeScalars.count,
      "\(places.count) places for \(text.unicodeScalars.count) scalars of normalized text")
    characters = zip(text.unicodeScalars, places).flatMap { scalar, place in
      [Range<Int>](repeating: originals[place], count: UTF8.width(scalar))
    }
    end = position
  }

  /// What a range of the normalized text was made of, all of it: a character that is composed is several in the whole text, and its
  /// place is that of the first.
  func given(_ range: Range<Int>) -> Range<Int> {
    let start = characters[range.lowerBound].lowerBound
    return
      start..<max(start, range.upperBound < characters.count ? characters[range.upperBound].lowerBound : end)
  }
}
