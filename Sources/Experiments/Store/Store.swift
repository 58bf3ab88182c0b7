// The store: objects by what they hold, records by the key of what made them. Survives a crash at any instant.

import Glibc
import JSON
import System

/// What is wrong with the store itself.
package struct StoreError: ErrorWithExitCode, Sendable, CustomStringConvertible {
  package let description: String
  package var exitCode: ExitCode { .store }
  package init(description: String) { self.description = description }
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
///   evicted/ab/…      marks: bytes that `cache gc` dropped on purpose, by their SHA-256
///   pins/NAME/RUN     which keys a run used, and whose bytes its `keep:` wants kept
///   replies/SERVER/   what servers replied, for good
///   runs/NAME/ID/     folders of runs that `cache push` brought with their results
///   tmp/ quarantine/ stat-cache
/// ```
/// A class because it owns the stat cache; used from one thread.
package final class Store {
  package let root: String
  private var statCache: StatCache
  /// Whether files that are not the store's are hashed even where their state vouches for them.
  package var isStrict = false
  /// The files of the user's that were asked for, and whether each was hashed or remembered.
  package private(set) var readings: [UTF8Key: InputReading] = [:]
  /// Told once of each thing that was damaged and set aside.
  package var onWarning: (String) -> Void = { _ in }

  /// 2 brought `evicted` and `pins`; 1 is migrated when it is opened.
  package static let formatVersion = 2

  static let folders = [
    "objects", "records", "trees", "journals", "checkpoints", "locks", "index", "evicted", "pins", "tmp",
    "quarantine",
  ]

  /// Why nothing can be written here, where that showed when the store was opened.
  private var denial: SystemError?

  /// Opens the store, making it where there is none and migrating an older one. Where nothing may be written it is opened
  /// nonetheless, to be read: a missing one is empty.
  /// - Throws: `StoreError` when its format is newer than this program knows or the folder holds something else, `SystemError`.
  package init(at root: String) throws {
    self.root = Path.absolute(root)
    statCache = StatCache(path: "\(self.root)/stat-cache")
    do {
      try File.makeDirectory(self.root)
      if FileStatus.of("\(self.root)/format") == nil { try Store.refuseForeign(self.root) }
      // What was added since version 1 is folders only, so that an interrupted migration is one that did not begin.
      if try FileStatus.of("\(self.root)/format") == nil
        || Store.format(of: self.root) < Store.formatVersion
      {
        try writeLayout()
      }
    } catch let error as SystemError where error.isDenied && error.changesTheDisk {
      denial = error
    }
  }

  /// - Throws: `SystemError` where the store is known to be one that may only be read.
  func requireWritable() throws { if let denial { throw denial } }

  private func writeLayout() throws {
    for name in Store.folders { try File.makeDirectory("\(root)/\(name)") }
    try File.writeDurably("\(Store.formatVersion)\n", to: "\(root)/format", temporaries: temporaries)
  }

  /// `--store ~` must not fill a home with folders.
  private static func refuseForeign(_ root: String) throws {
    // `format`: another run may be making the store at this moment.
    let known = Set((folders + ["format", "stat-cache", "lost+found"]).map { UTF8Key($0) })
    guard let name = try File.names(in: root).first(where: { !known.contains(UTF8Key($0)) }) else { return }
    throw StoreError(
      description:
        "`\(root)` is not a store and not empty (it holds `\(name)`); give an empty or a new folder"
    )
  }

  private static func format(of root: String) throws -> Int {
    let text = String(decoding: try File.read("\(root)/format"), as: UTF8.self)
    guard let found = Int(text.filter { $0 != "\n" }), found > 0 else {
      throw StoreError(
        description:
          "the store `\(root)` has no readable format version in `\(root)/format`; expected `\(formatVersion)`"
      )
    }
    guard found <= formatVersion else {
      throw StoreError(
        description:
          "the store `\(root)` has format \(found), this program knows up to \(formatVersion); use a newer plumb, or another store with `--store DIR`"
      )
    }
    return found
  }

  /// Where what is not whole yet stands, so that a folder of whole things holds nothing else.
  package var temporaries: String { "\(root)/tmp" }

  package func saveStatCache() { statCache.save(temporaries: temporaries) }

  // MARK: objects

  package func objectPath(_ digest: Digest) -> String {
    "\(root)/objects/\(digest.hex.prefix(2))/\(digest.hex.dropFirst(2))"
  }

  /// Takes a file a stage wrote: hashed once, made durable, renamed into place. A name already taken is replaced by
  /// these same bytes, which heals it if it was damaged. The path is gone afterwards.
  package func adoptFile(_ path: String) throws -> (digest: Digest, size: Int) {
    let file: File
    do { file = try File.openToRead(path, O_NOFOLLOW) } catch let error as FileKindError {
      throw StoreError(description: error.description)
    }
    var size = 0
    var stream = DigestStream()
    do {
      try file.readBlocks { block in
        stream.update(block)
        size += block.count
      }
      try file.setMode(0o444)
      try file.synchronize()
      guard try file.status().size == size else {
        throw StoreError(description: "`\(path)` changed while it was copied into the store")
      }
    } catch {
      file.closeQuietly()
      throw error
    }
    try file.close()
    let digest = stream.finish()
    try place(path, as: digest)
    return (digest, size)
  }

  /// Makes a file, durable and known to hold these bytes, the object of that name.
  func place(_ path: String, as digest: Digest) throws {
    let destination = objectPath(digest)
    try File.makeDirectory(Path.parent(destination), isDurable: true)
    try File.rename(path, to: destination)
    try File.synchronizeDirectory(Path.parent(destination))
    try trustObject(digest)
    try removeEvictionMark(of: digest)
  }

  /// Notes that an object was hashed just now, by this process or by a worker it trusts.
  func trustObject(_ digest: Digest) throws {
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

  func setAside(_ path: String, as name: String, what: String) throws {
    statCache.forget(path)
    let place = "\(root)/quarantine/\(name)"
    do {
      try File.rename(path, to: place)
    } catch let error as SystemError where error.code == ENOENT {
      // Another process that saw the damage was faster.
      return
    } catch let error as SystemError where error.isDenied {
      onWarning(
        "\(what) of the store, `\(path)`, is damaged, and the store is read-only; what needs it must be computed again"
      )
      return
    }
    onWarning(
      "\(what) of the store was damaged and is set aside in `\(place)`; what needs it will be computed again")
  }

  func manifest(_ digest: Digest) throws -> Manifest? {
    guard try isIntact(digest, size: nil) else { return nil }
    return Manifest(text: try File.read(objectPath(digest)))
  }

  /// - Throws: `EvictedError`, `StoreError` when not every byte of an output is there and right.
  package func requirePresent(_ output: StoredOutput) throws {
    switch try presence(of: output) {
    case .present: break
    case .evicted: throw EvictedError(output: output)
    case .gone:
      throw StoreError(
        description:
          "output `\(output.port)` (\(output.digest.hex.prefix(12))) is damaged or missing; run again to recompute it"
      )
    }
  }

  /// Where a stage reads an output: an object's path, or a directory of links under `trees/`.
  package func readingPath(_ output: StoredOutput) throws -> String {
    try requirePresent(output)
    guard output.isTree, let manifest = try manifest(output.digest) else { return objectPath(output.digest) }
    let tree = "\(root)/trees/\(output.digest.hex)"
    func isComplete() -> Bool {
      FileStatus.of(tree) != nil
        && manifest.entries.allSatisfy { FileStatus.of("\(tree)/\($0.path)")?.size == $0.size }
    }
    if isComplete() { return tree }
    let temporary = "\(root)/tmp/tree.\(output.digest.hex).\(TemporaryName.make())"
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
      if isComplete() {
        // Another run laid the same tree out meanwhile.
        try File.removeTree(temporary)
      } else {
        try File.removeTree(tree)
        try File.rename(temporary, to: tree)
      }
    }
    return tree
  }

  // MARK: records

  func recordPath(_ key: String) -> String { "\(root)/records/\(key.prefix(2))/\(key)" }

  /// The record under a key, if it reads back and every byte it names is there and right, or was evicted. Anything else is
  /// a miss.
  package func record(_ key: String) throws -> NodeRecord? {
    guard let record = try unverifiedRecord(key) else { return nil }
    var isGone = false
    // All are looked at, so that all that is damaged is set aside at once.
    for output in record.outputs where try presence(of: output) == .gone { isGone = true }
    return isGone ? nil : record
  }

  /// The record under a key whether or not its bytes are still there: to explain changes.
  package func unverifiedRecord(_ key: String) throws -> NodeRecord? {
    if let record = try readRecord(key) { return record }
    let path = recordPath(key)
    if FileStatus.of(path) != nil { try setAside(path, as: "record-\(key)", what: "a record") }
    return nil
  }

  /// Nil when it is not there or does not read back.
  func readRecord(_ key: String) throws -> NodeRecord? {
    do {
      guard let json = try readSealed(recordPath(key)), let record = NodeRecord(json: json), record.key == key
      else { return nil }
      return record
    } catch let error as SystemError where error.code == ENOENT {
      return nil
    }
  }

  func forgetState(of digest: Digest) { statCache.forget(objectPath(digest)) }

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
    try place(record)
    // The node is finished whatever becomes of these: what cannot be removed now is when the store is next used.
    try? File.removeTree(journalDirectory(record.key))
    try? File.removeTree(checkpointDirectory(record.key))
  }

  /// The record alone, of objects that are here.
  func place(_ record: NodeRecord) throws {
    let path = recordPath(record.key)
    try File.makeDirectory(Path.parent(path), isDurable: true)
    try File.writeDurably(SealedText.text(of: record.json), to: path, temporaries: temporaries)
  }

  /// Removes what a killed run left and nobody will use: journals and checkpoints of nodes that are finished, scratch of
  /// nodes that nobody computes, files that it was writing. Looks only at what is unfinished, which is little.
  package func removeLeftovers() throws {
    for folder in ["journals", "checkpoints"] {
      for key in try File.names(in: "\(root)/\(folder)") where FileStatus.of(recordPath(key)) != nil {
        try File.removeTree("\(root)/\(folder)/\(key)")
      }
    }
    for name in try File.names(in: temporaries) {
      let path = "\(temporaries)/\(name)"
      if Digest(hex: name) == nil {
        guard TemporaryName.writer(of: name) == .here(isAlive: false), !File.isLocked("\(path)/lock") else {
          continue
        }
        try File.removeTree(path)
      } else if case .held(let lock) = try NodeLock.attempt(
        name, in: self, holder: LockHolder(name: "a cleanup", since: "now"))
      {
        defer { lock.release() }
        try File.removeTree(path)
      }
    }
  }

  package func journalDirectory(_ key: String) -> String { "\(root)/journals/\(key)" }
  package func checkpointDirectory(_ key: String) -> String { "\(root)/checkpoints/\(key)" }
  /// Made when a stage first asks a server.
  package var repliesDirectory: String { "\(root)/replies" }

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
    if let reading = readings[UTF8Key(path)], reading.status == status { return reading.digest }
    if !isStrict, let known = statCache.digest(of: path, status: status) {
      readings[UTF8Key(path)] = InputReading(path: path, status: status, digest: known, wasHashed: false)
      return known
    }
    let digest = try Digest.ofFile(path).digest
    if try FileStatus.orThrow(path) == status {
      statCache.remember(path, status: status, digest: digest)
      if StatCache.isOld(status) {
        readings[UTF8Key(path)] = InputReading(path: path, status: status, digest: digest, wasHashed: true)
      }
    }
    return digest
  }

  /// How the files of an input were read: of the file itself, or of those in the directory.
  package func readings(of path: String) throws -> [InputReading] {
    guard FileStatus.of(path)?.isDirectory == true else { return readings[UTF8Key(path)].map { [$0] } ?? [] }
    return try Manifest.files(below: path, followingLinks: true).compactMap {
      readings[UTF8Key("\(path)/\($0)")]
    }
  }

  /// The digest of a user's model: of the file, or of the manifest of the directory.
  package func digestOfModel(_ path: String) throws -> Digest {
    try Manifest.digest(of: path, file: digestOfInput)
  }
}
