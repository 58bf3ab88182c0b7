// Where one text stands in another, byte by byte.

import Glibc

extension String {
  /// UTF-8 offsets of its first occurrence; nil where there is none. An empty text stands at the start.
  func firstPlace(of part: String) -> Range<Int>? { place(of: part, from: 0) }

  /// UTF-8 offsets of its last occurrence.
  func lastPlace(of part: String) -> Range<Int>? {
    var last: Range<Int>?
    var start = 0
    while let found = place(of: part, from: start), found.lowerBound < utf8.count {
      last = found
      start = found.lowerBound + 1
    }
    return last
  }

  /// By the first byte of the part, then all of it: the part is as short as someone writes it.
  private func place(of part: String, from start: Int) -> Range<Int>? {
    var (text, part) = (self, part)
    return text.withUTF8 { text in
      part.withUTF8 { part -> Range<Int>? in
        guard let wanted = part.baseAddress, let first = part.first else { return start..<start }
        guard let base = text.baseAddress else { return nil }
        var position = start
        while position <= text.count - part.count,
          let found = memchr(base + position, Int32(first), text.count - part.count - position + 1)
        {
          position = UnsafeRawPointer(base).distance(to: found)
          if memcmp(found, wanted, part.count) == 0 { return position..<position + part.count }
          position += 1
        }
        return nil
      }
    }
  }
}
