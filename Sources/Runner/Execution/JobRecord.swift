// The jobs of a node while an executor runs them that outlive their run: by it a later run adopts them.

import Glibc
import JSON
import System

/// `jobs/KEY` in the store. Locked by the run that follows the jobs; who gets the lock and finds a record follows them from there
/// on, since the kernel freed it when the run before died.
final class JobRecord {
  /// A job, and which part of the node it computes; nil for the whole, or for putting the parts together.
  struct Entry: Equatable {
    let handle: JobHandle
    let shard: Int?
  }

  private let file: File
  private let executor: String
  private let shards: Int
  /// What was there: of the same executor, cut into as many shards.
  private(set) var entries: [Entry]

  /// - Returns: nil while another run follows the node's jobs, and where there is no record and none is to be `made`.
  static func open(_ key: String, in store: Store, executor: String, shards: Int, made: Bool) throws
    -> JobRecord?
  {
    let path = "\(store.root)/jobs/\(key)"
    guard made || FileStatus.of(path) != nil else { return nil }
    try File.makeDirectory("\(store.root)/jobs")
    let file = try File.open(path, O_RDWR | O_CREAT)
    do {
      guard try file.tryLock() else {
        file.closeQuietly()
        return nil
      }
      return JobRecord(file, try File.read(path), executor: executor, shards: shards)
    } catch {
      file.closeQuietly()
      throw error
    }
  }

  private init(_ file: File, _ text: [UInt8], executor: String, shards: Int) {
    self.file = file
    self.executor = executor
    self.shards = shards
    // One that was cut by a crash names no job; the journal keeps what they computed.
    let json = try? JSON(parsing: text)
    let isSame = json?["executor"]?.stringValue == executor && json?["shards"]?.intValue == shards
    entries = (isSame ? json?["jobs"]?.arrayValue ?? [] : []).compactMap { job in
      job["handle"]?.stringValue.map { Entry(handle: JobHandle($0), shard: job["shard"]?.intValue) }
    }
  }

  func write(_ entries: [Entry]) throws {
    self.entries = entries
    let jobs = entries.map { entry -> JSON in
      ["handle": .string(entry.handle.text), "shard": entry.shard.map { .int(Int64($0)) } ?? .null]
    }
    let json: JSON = ["executor": .string(executor), "shards": .int(Int64(shards)), "jobs": .array(jobs)]
    try file.truncate()
    lseek(file.descriptor, 0, SEEK_SET)
    try file.writeAll(json.text() + "\n")
    try file.synchronize()
  }

  /// The jobs have ended.
  func remove() {
    // One that stays names jobs that nobody knows any more.
    try? File.remove(file.path)
  }

  /// Nobody follows them from here on.
  deinit { file.closeQuietly() }
}
