// `cache gc`: drops bytes nobody needs, oldest use first, and keeps every record.

import Glibc
import JSON
import System

package struct CollectionOptions: Sendable {
  /// Evict until the objects are no larger than this.
  package var maximumBytes: Int?
  /// Let only the last so many runs of each experiment keep bytes.
  package var keptRuns: Int?
  /// What is younger stays: it may be of a run that is not yet written down.
  package var minimumSeconds = 86400.0
  package var isDryRun = false
  package init() {}
}

/// Safe beside runs: it decides without a lock, then removes under the collection lock what no held node lock notes.
package struct Collection: Sendable {
  package struct Share: Sendable {
    package var count = 0
    package var bytes = 0
    mutating func add(_ size: Int) {
      count += 1
      bytes &+= size
    }
  }

  /// Objects no record names.
  package private(set) var unreachable = Share()
  /// Objects whose bytes were dropped, with a mark.
  package private(set) var evicted = Share()
  /// Temporary files, scratch and quarantine.
  package private(set) var temporary = Share()
  /// What would have gone but is read by a run right now.
  package private(set) var inUse = Share()
  /// What is left in `objects/`.
  package private(set) var remainingBytes = 0
  /// Addresses that lost bytes, each once.
  package private(set) var evictedAddresses: [String] = []

  package init(of store: Store, _ options: CollectionOptions, now: Double) throws {
    let contents = try StoreContents(store)
    let pins = try store.pins()
    let plan = Collection.choose(contents, pins, options, now: now)
    let stray = try Collection.strayFiles(store, now: now, options)

    var removed: Set<Digest> = []
    func remove() throws {
      let use = try store.objectsInUse()
      var unreachable: [Digest] = []
      var evicted: [Digest] = []
      for (digest, isReachable) in plan {
        let size = contents.objects[digest]?.size ?? 0
        let changed = Double(contents.objects[digest]?.changedNanoseconds ?? 0) / 1e9
        // What has just been made may belong to a node that is not finished yet.
        let mayBeUnfinished = use.oldestStart.map { changed >= $0 } ?? false
        if use.objects.contains(digest) || mayBeUnfinished {
          inUse.add(size)
        } else if isReachable {
          self.evicted.add(size)
          evicted.append(digest)
        } else {
          self.unreachable.add(size)
          unreachable.append(digest)
        }
      }
      removed = Set(evicted + unreachable)
      guard !options.isDryRun else { return }
      try store.evict(evicted)
      for digest in unreachable { try store.removeObject(digest) }
      for name in try File.names(in: "\(store.root)/trees")
      where !use.objects.contains(where: { $0.hex == name }) {
        // Links, laid out anew in no time.
        try File.removeTree("\(store.root)/trees/\(name)")
      }
      try store.removeFreeLocks()
    }
    if options.isDryRun {
      try remove()
    } else {
      try store.withCollectionLock(shared: false, remove)
      try store.removeLeftovers()
    }
    for (path, size) in stray {
      temporary.add(size)
      if !options.isDryRun { try File.removeTree(path) }
    }
    remainingBytes = contents.totalBytes &- evicted.bytes &- unreachable.bytes
    var seen: Set<UTF8Key> = []
    for entry in contents.entries where entry.objects.contains(where: { removed.contains($0.digest) }) {
      if seen.insert(UTF8Key(entry.record.address)).inserted { evictedAddresses.append(entry.record.address) }
    }
    if !options.isDryRun { store.saveStatCache() }
  }

  /// Objects to remove, in order, and whether a record names them.
  static func choose(
    _ contents: StoreContents, _ pins: [(pins: RunPins, seconds: Double)], _ options: CollectionOptions,
    now: Double
  ) -> [(digest: Digest, isReachable: Bool)] {
    // Which runs keep, and when each key was last used.
    var runCounts: [UTF8Key: Int] = [:]
    var pinned: Set<String> = []
    var known: Set<String> = []
    var lastUse: [String: Double] = [:]
    for (run, seconds) in pins {
      runCounts[UTF8Key(run.experiment), default: 0] += 1
      let isKept = options.keptRuns.map { runCounts[UTF8Key(run.experiment), default: 0] <= $0 } ?? true
      for node in run.nodes {
        known.insert(node.key)
        lastUse[node.key] = max(lastUse[node.key] ?? 0, seconds)
        if isKept, node.keepsBytes { pinned.insert(node.key) }
      }
    }
    func isOld(_ digest: Digest) -> Bool {
      guard let status = contents.objects[digest] else { return false }
      return now - Double(status.changedNanoseconds) / 1e9 >= options.minimumSeconds
    }
    var wanted: Set<Digest> = []
    var permanent: Set<Digest> = []
    var use: [Digest: Double] = [:]
    for entry in contents.entries {
      let key = entry.record.key
      // A result of no run that was written down, such as one that is going on, stays unless runs are counted.
      let isWanted = known.contains(key) ? pinned.contains(key) : options.keptRuns == nil
      let seconds = max(entry.seconds, lastUse[key] ?? 0)
      for object in entry.objects {
        if object.isPermanent { permanent.insert(object.digest) }
        if isWanted { wanted.insert(object.digest) }
        use[object.digest] = max(use[object.digest] ?? 0, seconds)
      }
    }
    let present = contents.objects.keys.sorted {
      let (a, b) = (use[$0] ?? 0, use[$1] ?? 0)
      return a != b ? a < b : $0.hex < $1.hex
    }
    var chosen: [(digest: Digest, isReachable: Bool)] = []
    var left = contents.totalBytes
    func take(_ digest: Digest) {
      chosen.append((digest, use[digest] != nil))
      left &-= contents.objects[digest]?.size ?? 0
    }
    for digest in present where !permanent.contains(digest) && !wanted.contains(digest) && isOld(digest) {
      take(digest)
    }
    if let limit = options.maximumBytes {
      for digest in present where wanted.contains(digest) && !permanent.contains(digest) && isOld(digest) {
        if left <= limit { break }
        take(digest)
      }
    }
    return chosen
  }

  /// Old temporaries of nobody, and what was set aside long ago.
  private static func strayFiles(_ store: Store, now: Double, _ options: CollectionOptions) throws -> [(
    String, Int
  )] {
    var found: [(String, Int)] = []
    for folder in ["tmp", "quarantine"] {
      for name in try File.names(in: "\(store.root)/\(folder)")
      where folder != "tmp" || Digest(hex: name) == nil {
        let path = "\(store.root)/\(folder)/\(name)"
        guard let status = FileStatus.of(path), !File.isLocked("\(path)/lock") else { continue }
        var leastSeconds = options.minimumSeconds
        switch TemporaryName.writer(of: name) {
        case .here(isAlive: true): continue
        // Whether it lives cannot be seen; what takes longer than a write holds a lock.
        case .elsewhere: leastSeconds = max(leastSeconds, Collection.secondsElsewhere)
        case .here(isAlive: false), nil: break
        }
        guard now - Double(status.changedNanoseconds) / 1e9 >= leastSeconds else { continue }
        found.append((path, status.isDirectory ? 0 : status.size))
      }
    }
    return found
  }

  /// How old the temporary of a process in another container or on another host is at least, before it counts as left behind.
  private static let secondsElsewhere = 86400.0
}

extension Store {
  /// What the holders of node locks have noted, and since when the oldest of them holds its lock. Under the collection lock.
  func objectsInUse() throws -> (objects: Set<Digest>, oldestStart: Double?) {
    var objects: Set<Digest> = []
    var oldest: Double?
    for name in try File.names(in: "\(root)/locks") where Digest(hex: name) != nil {
      let file = try File.open("\(root)/locks/\(name)", O_RDWR)
      defer { file.closeQuietly() }
      guard try !file.tryLock() else { continue }
      let status = try file.status()
      oldest = min(oldest ?? .infinity, Double(status.modifiedNanoseconds) / 1e9 - 1)
      objects.formUnion(NodeLock.pinned(try File.read(file.path)))
    }
    return (objects, oldest)
  }

  /// Files of locks that nobody holds. Alone under the collection lock, without which nobody takes one.
  func removeFreeLocks() throws {
    for name in try File.names(in: "\(root)/locks") where Digest(hex: name) != nil {
      let file = try File.open("\(root)/locks/\(name)", O_RDWR)
      defer { file.closeQuietly() }
      if try file.tryLock() { try File.remove(file.path) }
    }
  }
}
