// `cache push` and `pull`: what one store has and another lacks, copied and read back; may be cut off at any point.

import Glibc
import JSON
import System

package struct Transfer: Sendable {
  package private(set) var objects = 0
  package private(set) var records = 0
  package private(set) var bytes = 0
  /// Results the other store had already.
  package private(set) var presentRecords = 0
  /// Addresses of results of which the other store had one with other bytes under the same key, which stays.
  package private(set) var different: [String] = []
  /// Results whose bytes the source has no more: their records went alone.
  package private(set) var evictedRecords = 0
  /// Keys of which the source has no result.
  package private(set) var missingRecords = 0
  /// Addresses of results that are damaged at the source and were left out.
  package private(set) var damaged: [String] = []

  package struct Progress: Sendable {
    package let records: Int
    package let totalRecords: Int
    package let bytes: Int
  }

  /// Objects before the record that names them, so that whatever a cut leaves is whole; a second attempt copies the rest.
  /// Every byte is hashed as it is read and again as it was written.
  /// - Parameters:
  ///   - keys: of the results that are copied; nil for all.
  ///   - withModels: whether weights are copied; without them the other store knows such a result and not its bytes.
  package init(
    from source: Store, to target: Store, keys: [String]? = nil, withModels: Bool = true,
    progress: (Progress) -> Void = { _ in }
  ) throws {
    let keys = try keys ?? source.recordKeys()
    for (index, key) in keys.enumerated() {
      progress(Progress(records: index, totalRecords: keys.count, bytes: bytes))
      guard let record = try source.unverifiedRecord(key) else {
        missingRecords += 1
        continue
      }
      if let there = try target.unverifiedRecord(key), there.outputs != record.outputs,
        try target.holds(there)
      {
        different.append(record.address)
        continue
      }
      let copied = objects
      guard let isEvicted = try copyObjects(of: record, withModels, from: source, to: target) else {
        continue
      }
      if objects == copied, try target.unverifiedRecord(key)?.outputs == record.outputs {
        presentRecords += 1
        continue
      }
      try target.place(record)
      records += 1
      if isEvicted { evictedRecords += 1 }
    }
    target.saveStatCache()
    source.saveStatCache()
    progress(Progress(records: keys.count, totalRecords: keys.count, bytes: bytes))
  }

  /// Whether bytes of it are gone at the source; nil when it is damaged there.
  private mutating func copyObjects(
    of record: NodeRecord, _ withModels: Bool, from source: Store, to target: Store
  ) throws -> Bool? {
    var missing: [Digest] = []
    var isEvicted = false
    for output in record.outputs {
      switch try source.presence(of: output) {
      case .gone:
        damaged.append(record.address)
        return nil
      case .evicted: isEvicted = true
      case .present: break
      }
      for part in try source.objects(of: output) {
        if try target.isIntact(part.digest, size: part.size) { continue }
        guard withModels || !output.type.isWeights(among: record.outputs.map(\.type)) else {
          missing.append(part.digest)
          isEvicted = true
          continue
        }
        guard FileStatus.of(source.objectPath(part.digest)) != nil else {
          missing.append(part.digest)
          continue
        }
        bytes &+= try target.copyObject(part.digest, from: source)
        objects += 1
      }
    }
    try target.markEvicted(missing)
    return isEvicted
  }
}

extension Store {
  /// Whether no bytes of a result are lost; evicted ones are not.
  fileprivate func holds(_ record: NodeRecord) throws -> Bool {
    for output in record.outputs {
      if case .gone = try presence(of: output) { return false }
    }
    return true
  }

  /// Gives the bytes copied. What is read back from the medium is hashed too.
  fileprivate func copyObject(_ digest: Digest, from source: Store) throws -> Int {
    let temporary = "\(temporaries)/\(digest.hex).\(TemporaryName.make()).tmp"
    do {
      let size = try File.copy(source.objectPath(digest), to: temporary, expecting: digest)
      try place(temporary, as: digest)
      return size
    } catch {
      try? File.remove(temporary)
      throw error
    }
  }
}

extension File {
  /// Copies a file durably, read-only, its pages dropped and read back; both readings must have the digest.
  /// - Returns: its size.
  /// - Throws: `StoreError` when either has not.
  package static func copy(
    _ source: String, to destination: String, expecting digest: Digest, mode: mode_t = 0o444
  ) throws -> Int {
    let input = try openToRead(source)
    defer { input.closeQuietly() }
    let output = try open(destination, O_RDWR | O_CREAT | O_TRUNC, mode: 0o644)
    var stream = DigestStream()
    var size = 0
    do {
      try input.readBlocks { block in
        stream.update(block)
        try output.writeAll(block)
        size += block.count
      }
      try output.setMode(mode)
      try output.synchronize()
      guard stream.finish() == digest else {
        throw StoreError(
          description:
            "`\(source)` is damaged: its bytes do not match its name; `\(Program.name) cache verify --repair` sets it aside"
        )
      }
      posix_fadvise(output.descriptor, 0, 0, POSIX_FADV_DONTNEED)
    } catch {
      output.closeQuietly()
      throw error
    }
    try output.close()
    guard try Digest.ofFile(destination).digest == digest else {
      throw StoreError(
        description:
          "`\(destination)` reads back differently from what was written: the disk is unreliable, use another"
      )
    }
    return size
  }
}
