// Text in lines of a given width.

extension TextTable {
  /// Broken at spaces where there are any; never wider than `columns`. What does not fit into so many lines ends in `…`.
  package static func wrapped(_ text: String, to columns: Int, lines limit: Int = .max) -> [String] {
    var lines: [String] = []
    var line = ""
    var used = 0
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      if lines.count > limit { break }
      var word = String(word)
      if !line.isEmpty, used + 1 + width(word) > columns {
        lines.append(line)
        (line, used) = ("", 0)
      } else if !line.isEmpty {
        word = " " + word
      }
      for character in word {
        let count = width(String(character))
        if used + count > columns {
          lines.append(line)
          (line, used) = ("", 0)
        }
        line.append(character)
        used += count
      }
    }
    lines.append(line)
    guard lines.count > limit, let last = lines.prefix(limit).last else { return lines }
    return lines.prefix(limit - 1) + [TerminalText.line(last + "……", columns: min(width(last) + 1, columns))]
  }
}
