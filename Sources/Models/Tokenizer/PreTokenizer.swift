// Pre-tokenization: cutting a text into the pieces that the model sees one by one. Hand-made scanners, no regexes.

import JSON

/// One step of `pre_tokenizer`. Each step cuts the pieces of the one before, and sees nothing beyond a piece's ends.
package protocol PreTokenizer: Sendable, CustomStringConvertible {
  /// Its `type` in `tokenizer.json`.
  static var type: String { get }

  /// - Throws: `TokenizerError` naming what is not supported, below `path`.
  init(_ json: JSON, _ path: String) throws

  /// As `tokenizer.json` has it.
  var json: JSON { get }

  /// Whether it turns characters into the byte alphabet, so that no step can follow.
  var endsInBytes: Bool { get }

  /// Where the piece that starts at `start` ends.
  /// - Parameter end: the text's end for this step, beyond `start`.
  func endOfPiece(in text: ScalarText, from start: Int, to end: Int) -> Int
}

extension PreTokenizer {
  package var endsInBytes: Bool { false }
}

/// In the order in which errors list them. `Sequence` is the list of steps itself.
let preTokenizers: [any PreTokenizer.Type] = [
  DigitsPreTokenizer.self, SplitPreTokenizer.self, ByteLevelPreTokenizer.self,
]

/// The steps of a tokenizer, in order.
package struct PreTokenizerSteps: Sendable, CustomStringConvertible {
  package let steps: [any PreTokenizer]

  package init(_ steps: [any PreTokenizer]) { self.steps = steps }

  package static let gpt2 = PreTokenizerSteps([ByteLevelPreTokenizer(usesRegex: true)])
  /// SmolLM, SmolLM2: every digit alone, then GPT-2's pieces.
  package static let smollm = PreTokenizerSteps([
    DigitsPreTokenizer(individual: true), ByteLevelPreTokenizer(usesRegex: true),
  ])
  package static let llama3 = PreTokenizerSteps([
    SplitPreTokenizer(.llama3), ByteLevelPreTokenizer(usesRegex: false),
  ])

  /// Whether text gets a space at its start. Only of a lone step: after another one, every piece would get one.
  var addsPrefixSpace: Bool {
    steps.count == 1 && (steps[0] as? ByteLevelPreTokenizer)?.addsPrefixSpace == true
  }

  package var description: String { steps.map { "\($0)" }.joined(separator: ", then ") }

  var json: JSON {
    if steps.count == 1 { return steps[0].json }
    return .object(JSONObject([("type", "Sequence"), ("pretokenizers", .array(steps.map(\.json)))]))
  }

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
      let end = steps[step].endOfPiece(in: text, from: position, to: range.upperBound)
      apply(step + 1, text, position..<end, piece)
      position = end
    }
  }
}
