// A folder for one test, gone when the test is: the one way in which tests make files.

import Glibc

package final class TemporaryFolder: Sendable {
  package let path: String

  /// In memory where that can be had and nothing else is asked for: some tests fsync thousands of times.
  package init(below parent: String = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") {
    var template = Array("\(parent)/plumb-test-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil, "no folder can be made in `\(parent)`: errno \(errno)")
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { TemporaryFolder.remove(path) }

  private static func remove(_ path: String) {
    if unlink(path) == 0 { return }
    chmod(path, 0o700)
    for name in names(in: path) { remove("\(path)/\(name)") }
    rmdir(path)
  }

  private static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// What lies in it, in order.
  package var names: [String] { TemporaryFolder.names(in: path) }

  /// Not durable, which costs what tests have no need of.
  package func write(_ bytes: [UInt8], to name: String) throws {
    guard let stream = fopen("\(path)/\(name)", "w") else { throw Unwritten(name: name, code: errno) }
    defer { fclose(stream) }
    guard fwrite(bytes, 1, bytes.count, stream) == bytes.count else {
      throw Unwritten(name: name, code: errno)
    }
  }

  package func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

  /// Writes, and gives the file's path.
  @discardableResult
  package func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    try write(bytes, to: name)
    return "\(path)/\(name)"
  }

  @discardableResult
  package func file(_ name: String, _ text: String) throws -> String { try file(name, Array(text.utf8)) }

  /// Empty when there is no such file.
  package func bytes(_ name: String) -> [UInt8] {
    guard let stream = fopen("\(path)/\(name)", "r") else { return [] }
    defer { fclose(stream) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&block, 1, block.count, stream), count > 0 {
      bytes.append(contentsOf: block[..<count])
    }
    return bytes
  }

  package func text(_ name: String) -> String { String(decoding: bytes(name), as: UTF8.self) }

  private struct Unwritten: Error, CustomStringConvertible {
    let name: String
    let code: Int32
    var description: String { "cannot write `\(name)`: \(String(cString: strerror(code)))" }
  }
}
