// Reads a user's data file, whole or from its start.

import Runner
import System

/// - Parameter limit: no more bytes than these are read.
/// - Throws: `InputError` when the path is not a readable regular file, or changed under the reader.
func readDataFile(_ path: String, upTo limit: Int = .max) throws -> [UInt8] {
  do {
    return try File.readUserFile(path, upTo: limit)
  } catch let error as UserFileError {
    throw InputError("\(path): \(error.reason)")
  }
}
