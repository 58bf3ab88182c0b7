// Which words of two texts differ; white space between words is not compared.

import JSON

struct WordDifference {
  /// A text is its pieces one after another.
  struct Piece: Equatable {
    let text: String
    let isChanged: Bool
  }

  /// The first text; changed is what the second lacks.
  let first: [Piece]
  /// The second text; changed is what the first lacks.
  let second: [Piece]

  /// Of two texts that differ in more words than this the whole middle counts as changed: the time grows with their product.
  private static let mostWords = 2000

  init(_ first: String, _ second: String) {
    let (a, b) = (Self.words(of: first), Self.words(of: second))
    let (names, others) = (a.map { UTF8Key($0.word) }, b.map { UTF8Key($0.word) })
    var (isChanged, isOtherChanged) = (names.map { _ in true }, others.map { _ in true })
    let start = zip(names, others).prefix { $0 == $1 }.count
    let end = zip(names.dropFirst(start).reversed(), others.dropFirst(start).reversed()).prefix { $0 == $1 }
      .count
    for place in 0..<start { (isChanged[place], isOtherChanged[place]) = (false, false) }
    for place in 0..<end {
      (isChanged[names.count - 1 - place], isOtherChanged[others.count - 1 - place]) = (false, false)
    }
    let (middle, otherMiddle) = (names[start..<(names.count - end)], others[start..<(others.count - end)])
    if max(middle.count, otherMiddle.count) <= Self.mostWords {
      for place in middle.indices { isChanged[place] = false }
      for place in otherMiddle.indices { isOtherChanged[place] = false }
      for change in Array(otherMiddle).difference(from: Array(middle)) {
        switch change {
        case .remove(let offset, _, _): isChanged[start + offset] = true
        case .insert(let offset, _, _): isOtherChanged[start + offset] = true
        }
      }
    }
    self.first = Self.pieces(a, isChanged, of: first)
    self.second = Self.pieces(b, isOtherChanged, of: second)
  }

  private typealias Word = (before: String, word: String)

  /// Each with the white space before it.
  private static func words(of text: String) -> [Word] {
    var words: [Word] = []
    var (before, word) = (String.UnicodeScalarView(), String.UnicodeScalarView())
    for scalar in text.unicodeScalars {
      if scalar.properties.isWhitespace {
        if !word.isEmpty {
          words.append((String(before), String(word)))
          (before, word) = (String.UnicodeScalarView(), String.UnicodeScalarView())
        }
        before.append(scalar)
      } else {
        word.append(scalar)
      }
    }
    if !word.isEmpty { words.append((String(before), String(word))) }
    return words
  }

  /// White space between two changed words is of their piece; other white space is of a piece that is not changed.
  private static func pieces(_ words: [Word], _ isChanged: [Bool], of text: String) -> [Piece] {
    var pieces: [Piece] = []
    func add(_ text: String, _ isChanged: Bool) {
      if text.isEmpty { return }
      if let last = pieces.last, last.isChanged == isChanged {
        pieces[pieces.count - 1] = Piece(text: last.text + text, isChanged: isChanged)
      } else {
        pieces.append(Piece(text: text, isChanged: isChanged))
      }
    }
    var isInside = false
    for (word, isChanged) in zip(words, isChanged) {
      add(word.before, isInside && isChanged)
      add(word.word, isChanged)
      isInside = isChanged
    }
    let written = words.reduce(0) { $0 + $1.before.utf8.count + $1.word.utf8.count }
    add(String(decoding: text.utf8.dropFirst(written), as: UTF8.self), false)
    return pieces
  }
}
