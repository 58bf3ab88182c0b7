// The stat cache: which content a file had when it was last hashed, and the file state that vouches for it.

import Glibc
import JSON
import System

/// Digests by path, each trusted only while (device, inode, size, mtime, ctime) stay what they were. A cache that is
/// lost or damaged costs a hash, never a wrong answer: the file carries a digest of itself.
package struct StatCache: Sendable {
  package struct Entry: Sendable, Equatable {
    let status: [Int64]
    let digest: Digest
  }

  private let path: String
  private var entries: [UTF8Key: Entry] = [:]
  private var isChanged = false

  package init(path: String) {
    self.path = path
    guard let rows = try? SealedText.read(path), let lines = rows.arrayValue else { return }
    for line in lines {
      guard let parts = line.arrayValue, parts.count == 7, let file = parts[0].stringValue,
        let digest = parts[6].stringValue.flatMap(Digest.init(hex:))
      else { continue }
      let status = parts[1..<6].compactMap { $0.intValue.map(Int64.init) }
      guard status.count == 5 else { continue }
      entries[UTF8Key(file)] = Entry(status: status, digest: digest)
    }
  }

  private static func fingerprint(_ status: FileStatus) -> [Int64] {
    [
      Int64(truncatingIfNeeded: status.device), Int64(truncatingIfNeeded: status.inode), Int64(status.size),
      status.modifiedNanoseconds, status.changedNanoseconds,
    ]
  }

  package func digest(of path: String, status: FileStatus) -> Digest? {
    guard let entry = entries[UTF8Key(path)], entry.status == StatCache.fingerprint(status) else {
      return nil
    }
    return entry.digest
  }

  /// `isImmutable`: nobody writes this file in place, so that a state this young can be trusted. Any other file is
  /// remembered only when its last change lies far enough back that a further change would show in its times.
  package mutating func remember(
    _ path: String, status: FileStatus, digest: Digest, isImmutable: Bool = false
  ) {
    guard isImmutable || StatCache.isOld(status) else { return }
    let entry = Entry(status: StatCache.fingerprint(status), digest: digest)
    if entries[UTF8Key(path)] != entry {
      entries[UTF8Key(path)] = entry
      isChanged = true
    }
  }

  /// Whether a further change would show in the file's times, whose grain may be that of the kernel's clock tick.
  package static func isOld(_ status: FileStatus) -> Bool {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let nanoseconds = Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
    return nanoseconds &- max(status.modifiedNanoseconds, status.changedNanoseconds) > 100_000_000
  }

  package mutating func forget(_ path: String) {
    if entries.removeValue(forKey: UTF8Key(path)) != nil { isChanged = true }
  }

  /// Not made durable: losing it is harmless. So is not having saved it, in a store that may only be read or on a full disk.
  package mutating func save(temporaries: String) {
    guard isChanged else { return }
    let sorted = entries.sorted { $0.key.string.utf8.lexicographicallyPrecedes($1.key.string.utf8) }
    let lines = sorted.map { key, entry in
      JSON.array([.string(key.string)] + entry.status.map { .int($0) } + [.string(entry.digest.hex)])
    }
    let temporary = "\(temporaries)/\(Path.name(path)).\(TemporaryName.make()).tmp"
    do {
      try File.writeWhole(SealedText.text(of: .array(lines)), to: temporary)
      try File.rename(temporary, to: path)
      isChanged = false
    } catch {
      try? File.remove(temporary)
    }
  }
}
