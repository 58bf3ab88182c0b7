// Tokens that are found in the text as they stand, before any merging: special markers and later additions.

import JSON

/// An entry of `added_tokens`.
package struct AddedToken: Sendable, Equatable {
  package let id: Int32
  package let content: String
  /// Special tokens are left out of decoded text on request, and are not recognised in user text.
  package let special: Bool
  /// Takes the whitespace on its left (right) with it.
  package let lstrip: Bool
  package let rstrip: Bool
  /// Found only where no character of a word stands beside it.
  package let singleWord: Bool
  /// Looked for after, not before, the tokens that are not normalized, in the text that the normalizer gives.
  package let normalized: Bool

  package init(
    id: Int32, content: String, special: Bool, lstrip: Bool = false, rstrip: Bool = false,
    singleWord: Bool = false, normalized: Bool = false
  ) {
    self.id = id
    self.content = content
    self.special = special
    self.lstrip = lstrip
    self.rstrip = rstrip
    self.singleWord = singleWord
    self.normalized = normalized
  }
}

/// Finds added tokens in a text: leftmost first, longest among those that start together.
struct AddedTokenMatcher: Sendable {
  private struct Candidate {
    let bytes: [UInt8]
    let token: AddedToken
  }

  /// By first byte; longest first.
  private var candidates: [[Candidate]]
  /// Of each byte, whether any begins with it.
  private var isFirst = [Bool](repeating: false, count: 256)
  private(set) var isEmpty = true

  /// - Parameter normalizer: of the text in which they are looked for, where that is normalized.
  init(_ tokens: [AddedToken], in normalizer: (any Normalizer)? = nil) {
    candidates = [[Candidate]](repeating: [], count: 256)
    for token in tokens {
      let bytes = Array((normalizer?.normalized(token.content) ?? token.content).utf8)
      guard let first = bytes.first else { continue }
      isEmpty = false
      isFirst[Int(first)] = true
      candidates[Int(first)].append(Candidate(bytes: bytes, token: token))
    }
    for first in 0..<256 { candidates[first].sort { $0.bytes.count > $1.bytes.count } }
  }

  /// Cuts `text[range]` at the tokens, calling `plain` and `token` in the order of the text. A special token whose range
  /// `readsSpecial` declines stays plain text as a whole.
  /// Source: tokenizers `added_vocabulary.rs` `find_matches`. As there, a token is also found in whitespace that the one before it took.
  func split(
    _ text: ScalarText, _ range: Range<Int>, readsSpecial: (Range<Int>) -> Bool, plain: (Range<Int>) -> Void,
    token: (Int32, Range<Int>) -> Void
  ) {
    guard !isEmpty else {
      plain(range)
      return
    }
    var plainStart = range.lowerBound
    var position = range.lowerBound
    while position < range.upperBound {
      guard isFirst[Int(text.bytes[position])], let match = match(text, position, range.upperBound) else {
        position += 1
        continue
      }
      var start = position
      var end = position + match.bytes.count
      position = end
      if match.token.special, !readsSpecial(start..<end) { continue }
      if match.token.singleWord, isInsideWord(text, start..<end, of: range) { continue }
      if match.token.lstrip { start = startOfWhitespace(text, before: start, notBefore: plainStart) }
      if match.token.rstrip { end = endOfWhitespace(text, from: end, to: range.upperBound) }
      if plainStart < start { plain(plainStart..<start) }
      token(match.token.id, start..<end)
      plainStart = end
    }
    if plainStart < range.upperBound { plain(plainStart..<range.upperBound) }
  }

  private func match(_ text: ScalarText, _ position: Int, _ end: Int) -> Candidate? {
    let list = candidates[Int(text.bytes[position])]
    if list.isEmpty { return nil }
    return list.first { candidate in
      guard candidate.bytes.count <= end - position else { return false }
      return candidate.bytes.withUnsafeBufferPointer { bytes in
        (0..<bytes.count).allSatisfy { bytes[$0] == text.bytes[position + $0] }
      }
    }
  }

  /// Whether a character of a word stands at either end.
  private func isInsideWord(_ text: ScalarText, _ token: Range<Int>, of range: Range<Int>) -> Bool {
    if token.lowerBound > range.lowerBound {
      let before = text.startOfScalar(before: token.lowerBound, notBefore: range.lowerBound)
      if text.scalar(at: before).scalar.isWordCharacter { return true }
    }
    return token.upperBound < range.upperBound && text.scalar(at: token.upperBound).scalar.isWordCharacter
  }

  private func startOfWhitespace(_ text: ScalarText, before end: Int, notBefore limit: Int) -> Int {
    var start = end
    while start > limit {
      let previous = text.startOfScalar(before: start, notBefore: limit)
      guard text.scalar(at: previous).scalar.properties.isWhitespace else { break }
      start = previous
    }
    return start
  }

  private func endOfWhitespace(_ text: ScalarText, from start: Int, to end: Int) -> Int {
    var position = start
    while position < end {
      let (scalar, next) = text.scalar(at: position)
      guard scalar.properties.isWhitespace else { break }
      position = next
    }
    return position
  }
}
