// The journal of finished items: append-only files, one a worker, read by every later attempt whatever its shards.

import Glibc
import JSON
import System

/// A line is sixteen hexadecimal digits that check the rest, a blank, and `{"id":…,"item":…,"result":…}`. A line that does not
/// check (the last, torn by a crash) is as if it were not there.
final class RowJournal {
  private let file: File
  private var pending = 0
  private var lastSync = monotonicSeconds()

  static let entriesPerSync = 64
  static let secondsPerSync = 2.0

  /// What earlier workers finished, by row id and item; the first entry of an item counts.
  static func read(_ directory: String) throws -> [UTF8Key: [Int: JSON]] {
    var results: [UTF8Key: [Int: JSON]] = [:]
    for name in try File.names(in: directory) where name.utf8.suffix(6).elementsEqual(".jsonl".utf8) {
      let bytes = try File.read("\(directory)/\(name)")
      // What follows the last newline was torn.
      for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: true) {
        guard line.count > 17, line[line.startIndex + 16] == 0x20 else { continue }
        let body = line[(line.startIndex + 17)...]
        guard line[..<(line.startIndex + 16)].elementsEqual(checksum(body).utf8),
          let entry = try? body.withUnsafeBytes({ try JSON(parsing: $0) }),
          let id = entry["id"]?.stringValue, let item = entry["item"]?.intValue, let result = entry["result"]
        else { continue }
        if results[UTF8Key(id)]?[item] == nil { results[UTF8Key(id), default: [:]][item] = result }
      }
    }
    return results
  }

  /// Opens a new file of its own in the directory.
  init(in directory: String) throws {
    try File.makeDirectory(directory)
    var number = 0
    while true {
      do {
        file = try File.open(
          "\(directory)/\(getpid())-\(number).jsonl", O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
        break
      } catch let error as SystemError where error.code == EEXIST {
        number += 1
      }
    }
    try File.synchronizeDirectory(directory)
  }

  func append(id: String, item: Int, result: JSON) throws {
    let body = (["id": .string(id), "item": .int(Int64(item)), "result": result] as JSON).text()
    // One write a line: a crash of this process alone then loses nothing that was appended.
    try file.writeAll("\(RowJournal.checksum(body.utf8)) \(body)\n")
    pending += 1
    if pending >= RowJournal.entriesPerSync || monotonicSeconds() - lastSync >= RowJournal.secondsPerSync {
      try synchronize()
    }
  }

  func synchronize() throws {
    guard pending > 0 else { return }
    try file.synchronize()
    pending = 0
    lastSync = monotonicSeconds()
  }

  deinit { file.closeQuietly() }

  /// FNV-1a, 64 bits: enough against tears; the store's digests are against all else.
  static func checksum(_ bytes: some Sequence<UInt8>) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let hex = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - hex.utf8.count) + hex
  }
}
