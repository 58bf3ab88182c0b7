// The files of the user's that an option names, and the digest that stands for them in keys.

import JSON
import System

package struct OptionFiles: Sendable, Equatable {
  /// Dotted path of the option.
  package var option: String
  /// Absolute, in the order in which they are read.
  package var paths: [String]

  package init(_ option: String, _ paths: [String]) {
    self.option = option
    self.paths = paths
  }

  /// What the option's value becomes: of one file its path, of several a list of them.
  package var json: JSON {
    paths.count == 1 ? .string(paths[0]) : .array(paths.map { .string($0) })
  }

  /// Of one file its own; of several that of their digests, one after the other. Neither names nor places are in it.
  package func digest(file digest: (String) throws -> Digest) rethrows -> Digest {
    Self.digest(of: try paths.map(digest))
  }

  package static func digest(of digests: [Digest]) -> Digest {
    if digests.count == 1 { return digests[0] }
    let text: JSON = ["files": .array(digests.map { .string($0.hex) }), "format": 1]
    return Digest.of(text: text.text(.canonical))
  }
}
