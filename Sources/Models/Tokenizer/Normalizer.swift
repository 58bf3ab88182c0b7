// Normalization: what happens to a text before it is cut.

import JSON

/// `normalizer` of `tokenizer.json`. Added tokens that are not `normalized` are found before it, the others in what it gives.
package protocol Normalizer: Sendable {
  /// Its `type` in `tokenizer.json`.
  static var type: String { get }

  /// - Throws: `TokenizerError` naming what is not supported, below `path`.
  init(_ json: JSON, _ path: String) throws

  /// As `tokenizer.json` has it.
  var json: JSON { get }

  func normalized(_ text: String) -> String

  /// For each scalar of `normalized(text)` in order, the place in `text` of the scalar that it stands for, counted in scalars; ascending.
  func sources(of text: String) -> [Int]
}

/// In the order in which errors list them.
let normalizers: [any Normalizer.Type] = [NFCNormalizer.self]
