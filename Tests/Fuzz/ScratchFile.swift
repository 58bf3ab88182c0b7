// One file in memory that is written again and again.

import Glibc

final class ScratchFile: Sendable {
  let path: String
  private let descriptor: Int32

  init() {
    var template = Array("/dev/shm/plumb-fuzz-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    precondition(descriptor >= 0, "no file can be made in `/dev/shm`: errno \(errno)")
    unlink(template)
    path = "/proc/self/fd/\(descriptor)"
  }

  func write(_ bytes: [UInt8]) {
    precondition(ftruncate(descriptor, 0) == 0, "errno \(errno)")
    precondition(pwrite(descriptor, bytes, bytes.count, 0) == bytes.count, "errno \(errno)")
  }
}

/// A folder with the two files of a vocabulary, both in memory.
final class ScratchVocabulary: Sendable {
  let path: String
  private let files = [ScratchFile(), ScratchFile()]

  init() {
    var template = Array("/dev/shm/plumb-fuzz-XXXXXX".utf8CString)
    precondition(mkdtemp(&template) != nil, "no folder can be made in `/dev/shm`: errno \(errno)")
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    for (file, name) in zip(files, ["vocab.json", "merges.txt"]) {
      precondition(symlink(file.path, "\(path)/\(name)") == 0, "errno \(errno)")
    }
  }

  func remove() {
    for name in ["vocab.json", "merges.txt"] { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  func write(_ vocabulary: [UInt8], _ merges: [UInt8]) {
    files[0].write(vocabulary)
    files[1].write(merges)
  }
}
