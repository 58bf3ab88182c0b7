// Decoding: from a token's spelling in the vocabulary to the bytes of the text that it stands for.

import JSON

/// `decoder` of `tokenizer.json`. Its flags other than its type have no effect on the decoders known here.
package protocol TokenDecoder: Sendable {
  /// Its `type` in `tokenizer.json`.
  static var type: String { get }

  /// - Throws: `TokenizerError` naming what is not supported, below `path`.
  init(_ json: JSON, _ path: String) throws

  /// As `tokenizer.json` has it.
  var json: JSON { get }

  /// The bytes that a token of the model's vocabulary stands for, whatever stands beside it.
  func bytes(of spelling: String) -> [UInt8]
}

let tokenDecoders: [any TokenDecoder.Type] = [ByteLevelDecoder.self]

/// `ByteLevel`: spellings in the byte alphabet.
package struct ByteLevelDecoder: TokenDecoder {
  package static let type = "ByteLevel"
  package init() {}
  package init(_ json: JSON, _ path: String) throws {}
  package var json: JSON { ByteLevelPreTokenizer.json(addsPrefixSpace: true, usesRegex: true) }
  package func bytes(of spelling: String) -> [UInt8] { ByteAlphabet.decode(spelling) }
}
