// Records of data files, read on a thread of their own while those before them become rows.

import Experiments
import System

struct RecordsAhead: ~Copyable {
  /// What the files gave next.
  struct Entry {
    let path: String
    fileprivate(set) var found: Found
    /// Of the record, where it was asked for.
    fileprivate(set) var contentHash: UInt64 = 0
  }

  enum Found {
    case record(DataRecord)
    /// Records that are rows already.
    case lines(DirectLines)
    case bad(BadRecord)
    /// After these no record comes.
    case end
    case failed(any Error)
  }

  /// So many bytes of records are read at once, and as many are there to be taken.
  static let batchSize = 1 << 20

  private let reader: Reader
  private var entries: ArraySlice<Entry> = []
  private var reading: BackgroundWork?

  /// What the files are called, and whether all of them was read: after the last record that was taken.
  private(set) var unit = ""
  private(set) var isWhole = false

  /// - Parameters:
  ///   - rows: makes rows of those records of which it can.
  ///   - hashesContents: whether records come with the hash of their content.
  init(_ files: DataFiles, rows: DirectRows? = nil, hashesContents: Bool) {
    reader = Reader(files, rows, hashesContents ? ContentHashes() : nil)
    reading = reader.begin()
  }

  /// - Precondition: what came last is a record, or a bad one.
  /// - Throws: what a thread may fail with.
  mutating func next() throws -> Entry {
    if entries.isEmpty {
      try reading.take()?.wait()
      swap(&entries, &reader.spent)
      entries = reader.batch[...]
      (unit, isWhole) = (reader.files.unit, reader.files.isWhole)
      if !reader.hasEnded { reading = reader.begin() }
    }
    guard let entry = entries.popFirst() else { preconditionFailure("records were asked for after the last") }
    return entry
  }

  // SAFETY: one thread uses it at a time: the one that reads, or ours when that has ended.
  private final class Reader: @unchecked Sendable {
    private(set) var files: DataFiles
    private(set) var batch: [Entry] = []
    /// What was taken, all of it, to be freed on the thread that reads.
    var spent: ArraySlice<Entry> = []
    private(set) var hasEnded = false

    private var rows: DirectRows?
    private var contents: ContentHashes?

    init(_ files: DataFiles, _ rows: DirectRows?, _ contents: ContentHashes?) {
      self.files = files
      self.rows = rows
      self.contents = contents
    }

    func begin() -> BackgroundWork { BackgroundWork { self.read() } }

    private func read() {
      spent = []
      batch = []
      var byteCount = 0
      while byteCount < RecordsAhead.batchSize, !hasEnded {
        let found: Found
        do {
          var lines = DirectLines()
          if rows != nil { try appendLines(to: &lines) }
          if lines.count > 0 {
            byteCount += lines.bytes.count
            found = .lines(lines)
          } else if let next = try files.next() {
            contents?.add(next.value)
            byteCount += next.value.approximateByteCount
            found = .record(next)
          } else {
            hasEnded = true
            found = .end
          }
        } catch let bad as BadRecord {
          byteCount += 256
          found = .bad(bad)
        } catch {
          hasEnded = true
          found = .failed(error)
        }
        batch.append(Entry(path: files.path, found: found))
      }
      guard let hashes = contents?.take() else { return }
      var index = 0
      for place in batch.indices {
        switch batch[place].found {
        case .record where index < hashes.count:
          batch[place].contentHash = hashes[index]
          index += 1
        case .lines(var lines):
          lines.hashes = Array(hashes[index...].prefix(lines.count))
          index += lines.count
          batch[place].found = .lines(lines)
        default: break
        }
      }
    }

    private func appendLines(to lines: inout DirectLines) throws {
      guard var rows else { return }
      self.rows = nil
      defer { self.rows = rows }
      try files.appendLines(&rows, to: &lines, &contents)
    }
  }
}
