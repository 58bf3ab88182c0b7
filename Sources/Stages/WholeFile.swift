// Reads a user's data file: a regular file, whole, unchanged while it was read.

import Glibc
import Runner
import System

/// - Throws: `InputError` when the path is not a readable regular file, or changed under the reader.
func wholeFile(_ path: String) throws -> [UInt8] {
  do {
    let before = try FileStatus.orThrow(path)
    let bytes = try File.read(path)
    guard try FileStatus.orThrow(path) == before, bytes.count == before.size else {
      throw InputError("\(path): the file changed while it was read; run again when it is complete")
    }
    return bytes
  } catch let error as FileKindError {
    throw InputError("\(path): \(error.kind); expected a regular file")
  } catch let error as SystemError where !error.isMachineFault || error.code == EACCES {
    throw InputError("\(path): \(String(cString: strerror(error.code)).lowercased())")
  }
}
