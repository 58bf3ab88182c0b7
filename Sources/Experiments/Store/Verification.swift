// `cache verify`: every byte of a store read and held against its name.

import Glibc
import JSON
import Synchronization
import System

package struct Verification: Sendable {
  package struct Damage: Sendable {
    /// Below the store's root.
    package let path: String
    /// What is wrong with it, in words.
    package let problem: String
    /// Addresses whose results need it.
    package let neededBy: [String]
  }

  /// In the order of their paths.
  package let damages: [Damage]
  package let objectCount: Int
  package let recordCount: Int
  package let bytes: Int

  /// Nothing is believed: no remembered state counts. With `repairing` what is damaged is set aside, so that the next run
  /// computes it anew. `progress` gets the bytes read so far and those in all; any thread may call it.
  package init(
    of store: Store, repairing: Bool, progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws {
    var damages: [Damage] = []
    var records: [NodeRecord] = []
    for key in try store.recordKeys() {
      let path = "records/\(key.prefix(2))/\(key)"
      if let record = try store.readRecord(key) {
        records.append(record)
      } else {
        damages.append(Damage(path: path, problem: "is not a readable record", neededBy: []))
        if repairing { try store.setAside("\(store.root)/\(path)", as: "record-\(key)", what: "a record") }
      }
    }
    var users: [Digest: [String]] = [:]
    for record in records {
      for output in record.outputs {
        for part in try store.objects(of: output) { users[part.digest, default: []].append(record.address) }
      }
    }
    func needed(_ digest: Digest) -> [String] {
      Set((users[digest] ?? []).map(UTF8Key.init)).map(\.string).sorted {
        $0.utf8.lexicographicallyPrecedes($1.utf8)
      }
    }
    let names = try Manifest.files(below: "\(store.root)/objects", followingLinks: false)
    let paths = names.map { "\(store.root)/objects/\($0)" }
    let sizes = paths.map { FileStatus.of($0)?.size ?? 0 }
    let total = sizes.reduce(0, +)
    let digests = try Self.digests(of: paths, sizes) { progress($0, total) }
    var present: Set<Digest> = []
    for (index, name) in names.enumerated() {
      guard let found = digests[index] else { continue }
      let path = paths[index]
      let hex = name.filter { $0 != "/" }
      if hex == found.digest.hex {
        present.insert(found.digest)
        continue
      }
      let wanted = Digest(hex: hex)
      damages.append(
        Damage(
          path: "objects/\(name)",
          problem: wanted == nil
            ? "is not an object's name" : "holds bytes of sha256 \(found.digest.hex.prefix(12))…",
          neededBy: wanted.map(needed) ?? []))
      if repairing { try store.setAside(path, as: hex.filter { $0 != "." }, what: "an object") }
    }
    for digest in users.keys.sorted(by: { $0.hex < $1.hex })
    where !present.contains(digest) && !store.isMarkedEvicted(digest) {
      let name = "\(digest.hex.prefix(2))/\(digest.hex.dropFirst(2))"
      // Named already when it is there with other bytes.
      guard !names.contains(name) else { continue }
      damages.append(Damage(path: "objects/\(name)", problem: "is missing", neededBy: needed(digest)))
    }
    self.damages = damages.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    objectCount = names.count
    recordCount = records.count
    bytes = total
  }

  /// What each file holds; nil for one that is gone. A file is hashed by one thread, several files at a time.
  private static func digests(of paths: [String], _ sizes: [Int], progress: @Sendable (_ done: Int) -> Void)
    throws -> [(digest: Digest, size: Int)?]
  {
    // The largest first, so that no thread is at one when all others have ended.
    let order = paths.indices.sorted { sizes[$0] != sizes[$1] ? sizes[$0] > sizes[$1] : $0 < $1 }
    let done = Atomic(0)
    let found = try mapConcurrently(order.count, threads: Machine.current().processors, chunk: 1) {
      place -> (digest: Digest, size: Int)? in
      do {
        let found = try Digest.ofFile(paths[order[place]])
        progress(done.add(found.size, ordering: .relaxed).newValue)
        return found
      } catch let error as SystemError where error.code == ENOENT {
        return nil
      }
    }
    var inOrder = [(digest: Digest, size: Int)?](repeating: nil, count: paths.count)
    for (place, index) in order.enumerated() { inOrder[index] = found[place] }
    return inOrder
  }
}
