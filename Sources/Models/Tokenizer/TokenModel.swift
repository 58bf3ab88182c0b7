// The model of a tokenizer: from a piece of text to token ids.

import JSON

/// `model` of `tokenizer.json`. Ids are positions in its vocabulary.
package protocol TokenModel: Sendable, CustomStringConvertible {
  /// Its `type` in `tokenizer.json`.
  static var type: String { get }

  /// - Throws: `TokenizerError` naming what is wrong or not supported, below `path`.
  init(_ json: JSON, _ path: String) throws

  /// As `tokenizer.json` has it, read by every version of tokenizers.
  var json: JSON { get }

  var vocabulary: Vocabulary { get }

  /// How many bytes of a text a token of the vocabulary stands for.
  func byteCount(of id: Int32) -> Int

  /// How many of the 256 bytes have no token, and are left out of what is encoded.
  var missingByteCount: Int { get }

  /// What it holds beside tokens, for `inspect`: `merges: 48900`.
  var facts: [String] { get }

  /// A function that appends the ids of one piece of UTF-8. It reuses its memory from piece to piece, and is called from one thread.
  func encoder() -> PieceEncoder
}

package typealias PieceEncoder = (_ piece: UnsafeBufferPointer<UInt8>, _ output: inout [Int32]) -> Void

/// In the order in which errors list them.
let tokenModels: [any TokenModel.Type] = [BytePairModel.self]
