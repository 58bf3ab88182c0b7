// What is wrong with compressed bytes.

/// Said where their file is not known.
package struct CompressionFault: Error, Sendable {
  package let problem: String
  package init(_ problem: String) { self.problem = problem }
}

/// In a file that is compressed as a whole.
package struct CompressionError: Error, Sendable, CustomStringConvertible {
  package let path: String
  /// How many bytes of the file were expanded before.
  package let offset: Int
  package let problem: String

  package var description: String { "\(path): at byte \(offset) of the file: \(problem)" }
}
