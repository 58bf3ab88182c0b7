// White space at the ends of a text, as Python's `str.strip` sees it.

extension ModelText {
  /// Without it. Source: `str.strip`: white space of Unicode, and the four separators U+001C to U+001F.
  func stripped() -> ModelText {
    var range = 0..<text.utf8.count
    var scalars = text.unicodeScalars[...]
    while let first = scalars.first, first.isPythonSpace {
      range = range.lowerBound + UTF8.width(first)..<range.upperBound
      scalars.removeFirst()
    }
    while let last = scalars.last, last.isPythonSpace {
      range = range.lowerBound..<range.upperBound - UTF8.width(last)
      scalars.removeLast()
    }
    return self[range]
  }
}

extension Unicode.Scalar {
  fileprivate var isPythonSpace: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }
}
