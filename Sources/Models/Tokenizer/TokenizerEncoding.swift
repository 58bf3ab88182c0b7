// Encoding: from a text to token ids, and to where each token stands in the text.

extension Tokenizer {
  /// The ids of a text.
  /// - Parameters:
  ///   - parseSpecial: whether special tokens written out in the text become those tokens. False for text from users and
  ///     data, which must not be able to end a turn or set a condition. Added tokens that are not special always count.
  ///   - addSpecialTokens: whether the begin token is put first, where this tokenizer does so.
  ///   - isContinuation: whether the text goes on where another one ends, so that no space is put before it.
  package func encode(
    _ text: String, parseSpecial: Bool = false, addSpecialTokens: Bool = false, isContinuation: Bool = false
  ) -> [Int32] {
    var locator: TokenLocator?
    return begin(addSpecialTokens)
      + encode(text, isContinuation, readsSpecial: { _ in parseSpecial }, &locator)
  }

  /// The ids of a text in which special tokens are read where all of one stands inside one of these UTF-8 ranges, which ascend.
  package func encode(_ text: String, specialIn ranges: [Range<Int>], isContinuation: Bool = false) -> [Int32]
  {
    var locator: TokenLocator?
    return encode(text, isContinuation, readsSpecial: Self.isInside(ranges), &locator)
  }

  /// Where the tokens that this text has stand in it: the UTF-8 of the characters that each stands for, wholly or in part. White space
  /// that a token begins or ends with counts, whatever the tokenizer says of its offsets.
  package func places(in text: String, specialIn ranges: [Range<Int>]) -> [Range<Int>] {
    var locator: TokenLocator? = TokenLocator(trim: nil)
    _ = encode(text, false, readsSpecial: Self.isInside(ranges), &locator)
    return locator?.places(in: text) ?? []
  }

  private static func isInside(_ ranges: [Range<Int>]) -> (Range<Int>) -> Bool {
    var next = 0
    return { token in
      // Tokens come in the order of the text within each of the two passes.
      if next > 0, ranges[next - 1].upperBound >= token.upperBound { next = 0 }
      while next < ranges.count, ranges[next].upperBound < token.upperBound { next += 1 }
      return next < ranges.count && ranges[next].lowerBound <= token.lowerBound
    }
  }

  /// The same with the place of each token: the scalars of the text that it stands for, wholly or in part, so that the
  /// tokens of a character that is several have the same. A begin token that is put first has 0 ..< 0.
  /// Source: the offsets of tokenizers `Encoding`. Deviation: of a piece with a byte that has no token, all tokens have the
  /// place of the piece.
  package func encodeWithOffsets(
    _ text: String, parseSpecial: Bool = false, addSpecialTokens: Bool = false
  ) -> (ids: [Int32], offsets: [Range<Int>]) {
    var locator: TokenLocator? = TokenLocator(trim: offsetTrim)
    let ids = encode(text, false, readsSpecial: { _ in parseSpecial }, &locator)
    let begin = begin(addSpecialTokens)
    return (begin + ids, begin.map { _ in 0..<0 } + (locator?.offsets(in: text) ?? []))
  }

  private func begin(_ isWanted: Bool) -> [Int32] {
    isWanted && addsBeginToken ? [beginToken].compactMap { $0 } : []
  }

  private func encode(
    _ text: String, _ isContinuation: Bool, readsSpecial: (Range<Int>) -> Bool,
    _ locator: inout TokenLocator?
  ) -> [Int32] {
    var output: [Int32] = []
    let encodePiece = model.encoder()
    func encodePieces(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
      preTokenizer.forEachPiece(of: ScalarText(bytes: bytes), in: range) { piece in
        let start = output.count
        encodePiece(UnsafeBufferPointer(rebasing: bytes[piece]), &output)
        locator?.add(piece, of: bytes, as: output[start...], model)
      }
    }
    /// Text that has been normalized: added tokens that are looked for in it, and pieces.
    func encodeNormalized(
      _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, readsSpecial: (Range<Int>) -> Bool
    ) {
      second.split(
        ScalarText(bytes: bytes), range, readsSpecial: readsSpecial,
        plain: { range in
          guard preTokenizer.addsPrefixSpace, bytes[range.lowerBound] != 0x20,
            !isContinuation || !output.isEmpty
          else {
            encodePieces(bytes, range)
            return
          }
          locator?.prefixedStart = range.lowerBound
          ([0x20] + bytes[range]).withUnsafeBufferPointer { encodePieces($0, 0..<$0.count) }
          locator?.prefixedStart = nil
        },
        token: {
          output.append($0)
          locator?.add(addedToken: $1, of: bytes)
        })
    }
    var text = text
    text.withUTF8 { bytes in
      first.split(
        ScalarText(bytes: bytes), 0..<bytes.count, readsSpecial: readsSpecial,
        plain: { range in
          guard let normalizer else {
            encodeNormalized(bytes, range, readsSpecial: readsSpecial)
            return
          }
          let given = String(decoding: bytes[range], as: UTF8.self)
          let normalized = normalizer.normalized(given)
          var text = normalized
          locator?.enter(normalized, normalizedFrom: given, at: range.lowerBound, normalizer)
          // Made for the first special token that is found there.
          lazy var places = NormalizedPlaces(normalized, from: given, at: range.lowerBound, normalizer)
          text.withUTF8 {
            encodeNormalized($0, 0..<$0.count, readsSpecial: { readsSpecial(places.given($0)) })
          }
          locator?.leaveNormalized()
        },
        token: {
          output.append($0)
          locator?.add(addedToken: $1, of: bytes)
        })
    }
    return output
  }
}
