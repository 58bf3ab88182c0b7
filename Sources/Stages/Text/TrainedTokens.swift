// The tokens that `train` has added to a policy, in this training or an earlier one.

import Experiments
import JSON
import Models

/// Kept in the model's `plumb.json` from one training to the next, whatever conditioning it was last trained with: these tokens are in the
/// vocabulary and stand for no text, so no sample holds one.
struct TrainedTokens: Sendable, Equatable {
  /// One a class of some conditioning.
  private(set) var classes: [String] = []
  /// Names for the embedding's rows without a token that come before the class tokens, so that other tools read the tokenizer with the
  /// same ids.
  private(set) var fillers: [String] = []

  init() {}

  /// - Throws: `InputError` when the model's `plumb.json` is not ours.
  init(_ checkpoint: Checkpoint) throws {
    guard let json = checkpoint.plumb?["added_tokens"] else {
      // Written before this was kept.
      if let conditioning = try Conditioning(checkpoint), conditioning.kind == .tokens {
        classes = conditioning.prefixes
      }
      return
    }
    func names(_ key: String) throws -> [String] {
      guard let names = json[key]?.arrayValue?.map(\.stringValue), !names.contains(nil) else {
        throw InputError(
          "\(checkpoint.path)/plumb.json: `added_tokens.\(key)`: expected a list of strings, found \((json[key] ?? .null).text())"
        )
      }
      return names.compactMap { $0 }
    }
    classes = try names("classes")
    fillers = try names("fillers")
  }

  var json: JSON {
    [
      "classes": .array(classes.map { .string($0) }), "fillers": .array(fillers.map { .string($0) }),
    ]
  }

  /// Adds class tokens after the embedding's last row, whose rows without a token are named first.
  /// - Returns: how many rows the embedding must have.
  mutating func add(_ names: [String], to tokenizer: inout Tokenizer, embeddingRows: Int) throws -> Int {
    var number = 1
    while tokenizer.count < embeddingRows {
      let filler = "<|extratoken_\(number)|>"
      number += 1
      if tokenizer.id(of: filler) != nil { continue }
      _ = try tokenizer.addTokens([filler])
      fillers.append(filler)
    }
    _ = try tokenizer.addTokens(names)
    classes += names
    return max(tokenizer.count, embeddingRows)
  }

  /// All of them: a tokenizer with them is that of the model as it was before.
  var all: [String] { classes + fillers }

  /// The vocabulary without class tokens: where KL terms end.
  func baseVocabulary(_ tokenizer: Tokenizer?, _ size: Int) -> Int {
    classes.compactMap { tokenizer?.id(of: $0) }.map { Int($0) }.min() ?? size
  }
}

/// What no sample of this model may hold: tokens that training added, and rows of the embedding without a token.
package func undrawableTokens(_ checkpoint: Checkpoint, _ tokenizer: Tokenizer) throws -> [Int32] {
  let trained = try TrainedTokens(checkpoint)
  let rows = tokenizer.count..<max(tokenizer.count, checkpoint.configuration.vocabularySize)
  return trained.all.compactMap { tokenizer.id(of: $0) }
    + rows.map { Int32(truncatingIfNeeded: $0) }
}
