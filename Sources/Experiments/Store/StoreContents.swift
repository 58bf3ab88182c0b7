// What a store holds, read whole: for `cache ls`, `verify`, `gc`, `push` and `pull`.

import Glibc
import JSON
import System

package struct StoreContents: Sendable {
  package struct Entry: Sendable {
    package let record: NodeRecord
    /// Since the epoch, when the record was written.
    package let seconds: Double
    /// Each object once.
    package let objects: [Object]
    /// Bytes that are there.
    package let storedBytes: Int
    package let presence: Presence
  }

  package struct Object: Sendable {
    package let digest: Digest
    package let size: Int?
    /// Manifests and metrics are small and always wanted, to see and to decide; they are never evicted.
    package let isPermanent: Bool
  }

  /// The newest first.
  package let entries: [Entry]
  /// What lies in `objects/`, by digest.
  package let objects: [Digest: FileStatus]

  package var totalBytes: Int { objects.values.reduce(0) { $0 &+ $1.size } }

  /// Looks at names and sizes; hashes nothing. A record that does not read back is set aside, with a warning.
  package init(_ store: Store) throws {
    var objects: [Digest: FileStatus] = [:]
    for name in try Manifest.files(below: "\(store.root)/objects", followingLinks: false) {
      guard let digest = Digest(hex: name.filter { $0 != "/" }),
        let status = FileStatus.of("\(store.root)/objects/\(name)")
      else { continue }
      objects[digest] = status
    }
    var entries: [Entry] = []
    for key in try store.recordKeys() {
      guard let record = try store.unverifiedRecord(key) else { continue }
      var parts: [Object] = []
      var seen: Set<Digest> = []
      for output in record.outputs {
        for part in try store.objects(of: output) where seen.insert(part.digest).inserted {
          let isPermanent = part.isManifest || output.type == .metrics
          parts.append(Object(digest: part.digest, size: part.size, isPermanent: isPermanent))
        }
      }
      let missing = parts.filter { objects[$0.digest] == nil }
      let isEvicted = missing.allSatisfy { store.isMarkedEvicted($0.digest) }
      entries.append(
        Entry(
          record: record,
          seconds: Double(try FileStatus.orThrow(store.recordPath(key)).modifiedNanoseconds) / 1e9,
          objects: parts, storedBytes: parts.reduce(0) { $0 &+ (objects[$1.digest]?.size ?? 0) },
          presence: missing.isEmpty ? .present : isEvicted ? .evicted : .gone))
    }
    self.entries = entries.sorted {
      $0.seconds != $1.seconds ? $0.seconds > $1.seconds : $0.record.key < $1.record.key
    }
    self.objects = objects
  }
}

extension Store {
  /// Of all records there are, in the order of their names.
  package func recordKeys() throws -> [String] {
    try Manifest.files(below: "\(root)/records", followingLinks: false).map(Path.name).filter {
      Digest(hex: $0) != nil
    }
  }

  /// Not followed by an fsync: an object that comes back after a crash is garbage of the next collection.
  func removeObject(_ digest: Digest) throws {
    try File.remove(objectPath(digest))
    forgetState(of: digest)
  }
}
