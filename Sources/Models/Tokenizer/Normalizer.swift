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
}

/// In the order in which errors list them.
let normalizers: [any Normalizer.Type] = [NFCNormalizer.self]
