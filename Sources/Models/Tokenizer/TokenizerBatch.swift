// Encoding many texts at once.

import System

extension Tokenizer {
  /// The ids of each text as `encode` gives them, computed on so many threads.
  package func encode(_ texts: [String], parseSpecial: Bool = false, threads: Int) throws -> [[Int32]] {
    try mapConcurrently(texts.count, threads: threads) { encode(texts[$0], parseSpecial: parseSpecial) }
  }
}
