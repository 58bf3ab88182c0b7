// The lock of a key: two runs that want one node compute it once, and what it reads stays until it is done.

import Glibc
import JSON
import System

/// Held from before a node's workers start until its record is written. A worker inherits the descriptor, so that the
/// key stays locked while any process that may write its journal lives; the kernel frees it at the last one's death.
package struct NodeLock: Sendable {
  package let file: File

  package enum Attempt: Sendable {
    case held(NodeLock)
    /// By another run; how its holder described itself.
    case busy(holder: String)
  }

  package static func attempt(_ key: String, in store: Store, holder: LockHolder) throws -> Attempt {
    // A free lock's file may be removed by whoever has the collection lock alone, and then is no lock any more.
    try store.withCollectionLock(shared: true) {
      let path = "\(store.root)/locks/\(key)"
      let file = try File.open(path, O_RDWR | O_CREAT)
      do {
        guard try file.tryLock() else {
          let text = try File.read(path)
          file.closeQuietly()
          return .busy(holder: LockHolder(text: text)?.description ?? "another run")
        }
        // Who holds it is a courtesy to the reader of a message, never what decides.
        try file.truncate()
        try file.writeAll(holder.json.text() + "\n")
      } catch {
        file.closeQuietly()
        throw error
      }
      return .held(NodeLock(file: file))
    }
  }

  /// Notes what the node is about to read, so that no collection removes it. `body` looks whether it is there.
  package func pin<T>(_ digests: [Digest], in store: Store, _ body: () throws -> T) throws -> T {
    try store.withCollectionLock(shared: true) {
      try file.writeAll(digests.map { $0.hex + "\n" }.joined())
      return try body()
    }
  }

  /// What is noted in a lock's file.
  static func pinned(_ text: [UInt8]) -> [Digest] {
    text.split(separator: 0x0A).compactMap { Digest(hex: String(decoding: $0, as: UTF8.self)) }
  }

  package func release() { file.closeQuietly() }
}

/// How the holder of a lock calls itself to those that wait.
package struct LockHolder: Sendable {
  package let name: String
  package let processID: pid_t
  package let host: String
  /// `2026-05-12T09:30:00.123Z`
  package let since: String

  /// This process, now.
  package init(name: String, since: String) {
    self.name = name
    processID = getpid()
    host = Machine.hostName
    self.since = since
  }

  init?(text: [UInt8]) {
    guard let line = text.split(separator: 0x0A).first, let json = try? JSON(parsing: Array(line)),
      let name = json["name"]?.stringValue, let host = json["host"]?.stringValue,
      let processID = json["process"]?.intValue.flatMap(pid_t.init(exactly:)),
      let since = json["since"]?.stringValue
    else { return nil }
    self.name = name
    self.host = host
    self.processID = processID
    self.since = since
  }

  var json: JSON {
    [
      "name": .string(name), "process": .int(Int64(processID)), "host": .string(host),
      "since": .string(since),
    ]
  }

  package var description: String {
    let text = "\(name) (process \(processID) on \(host), since \(since))"
    return isSuspended ? "\(text), which is suspended: `kill -CONT \(processID)` resumes it" : text
  }

  /// As far as this host can tell.
  private var isSuspended: Bool {
    guard host.utf8.elementsEqual(Machine.hostName.utf8),
      let text = try? File.readKernelFile("/proc/\(processID)/stat"),
      // The name before it stands in parentheses and may hold any.
      let end = text.lastIndex(of: UInt8(ascii: ")")), text.count > end + 2
    else { return false }
    return text[end + 2] == UInt8(ascii: "T") || text[end + 2] == UInt8(ascii: "t")
  }
}

extension Store {
  /// Alone for a collection while it removes; shared by everyone else while they look and note what they use.
  func withCollectionLock<T>(shared: Bool, _ body: () throws -> T) throws -> T {
    try requireWritable()
    let file = try File.open("\(root)/locks/.collection", O_RDWR | O_CREAT)
    defer { file.closeQuietly() }
    try file.waitForLock(shared: shared)
    return try body()
  }
}
