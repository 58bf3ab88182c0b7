// Why a tokenizer cannot be used.

import System

/// `location` is a JSON path of `tokenizer.json` (`model.merges[3]`) or a GGUF metadata key.
package struct TokenizerError: Error, Sendable, Equatable, CustomStringConvertible {
  package let location: String
  package let problem: String
  package init(_ location: String, _ problem: String) {
    self.location = location
    self.problem = problem
  }
  package var description: String { "\(quoted(location)): \(problem)" }
}
