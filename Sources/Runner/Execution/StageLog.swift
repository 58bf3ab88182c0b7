// A stage's log file: what its workers print, up to a cap, with the last lines kept at hand.

import Glibc
import System

final class StageLog {
  let path: String
  private let file: File
  private var written: Int
  private var tail: [UInt8] = []

  static let capacity = 8 << 20
  static let tailLines = 20

  /// Appends to what an earlier attempt wrote.
  init(path: String) throws {
    self.path = path
    file = try File.open(path, O_WRONLY | O_CREAT | O_APPEND)
    written = try file.status().size
  }

  func append(_ bytes: ArraySlice<UInt8>) throws {
    tail.append(contentsOf: bytes)
    if tail.count > 1 << 16 { tail.removeFirst(tail.count - 1 << 15) }
    let room = StageLog.capacity - written
    guard room > 0 else { return }
    try Array(bytes.prefix(room)).withUnsafeBytes { try file.writeAll($0) }
    written += min(room, bytes.count)
    if bytes.count > room {
      try file.writeAll("\n[the log is cut here, at \(StageLog.capacity >> 20) MiB]\n")
    }
  }

  /// The last lines, without control characters, each at most 300 characters.
  var lastLines: [String] {
    let text = String(decoding: tail, as: UTF8.self)
    let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: true)
    return lines.suffix(StageLog.tailLines).map { line in
      var safe = String.UnicodeScalarView()
      for scalar in line.prefix(300) where scalar.value >= 0x20 && scalar.value != 0x7f || scalar == "\t" {
        safe.append(scalar)
      }
      return String(safe)
    }
  }

  func close() { file.closeQuietly() }
}
