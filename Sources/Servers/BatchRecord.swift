// A batch as it is written down beside the journal before it is paid for: what a killed run had under way, the next one goes on with.

import Experiments
import Glibc
import JSON
import System

/// `batches/NAME.jsonl` in the journal's folder: a line with the requests, one with the mark, and one with each name that the server
/// gave. Whoever waits for the batch holds the file's lock, which the kernel frees when that process is gone. Beside it lies
/// `NAME.upload` until the server has it.
final class BatchRecord {
  struct Request {
    let key: ReplyJournal.Key
    let attempt: Int
    /// How often it was sent before.
    let tries: Int
  }

  struct Batch {
    /// The server's.
    let name: String
    /// False where it may be another's, which its results will show.
    let isCertain: Bool
  }

  let requests: [Request]
  /// What it may take.
  let forecast: TokenForecast.Tokens
  /// By which the batch is found if its name was never heard; there before the batch is created.
  private(set) var mark: String?
  private(set) var batch: Batch?
  private let file: File
  private static let suffix = ".jsonl"
  private static let uploadSuffix = ".upload"

  var uploadPath: String { Self.uploadPath(of: file.path) }
  private static func uploadPath(of path: String) -> String {
    String(path.dropLast(suffix.utf8.count)) + uploadSuffix
  }

  private init(_ file: File, _ requests: [Request], _ forecast: TokenForecast.Tokens) {
    (self.file, self.requests, self.forecast) = (file, requests, forecast)
  }

  deinit { file.closeQuietly() }

  // MARK: - Writing

  /// A new file without a line, locked.
  static func make(in folder: String) throws -> File {
    var count = 0
    while true {
      do {
        let file = try File.open(
          "\(folder)/\(Timestamp.now().compact)-\(getpid())-\(count)\(suffix)",
          O_RDWR | O_CREAT | O_EXCL | O_APPEND)
        guard try file.tryLock() else {
          preconditionFailure("`\(file.path)` is new, and another process has locked it")
        }
        return file
      } catch let error as SystemError where error.code == EEXIST {
        count += 1
      }
    }
  }

  static func uploadPath(of file: File) -> String { uploadPath(of: file.path) }

  /// Durable when it returns. The file is the record's, whether or not this throws.
  static func write(_ requests: [Request], _ forecast: TokenForecast.Tokens, to file: File) throws
    -> BatchRecord
  {
    let record = BatchRecord(file, requests, forecast)
    let list = requests.map { request -> JSON in
      [.string(request.key.digest.hex), .int(Int64(request.attempt)), .int(Int64(request.tries))]
    }
    do {
      try record.append([
        "requests": .array(list),
        "tokens": [.int(Int64(forecast.prompt)), .int(Int64(forecast.completion))],
      ])
      try File.synchronizeDirectory(Path.parent(file.path))
    } catch {
      record.remove()
      throw error
    }
    return record
  }

  func note(mark: String) throws {
    try append(["mark": .string(mark)])
    self.mark = mark
  }

  func note(_ batch: Batch) throws {
    let word = batch.isCertain ? "batch" : "candidate"
    try append([word: .string(batch.name)])
    self.batch = batch
  }

  private func append(_ value: JSON) throws {
    // Behind a line that was cut short, too.
    try file.writeAll("\n\(value.text(.canonical))\n")
    try file.synchronize()
  }

  /// Nothing is to be had of it any more.
  func remove() {
    try? File.remove(uploadPath)
    try? File.remove(file.path)
  }

  // MARK: - Reading

  /// Those of a folder whose submission lock the caller holds, and whether it holds theirs now. What says of no request is removed, and
  /// uploads that nobody needs.
  static func all(in folder: String, except own: [BatchRecord]) throws -> [(
    record: BatchRecord, isMine: Bool
  )] {
    let names = try File.names(in: folder).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let ownPaths = Set(own.map(\.file.path))
    var found: [(record: BatchRecord, isMine: Bool)] = []
    for name in names {
      let path = "\(folder)/\(name)"
      if name.hasSuffix(uploadSuffix) {
        let record = String(path.dropLast(uploadSuffix.utf8.count)) + suffix
        if FileStatus.of(record) == nil { try? File.remove(path) }
      }
      guard name.hasSuffix(suffix), !ownPaths.contains(path),
        let file = try? File.open(path, O_RDWR | O_APPEND)
      else { continue }
      var isKept = false
      defer { if !isKept { file.closeQuietly() } }
      let isMine = try file.tryLock()
      // Whoever had it may have ended it just now.
      guard FileStatus.of(path) != nil, let bytes = try? File.read(path) else { continue }
      guard let record = read(bytes, file) else {
        if isMine { try? File.remove(path) }
        continue
      }
      isKept = true
      found.append((record, isMine))
    }
    return found
  }

  private static func read(_ bytes: [UInt8], _ file: File) -> BatchRecord? {
    var record: BatchRecord?
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard let value = try? JSON(parsing: Array(line)) else { continue }
      if let list = value["requests"]?.arrayValue, record == nil {
        let requests = list.compactMap(request)
        let tokens = (value["tokens"]?.arrayValue ?? []).compactMap { $0.intValue }
        guard requests.count == list.count, tokens.count == 2 else { return nil }
        record = BatchRecord(file, requests, TokenForecast.Tokens(prompt: tokens[0], completion: tokens[1]))
      }
      if let mark = value["mark"]?.stringValue { record?.mark = mark }
      for (word, isCertain) in [("candidate", false), ("batch", true)] {
        if let name = value[word]?.stringValue { record?.batch = Batch(name: name, isCertain: isCertain) }
      }
    }
    return record
  }

  private static func request(_ value: JSON) -> Request? {
    guard let parts = value.arrayValue, parts.count == 3,
      let digest = parts[0].stringValue.flatMap({ Digest(hex: $0) }), let attempt = parts[1].intValue,
      let tries = parts[2].intValue
    else { return nil }
    return Request(key: ReplyJournal.Key(digest: digest), attempt: attempt, tries: tries)
  }
}
