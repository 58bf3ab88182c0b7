// Reads a user's data file, whole or from its start.

import Compression
import Experiments
import System

/// - Parameter limit: no more bytes than these are read.
/// - Throws: `InputError` when the path is not a readable regular file, or changed under the reader.
func readDataFile(_ path: String, upTo limit: Int = .max) throws -> [UInt8] {
  try readingDataFile(path) { try File.readUserFile(path, upTo: limit) }
}

/// What is wrong with the file, as the error of an input.
func readingDataFile<T>(_ path: String, _ body: () throws -> T) throws -> T {
  do {
    return try body()
  } catch let error as UserFileError {
    throw InputError("\(path): \(error.reason)")
  } catch let error as CompressionError {
    throw InputError("\(error)")
  }
}
