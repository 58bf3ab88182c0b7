// Pre-tokenization: cutting a text into the pieces inside which byte pairs may merge. Hand-made scanners, no regexes.

/// One step of pre-tokenization; each step cuts the pieces of the one before, and sees nothing beyond a piece's ends.
package enum PreTokenizerStep: Sendable, Equatable {
  /// Hugging Face `Digits`: digits stand apart, each alone or in runs.
  case digits(individual: Bool)
  /// A known regular expression whose matches are the pieces.
  case split(SplitPattern)
  /// The byte-level alphabet without its own regex: cuts nothing.
  case bytes
}

/// The regular expressions that published tokenizers split with.
package enum SplitPattern: String, Sendable, CaseIterable {
  /// Also what Hugging Face `ByteLevel` uses itself (`use_regex`).
  case gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  /// Llama 3 and cl100k.
  case llama3 =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  case qwen2 =
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
}

package struct PreTokenizer: Sendable, Equatable {
  package let steps: [PreTokenizerStep]

  package init(_ steps: [PreTokenizerStep]) { self.steps = steps }

  /// SmolLM, SmolLM2: every digit alone, then GPT-2's pieces.
  package static let smollm = PreTokenizer([.digits(individual: true), .split(.gpt2)])
  package static let gpt2 = PreTokenizer([.split(.gpt2)])
  package static let llama3 = PreTokenizer([.split(.llama3)])

  /// Calls `piece` for each piece of `text[range]`, in order; together they cover it.
  func forEachPiece(of text: ScalarText, in range: Range<Int>, _ piece: (Range<Int>) -> Void) {
    apply(0, text, range, piece)
  }

  private func apply(_ step: Int, _ text: ScalarText, _ range: Range<Int>, _ piece: (Range<Int>) -> Void) {
    guard !range.isEmpty else { return }
    guard step < steps.count else {
      piece(range)
      return
    }
    var position = range.lowerBound
    while position < range.upperBound {
      let end: Int
      switch steps[step] {
      case .bytes: end = range.upperBound
      case .digits(let individual):
        end = endOfDigits(text, position, range.upperBound, individual: individual)
      case .split(.gpt2): end = SplitScanner(text: text, end: range.upperBound).gpt2Match(at: position)
      case .split(.llama3):
        end = SplitScanner(text: text, end: range.upperBound).llamaMatch(at: position, digitRun: 3)
      case .split(.qwen2):
        end = SplitScanner(text: text, end: range.upperBound).llamaMatch(at: position, digitRun: 1)
      }
      apply(step + 1, text, position..<end, piece)
      position = end
    }
  }

  private func endOfDigits(_ text: ScalarText, _ start: Int, _ end: Int, individual: Bool) -> Int {
    let (first, next) = text.scalar(at: start)
    let startsWithDigit = CharacterClass(first) == .number
    if startsWithDigit && individual { return next }
    var position = next
    while position < end {
      let (scalar, next) = text.scalar(at: position)
      if (CharacterClass(scalar) == .number) != startsWithDigit { break }
      position = next
    }
    return position
  }
}
