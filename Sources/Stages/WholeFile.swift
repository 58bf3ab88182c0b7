// Reads a user's data file: a regular file, whole, unchanged while it was read.

import Glibc
import Runner

/// - Throws: `InputError` when the path is not a readable regular file, or changed under the reader.
func wholeFile(_ path: String) throws -> [UInt8] {
  // O_NONBLOCK: opening a pipe must not wait for its writer.
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  guard descriptor >= 0 else { throw InputError("\(path): \(String(cString: strerror(errno)).lowercased())") }
  defer { close(descriptor) }
  let before = try status(descriptor, path)
  let kind = before.st_mode & S_IFMT
  guard kind == S_IFREG else {
    throw InputError("\(path): \(kind == S_IFDIR ? "a directory" : "not a regular file"); expected a file")
  }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(Int(clamping: before.st_size))
  var chunk = [UInt8](repeating: 0, count: 1 << 18)
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    if count < 0 {
      if errno == EINTR { continue }
      throw InputError("\(path): \(String(cString: strerror(errno)).lowercased())")
    }
    if count == 0 { break }
    bytes.append(contentsOf: chunk[..<count])
  }
  let after = try status(descriptor, path)
  guard
    after.st_size == before.st_size, bytes.count == before.st_size,
    after.st_mtim.tv_sec == before.st_mtim.tv_sec, after.st_mtim.tv_nsec == before.st_mtim.tv_nsec
  else { throw InputError("\(path): the file changed while it was read; run again when it is complete") }
  return bytes
}

private func status(_ descriptor: Int32, _ path: String) throws -> stat {
  var result = stat()
  guard fstat(descriptor, &result) == 0 else {
    throw InputError("\(path): \(String(cString: strerror(errno)).lowercased())")
  }
  return result
}
