// A Parquet file that breaks a rule of its format, or uses a part of it that is not read.

import Compression
import System

/// Names from the file reach a message through `quoted`.
package struct ParquetError: Error, Sendable, Equatable, CustomStringConvertible {
  package let path: String
  /// The part of the file, already in words: "column `a`".
  package let part: String
  package let problem: String

  package var description: String { "\(path): \(part): \(problem)" }
}

/// What is wrong, said where the file and the part are not known.
struct ParquetFault: Error {
  let problem: String
  init(_ problem: String) { self.problem = problem }
}

/// Runs `body`; a fault in it gets its place.
func inPart<T>(_ part: @autoclosure () -> String, of path: String, _ body: () throws -> T) throws -> T {
  do {
    return try body()
  } catch let fault as ParquetFault {
    throw ParquetError(path: path, part: part(), problem: fault.problem)
  } catch let fault as CompressionFault {
    throw ParquetError(path: path, part: part(), problem: fault.problem)
  }
}
