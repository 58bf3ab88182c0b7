// The lock of a key: two runs that want one node compute it once.

import Glibc

/// Held from before a node's workers start until its record is written. A worker inherits the descriptor, so that the
/// key stays locked while any process that may write its journal lives; the kernel frees it at the last one's death.
package struct NodeLock: Sendable {
  package let file: File

  package enum Attempt: Sendable {
    case held(NodeLock)
    /// By another run; how its holder described itself.
    case busy(holder: String)
  }

  package static func attempt(_ key: String, in store: Store, holder: String) throws -> Attempt {
    let path = "\(store.root)/locks/\(key)"
    let file = try File.open(path, O_RDWR | O_CREAT)
    do {
      guard try file.tryLock() else {
        let text = String(decoding: try File.read(path).prefix(200), as: UTF8.self)
        file.closeQuietly()
        return .busy(holder: text.isEmpty ? "another run" : text)
      }
      // Who holds it is a courtesy to the reader of a message, never what decides.
      try file.truncate()
      try file.writeAll(holder)
    } catch {
      file.closeQuietly()
      throw error
    }
    return .held(NodeLock(file: file))
  }

  package func release() { file.closeQuietly() }
}
