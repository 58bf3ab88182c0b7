// White space as Python's `str.strip` and `str.split` see it.

extension ModelText {
  /// Without it.
  func stripped() -> ModelText { self[text.rangeWithoutWhitespace] }
}

extension String {
  /// Without it. Source: `str.strip`: white space of Unicode, and the four separators U+001C to U+001F.
  var strippedOfWhitespace: String {
    let range = rangeWithoutWhitespace
    return range.count == utf8.count ? self : bytes(range)
  }

  /// The bytes of a range of UTF-8 offsets, which begins and ends between characters.
  func bytes(_ range: Range<Int>) -> String {
    var text = self
    return text.withUTF8 { String(decoding: $0[range], as: UTF8.self) }
  }

  /// What is left of it, in UTF-8 offsets.
  fileprivate var rangeWithoutWhitespace: Range<Int> {
    var range = 0..<utf8.count
    var scalars = unicodeScalars[...]
    while let first = scalars.first, first.isPythonSpace {
      range = range.lowerBound + UTF8.width(first)..<range.upperBound
      scalars.removeFirst()
    }
    while let last = scalars.last, last.isPythonSpace {
      range = range.lowerBound..<range.upperBound - UTF8.width(last)
      scalars.removeLast()
    }
    return range
  }

  /// What stands between white space. Source: `text.split()` of Python.
  var words: [String] {
    unicodeScalars.split { $0.isPythonSpace }.map { String($0) }
  }

  /// How many words it has. Source: `len(text.split())` of Python.
  var wordCount: Int {
    var count = 0
    var isInWord = false
    for scalar in unicodeScalars {
      let isSpace = scalar.isPythonSpace
      if !isSpace, !isInWord { count += 1 }
      isInWord = !isSpace
    }
    return count
  }
}

extension Unicode.Scalar {
  fileprivate var isPythonSpace: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }
}
