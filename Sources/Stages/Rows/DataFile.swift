// Reads a user's data file, whole.

import Runner
import System

/// - Throws: `InputError` when the path is not a readable regular file, or changed under the reader.
func readDataFile(_ path: String) throws -> [UInt8] {
  do {
    return try File.readUserFile(path)
  } catch let error as UserFileError {
    throw InputError("\(path): \(error.reason)")
  }
}
