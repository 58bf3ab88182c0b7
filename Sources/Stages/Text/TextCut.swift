// How a text that is too long is cut: one field of it, at one side, by the field's own tokens; what stands around it stays.

import Experiments
import Models

/// The field's own tokens are those that it has alone. They are taken away from one side, first as many as the text has too many, again as
/// many as it then still has too many, and so on; then as many are put back as fit, which is tried for 16 more than the last number that
/// fits: a part of a word may have more tokens than the word. The text is joined from what stands before the field, what is left of it and
/// what stands after it, and cut into tokens once. A character of which a token is taken away is taken away whole.
package struct TextCut: Sendable, Equatable {
  package enum Side: String, CaseIterable, Sendable { case left, right }
  package let side: Side
  /// How many bytes the field loses.
  package let byteCount: Int

  package init(_ side: Side, byteCount: Int) {
    self.side = side
    self.byteCount = byteCount
  }
}

extension ModelText {
  /// The text after a cut; a field that stands in it several times loses the same everywhere.
  package func cut(_ cut: TextCut) -> ModelText {
    var result = ModelText()
    var end = 0
    for part in cuttable {
      let count = min(cut.byteCount, part.count)
      let start = cut.side == .left ? part.lowerBound : part.upperBound - count
      result.append(self[end..<start])
      end = start + count
    }
    result.append(self[end..<text.utf8.count])
    return result
  }

  /// The cut after which a model reads at most `maximum` tokens; nil where it reads more without the whole field.
  /// - Parameter count: after a cut, the tokens that the model reads; nil where there is nothing left to read.
  package func cut(
    to maximum: Int, at side: TextCut.Side, _ tokenizer: Tokenizer, count: (TextCut) throws -> Int?
  ) rethrows -> TextCut? {
    guard let part = cuttable.first else { return nil }
    let field = self[part]
    var places = tokenizer.places(in: field.text, specialIn: field.literals)
    if side == .right { places.reverse() }
    // Bytes that are gone when so many tokens are.
    var bytes = [0]
    for place in places {
      bytes.append(
        max(bytes[bytes.count - 1], side == .left ? place.upperBound : part.count - place.lowerBound))
    }
    if !places.isEmpty { bytes[bytes.count - 1] = part.count }
    func excess(_ taken: Int) throws -> Int {
      try count(TextCut(side, byteCount: bytes[taken])).map { $0 - maximum } ?? 1
    }

    var taken = 0
    var tooMany = try excess(0)
    while tooMany > 0, taken < places.count {
      taken = min(places.count, taken + (tooMany + cuttable.count - 1) / cuttable.count)
      tooMany = try excess(taken)
    }
    while let fewer = try (max(0, taken - 16)..<taken).reversed().first(where: { try excess($0) <= 0 }) {
      taken = fewer
      tooMany = 0
    }
    if tooMany > 0 { return nil }
    return TextCut(side, byteCount: bytes[taken])
  }
}
