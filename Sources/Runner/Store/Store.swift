// The store: objects by what they hold, records by the key of what made them. Survives a crash at any instant.

import Glibc
import JSON

/// What is wrong with the store itself.
package struct StoreError: Error, Sendable, CustomStringConvertible {
  package let description: String
}

/// ```
/// .plumb/
///   format            the version of this layout
///   objects/ab/…      bytes by SHA-256, read-only, never changed
///   records/ab/…      finished nodes by content key, written last
///   trees/DIGEST/     a directory artifact laid out as links into objects/
///   journals/KEY/     finished rows of unfinished nodes      checkpoints/KEY/  likewise of training
///   locks/KEY         held while a node is computed; the kernel frees it when the holder dies
///   index/…           which key each address of an experiment had last, to explain changes
///   tmp/ quarantine/ stat-cache
/// ```
/// A class because it owns the stat cache; used from one thread.
package final class Store {
  package let root: String
  private var statCache: StatCache
  /// Told once of each thing that was damaged and set aside.
  package var onWarning: (String) -> Void = { _ in }

  package static let formatVersion = 1

  /// Opens the store, making it where there is none.
  /// - Throws: `StoreError` when its format is newer than this program knows, `SystemError`.
  package init(at root: String) throws {
    self.root = Path.absolute(root)
    statCache = StatCache(path: "\(self.root)/stat-cache")
    try File.makeDirectory(self.root)
    let formatPath = "\(self.root)/format"
    if FileStatus.of(formatPath) == nil {
      for name in [
        "objects", "records", "trees", "journals", "checkpoints", "locks", "index", "tmp", "quarantine",
      ] {
        try File.makeDirectory("\(self.root)/\(name)")
      }
      try File.writeDurably("\(Store.formatVersion)\n", to: formatPath, temporaries: "\(self.root)/tmp")
    } else {
      let text = String(decoding: try File.read(formatPath), as: UTF8.self)
      let digits = text.unicodeScalars.filter { $0 != "\n" }
      guard let found = Int(String(String.UnicodeScalarView(digits))), found > 0 else {
        throw StoreError(
          description:
            "the store `\(self.root)` has no readable format version in `\(formatPath)`; expected `\(Store.formatVersion)`"
        )
      }
      guard found <= Store.formatVersion else {
        throw StoreError(
          description:
            "the store `\(self.root)` has format \(found), this program knows up to \(Store.formatVersion); use a newer plumb, or another store with `--store DIR`"
        )
      }
    }
  }

  /// Where what is not whole yet stands, so that a folder of whole things holds nothing else.
  private var temporaries: String { "\(root)/tmp" }

  package func saveStatCache() throws { try statCache.save(temporaries: temporaries) }

  // MARK: objects

  package func objectPath(_ digest: Digest) -> String {
    "\(root)/objects/\(digest.hex.prefix(2))/\(digest.hex.dropFirst(2))"
  }

  /// Takes a file a stage wrote: hashed once, made durable, renamed into place. A name already taken is replaced by
  /// these same bytes, which heals it if it was damaged. The path is gone afterwards.
  package func adoptFile(_ path: String) throws -> (digest: Digest, size: Int) {
    let file = try File.open(path, O_RDONLY | O_NOFOLLOW)
    var size = 0
    var stream = DigestStream()
    do {
      guard try file.status().isRegularFile else {
        throw StoreError(description: "`\(path)` is not a regular file")
      }
      try file.readBlocks { block in
        stream.update(block)
        size += block.count
      }
      try file.setMode(0o444)
      try file.synchronize()
      guard try file.status().size == size else {
        throw StoreError(description: "`\(path)` changed while it was taken into the store")
      }
    } catch {
      file.closeQuietly()
      throw error
    }
    try file.close()
    let digest = stream.finish()
    let destination = objectPath(digest)
    try File.makeDirectory(Path.parent(destination), isDurable: true)
    try File.rename(path, to: destination)
    try File.synchronizeDirectory(Path.parent(destination))
    try trustObject(digest)
    return (digest, size)
  }

  /// Notes that an object was hashed just now, by this process or by a worker it trusts.
  private func trustObject(_ digest: Digest) throws {
    let path = objectPath(digest)
    statCache.remember(path, status: try FileStatus.orThrow(path), digest: digest, isImmutable: true)
  }

  /// Takes what a stage wrote for one port, a file or a directory.
  package func adopt(_ path: String, port: String, type: ArtifactType) throws -> StoredOutput {
    var raw = stat()
    guard lstat(path, &raw) == 0 else { throw SystemError("read", path, code: errno) }
    guard raw.st_mode & S_IFMT == S_IFDIR else {
      let (digest, size) = try adoptFile(path)
      return StoredOutput(port: port, type: type, digest: digest, size: size, isTree: false)
    }
    var entries: [Manifest.Entry] = []
    for relative in try Manifest.files(below: path, followingLinks: false) {
      let (digest, size) = try adoptFile("\(path)/\(relative)")
      entries.append(Manifest.Entry(path: relative, size: size, digest: digest))
    }
    let manifest = Manifest(entries)
    let temporary = "\(path).manifest"
    try File.writeWhole(manifest.text, to: temporary)
    let (digest, _) = try adoptFile(temporary)
    return StoredOutput(port: port, type: type, digest: digest, size: manifest.totalSize, isTree: true)
  }

  /// Whether the object is there and holds what its name says. Reads it only when its file's state is not the one that
  /// was last vouched for. A damaged one goes to quarantine, with one warning.
  package func isIntact(_ digest: Digest, size: Int?) throws -> Bool {
    let path = objectPath(digest)
    guard let status = FileStatus.of(path) else { return false }
    if size == nil || size == status.size {
      if let known = statCache.digest(of: path, status: status) {
        if known == digest { return true }
      } else if try Digest.ofFile(path).digest == digest {
        statCache.remember(path, status: status, digest: digest, isImmutable: true)
        return true
      }
    }
    try setAside(path, as: digest.hex, what: "an object")
    return false
  }

  private func setAside(_ path: String, as name: String, what: String) throws {
    statCache.forget(path)
    let place = "\(root)/quarantine/\(name)"
    try File.rename(path, to: place)
    onWarning(
      "\(what) of the store was damaged and is set aside in `\(place)`; what needs it will be computed again")
  }

  private func manifest(_ digest: Digest) throws -> Manifest? {
    guard try isIntact(digest, size: nil) else { return nil }
    return Manifest(text: try File.read(objectPath(digest)))
  }

  /// Whether every byte of an output is there and right.
  package func isIntact(_ output: StoredOutput) throws -> Bool {
    guard output.isTree else { return try isIntact(output.digest, size: output.size) }
    guard let manifest = try manifest(output.digest) else { return false }
    var intact = true
    for entry in manifest.entries where try !isIntact(entry.digest, size: entry.size) { intact = false }
    return intact
  }

  /// Where a stage reads an output: an object's path, or a directory of links under `trees/`.
  package func readingPath(_ output: StoredOutput) throws -> String {
    guard try isIntact(output) else {
      throw StoreError(
        description:
          "output `\(output.port)` (\(output.digest.hex.prefix(12))) is damaged or gone; run again to compute it anew"
      )
    }
    guard output.isTree, let manifest = try manifest(output.digest) else { return objectPath(output.digest) }
    let tree = "\(root)/trees/\(output.digest.hex)"
    let isComplete = manifest.entries.allSatisfy { FileStatus.of("\(tree)/\($0.path)")?.size == $0.size }
    if isComplete, FileStatus.of(tree) != nil { return tree }
    try File.removeTree(tree)
    let temporary = "\(root)/tmp/tree.\(output.digest.hex).\(getpid())"
    try File.removeTree(temporary)
    try File.makeDirectory(temporary)
    for entry in manifest.entries {
      let path = "\(temporary)/\(entry.path)"
      try File.makeDirectory(Path.parent(path))
      let up = String(repeating: "../", count: 2 + entry.path.utf8.count { $0 == UInt8(ascii: "/") })
      let target = "\(up)objects/\(entry.digest.hex.prefix(2))/\(entry.digest.hex.dropFirst(2))"
      try File.makeSymbolicLink(at: path, to: target)
    }
    do {
      try File.rename(temporary, to: tree)
    } catch let error as SystemError where error.code == ENOTEMPTY || error.code == EEXIST {
      // Another run laid the same tree out meanwhile.
      try File.removeTree(temporary)
    }
    return tree
  }

  // MARK: records

  private func recordPath(_ key: String) -> String { "\(root)/records/\(key.prefix(2))/\(key)" }

  /// The record under a key, if it reads back and every byte it names is there and right. Anything else is a miss.
  package func record(_ key: String) throws -> NodeRecord? {
    guard let record = try unverifiedRecord(key) else { return nil }
    var intact = true
    for output in record.outputs where try !isIntact(output) { intact = false }
    return intact ? record : nil
  }

  /// The record under a key whether or not its bytes are still there: to explain changes.
  package func unverifiedRecord(_ key: String) throws -> NodeRecord? {
    let path = recordPath(key)
    guard FileStatus.of(path) != nil else { return nil }
    if let json = try readSealed(path), let record = NodeRecord(json: json), record.key == key {
      return record
    }
    try setAside(path, as: "record-\(key)", what: "a record")
    return nil
  }

  private func readSealed(_ path: String) throws -> JSON? {
    do { return try SealedText.read(path) } catch is SealedText.Damaged { return nil }
  }

  /// Makes a node finished. Its outputs must have been adopted.
  package func write(_ record: NodeRecord) throws {
    for output in record.outputs {
      try trustObject(output.digest)
      guard output.isTree, let manifest = try manifest(output.digest) else { continue }
      for entry in manifest.entries { try trustObject(entry.digest) }
    }
    let path = recordPath(record.key)
    try File.makeDirectory(Path.parent(path), isDurable: true)
    try File.writeDurably(SealedText.text(of: record.json), to: path, temporaries: temporaries)
    // The node is finished whatever becomes of these: what cannot be removed now is when the store is next used.
    try? File.removeTree(journalDirectory(record.key))
    try? File.removeTree(checkpointDirectory(record.key))
  }

  /// Removes what a killed run left and nobody will use: journals and checkpoints of nodes that are finished, scratch of
  /// nodes that nobody computes. Looks only at what is unfinished, which is little.
  package func removeLeftovers() throws {
    for folder in ["journals", "checkpoints"] {
      for key in try File.names(in: "\(root)/\(folder)") where FileStatus.of(recordPath(key)) != nil {
        try File.removeTree("\(root)/\(folder)/\(key)")
      }
    }
    for key in try File.names(in: temporaries) where Digest(hex: key) != nil {
      guard case .held(let lock) = try NodeLock.attempt(key, in: self, holder: "a cleaning") else { continue }
      defer { lock.release() }
      try File.removeTree("\(temporaries)/\(key)")
    }
  }

  package func journalDirectory(_ key: String) -> String { "\(root)/journals/\(key)" }
  package func checkpointDirectory(_ key: String) -> String { "\(root)/checkpoints/\(key)" }

  // MARK: the last keys of an experiment

  private func indexPath(_ experiment: String) -> String {
    "\(root)/index/\(Digest.of(text: experiment).hex)"
  }

  /// The key each address had when it last ran or was found finished.
  package func lastKeys(experiment: String) -> [UTF8Key: String] {
    guard let json = try? SealedText.read(indexPath(experiment)), let members = json.objectValue?.members
    else {
      return [:]
    }
    var keys: [UTF8Key: String] = [:]
    for member in members { keys[UTF8Key(member.key)] = member.value.stringValue }
    return keys
  }

  package func setLastKeys(_ keys: [UTF8Key: String], experiment: String) throws {
    let sorted = keys.sorted { $0.key.string.utf8.lexicographicallyPrecedes($1.key.string.utf8) }
    let object = JSONObject(sorted.map { ($0.key.string, JSON.string($0.value)) })
    try File.writeDurably(
      SealedText.text(of: .object(object)), to: indexPath(experiment), temporaries: temporaries)
  }

  // MARK: files that are not the store's

  /// The digest of a file of the user's, hashed only when its state changed since it last was.
  package func digestOfInput(_ path: String) throws -> Digest {
    let status = try FileStatus.orThrow(path)
    if let known = statCache.digest(of: path, status: status) { return known }
    let digest = try Digest.ofFile(path).digest
    if try FileStatus.orThrow(path) == status { statCache.remember(path, status: status, digest: digest) }
    return digest
  }

  /// The digest of a user's model: of the file, or of the manifest of the directory.
  package func digestOfModel(_ path: String) throws -> Digest {
    guard try FileStatus.orThrow(path).isDirectory else { return try digestOfInput(path) }
    var entries: [Manifest.Entry] = []
    for relative in try Manifest.files(below: path, followingLinks: true) {
      let file = "\(path)/\(relative)"
      entries.append(
        Manifest.Entry(
          path: relative, size: try FileStatus.orThrow(file).size, digest: try digestOfInput(file)))
    }
    return Manifest(entries).digest
  }
}
