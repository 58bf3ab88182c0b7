// What servers replied, kept for good: the replies of a store, by the whole request. Replay is exact, asking again is not.

import Glibc
import JSON
import System

/// A folder of append-only files, one a process that asked. Of two entries of one key the one in the older file counts, and in one
/// file the first. Used by one thread.
package final class ReplyJournal {
  /// What names a reply: the server's identity, the whole body of the request, and which attempt at it this is.
  package struct Key: Hashable, Sendable {
    package let digest: Digest
    package init(identity: String, body: JSON, attempt: Int) {
      digest = Digest.of(
        text: (["server": .string(identity), "body": body, "attempt": .int(Int64(attempt))] as JSON).text(
          .canonical))
    }
    package init(digest: Digest) { self.digest = digest }
  }

  /// What is kept of a reply.
  package struct Entry: Sendable, Equatable {
    /// The response's body.
    package let response: JSON
    /// Seconds since 1970.
    package let time: Double
    /// Which attempt at its request it is, for a reader: the key holds it too.
    package let attempt: Int?
    package init(response: JSON, time: Double, attempt: Int? = nil) {
      self.response = response
      self.time = time
      self.attempt = attempt
    }
  }

  package let folder: String
  private let identity: String?
  private var files: [JournalFile] = []
  private var numbers: [UTF8Key: Int] = [:]
  private var index = ReplyIndex()
  /// When the folder had changed last when its names were read, and whether it may have changed since without showing it.
  private var listed: (changed: Int64, isFresh: Bool)?
  private var window = Window()
  private var own: (file: File, number: Int)?
  private var pending = 0
  private var lastSync = monotonicSeconds()
  private var syncSeconds = 0.0

  static let entriesPerSync = 64
  static let secondsPerSync = 2.0
  /// A response may be nested as deep as is read of one, and stands one level down.
  static let depth = 65

  private struct JournalFile {
    let path: String
    /// Up to the end of the last whole line.
    var read = 0
    /// Whether somebody may still write there.
    var isOpen = true
  }

  /// A piece of a file, in memory.
  private struct Window {
    var number = -1
    var start = 0
    var bytes: [UInt8] = []
  }

  /// - Parameters:
  ///   - folder: made when the first reply is kept.
  ///   - identity: the server's, for whoever lists the store.
  package init(folder: String, identity: String? = nil) {
    self.folder = folder
    self.identity = identity
  }

  deinit { own?.file.closeQuietly() }

  /// `STORE/replies/HASH`, for a server's identity.
  package static func folder(of identity: String, inStore store: String) -> String {
    "\(store)/replies/\(Digest.of(text: identity).hex.prefix(32))"
  }

  /// Those of the wanted replies that are kept. Reads what others have added since.
  package func entries(_ wanted: Set<Key>) throws -> [Key: Entry] {
    let keys = Array(wanted)
    var entries: [Key: Entry] = [:]
    try scan(keys) { entries[keys[$0]] = $1 }
    return entries
  }

  /// The entry of each key that has one, with the key's index, in the order in which they lie. Reads what others have added since.
  package func scan(_ keys: [Key], take: (Int, Entry) throws -> Void) throws {
    try refresh()
    var found: [(place: ReplyIndex.Place, key: Int)] = []
    for (number, key) in keys.enumerated() {
      if let place = places(key).first { found.append((place, number)) }
    }
    found.sort { ($0.place.file, $0.place.offset) < ($1.place.file, $1.place.offset) }
    for (_, number) in found {
      if let entry = try entry(keys[number]) { try take(number, entry) }
    }
  }

  /// The entry of a key, as far as the journal was read.
  package func entry(_ key: Key) throws -> Entry? {
    for place in places(key) {
      let entry: Entry? = try withLine(at: place) { line in
        guard let line, ReplyLine.key(line) == key else { return nil }
        return ReplyLine.entry(line)
      }
      if let entry { return entry }
    }
    return nil
  }

  /// The one that counts first.
  private func places(_ key: Key) -> [ReplyIndex.Place] {
    let places = index.places(of: key.bits)
    guard places.count > 1 else { return places }
    return places.sorted { a, b in
      a.file == b.file
        ? a.offset < b.offset : files[a.file].path.utf8.lexicographicallyPrecedes(files[b.file].path.utf8)
    }
  }
}

// MARK: - Reading

extension ReplyJournal {
  /// Lines that begin as an entry does, in all files that were read.
  package var count: Int { index.count }

  /// Reads what has been added since the last time, by whomever.
  package func refresh() throws {
    try list()
    for number in files.indices where files[number].isOpen && number != own?.number {
      try readNew(number)
    }
  }

  private func list() throws {
    guard let status = FileStatus.of(folder) else { return }
    if let listed, !listed.isFresh, listed.changed == status.modifiedNanoseconds { return }
    // What changes within a tick of the file system's clock leaves no trace.
    let age = Timestamp.now().secondsSince1970 - Double(status.modifiedNanoseconds) / 1e9
    listed = (status.modifiedNanoseconds, age < 1)
    for name in try File.names(in: folder) where name.utf8.suffix(6).elementsEqual(".jsonl".utf8) {
      if numbers[UTF8Key(name)] == nil { add(name) }
    }
  }

  @discardableResult
  private func add(_ name: String) -> Int {
    numbers[UTF8Key(name)] = files.count
    files.append(JournalFile(path: "\(folder)/\(name)"))
    return files.count - 1
  }

  private func readNew(_ number: Int) throws {
    let path = files[number].path
    // Before its length is asked for: what nobody writes any more is read to its end once.
    guard let status = FileStatus.of(path), status.isRegularFile else {
      files[number].isOpen = false
      return
    }
    guard status.size > files[number].read else {
      // Such as one that its writer has made and not locked yet.
      if status.size > 0, try !isWritten(path) { files[number].isOpen = false }
      return
    }
    let file = try File.openToRead(path)
    defer { file.closeQuietly() }
    let isWritten = file.isLockedElsewhere(byte: Self.writerByte)
    try readLines(of: file, number)
    files[number].isOpen = isWritten
  }

  private func isWritten(_ path: String) throws -> Bool {
    let file = try File.openToRead(path)
    defer { file.closeQuietly() }
    return file.isLockedElsewhere(byte: Self.writerByte)
  }

  /// Far behind all that is ever written.
  fileprivate static let writerByte: Int64 = 1 << 61

  /// Notes where each line of the rest of a file begins, up to its last newline.
  private func readLines(of file: File, _ number: Int) throws {
    var block: [UInt8] = []
    var size = 1 << 20
    while true {
      let start = files[number].read
      try file.read(at: start, count: size, into: &block)
      let used = block.withUnsafeBytes { bytes in
        var position = 0
        while position < bytes.count, let end = Self.newline(in: bytes, from: position) {
          if let bits = ReplyLine.keyBits(UnsafeRawBufferPointer(rebasing: bytes[position..<end])) {
            index.insert(bits, ReplyIndex.Place(file: number, offset: start + position))
          }
          position = end + 1
        }
        return position
      }
      files[number].read += used
      if block.count < size { return }
      if used == 0 { size *= 4 }
    }
  }

  private static func newline(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard let base = bytes.baseAddress, start < bytes.count,
      let found = memchr(base + start, 0x0A, bytes.count - start)
    else { return nil }
    return UnsafeRawPointer(found) - base
  }

  /// The line without its newline; nil where the file is gone or ends before the line does.
  private func withLine<T>(at place: ReplyIndex.Place, _ body: (UnsafeRawBufferPointer?) throws -> T) throws
    -> T
  {
    func inWindow() -> Range<Int>? {
      guard window.number == place.file, place.offset >= window.start,
        place.offset < window.start + window.bytes.count
      else { return nil }
      let start = place.offset - window.start
      return window.bytes.withUnsafeBytes { Self.newline(in: $0, from: start) }.map { start..<$0 }
    }
    var range = inWindow()
    var size = 1 << 16
    if range == nil, let file = try? File.openToRead(files[place.file].path) {
      defer { file.closeQuietly() }
      while range == nil {
        (window.number, window.start) = (place.file, place.offset)
        try file.read(at: place.offset, count: size, into: &window.bytes)
        range = inWindow()
        if window.bytes.count < size { break }
        size *= 4
      }
    }
    guard let range else { return try body(nil) }
    return try window.bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }

  /// Each line that checks, in the order of the files' names; the bytes are without the newline.
  package func forEachLine(_ body: (Key, UnsafeRawBufferPointer) throws -> Void) throws {
    try refresh()
    let order = files.indices.sorted { files[$0].path.utf8.lexicographicallyPrecedes(files[$1].path.utf8) }
    for number in order {
      var offset = 0
      while offset < files[number].read {
        offset += try withLine(at: ReplyIndex.Place(file: number, offset: offset)) { line in
          guard let line else { return files[number].read }
          if let key = ReplyLine.key(line) { try body(key, line) }
          return line.count + 1
        }
      }
    }
  }
}

// MARK: - Writing

extension ReplyJournal {
  /// Durable once `synchronize` has returned.
  package func append(_ key: Key, _ entry: Entry) throws {
    try append(line: ReplyLine.bytes(key, entry), key)
  }

  func append(line: [UInt8], _ key: Key) throws {
    let (file, number) = try openOwn()
    // One write a line: a crash of this process alone then loses nothing that was appended.
    try line.withUnsafeBytes { try file.writeAll($0) }
    index.insert(key.bits, ReplyIndex.Place(file: number, offset: files[number].read))
    files[number].read += line.count
    pending += 1
    try synchronizeIfDue()
  }

  /// Now and then: after so many entries, but so that no more than a twentieth of the time goes into it, or after so long.
  package func synchronizeIfDue() throws {
    let since = monotonicSeconds() - lastSync
    if pending >= Self.entriesPerSync && since >= 20 * syncSeconds || since >= Self.secondsPerSync {
      try synchronize()
    }
  }

  package func synchronize() throws {
    let start = monotonicSeconds()
    if pending > 0 { try own?.file.synchronize() }
    pending = 0
    lastSync = monotonicSeconds()
    syncSeconds = lastSync - start
  }

  private func openOwn() throws -> (file: File, number: Int) {
    if let own { return own }
    try File.makeDirectory(folder, isDurable: true)
    if let identity, FileStatus.of("\(folder)/\(Self.identityName)") == nil {
      try File.writeDurably(identity, to: "\(folder)/\(Self.identityName)")
    }
    var count = 0
    while true {
      let name = "\(Timestamp.now().compact)-\(getpid())-\(count).jsonl"
      do {
        let file = try File.open("\(folder)/\(name)", O_RDWR | O_CREAT | O_EXCL | O_APPEND)
        guard try file.tryLock(byte: Self.writerByte) else {
          preconditionFailure("`\(file.path)` is new, and another process has locked it")
        }
        try File.synchronizeDirectory(folder)
        let opened = (file, add(name))
        own = opened
        return opened
      } catch let error as SystemError where error.code == EEXIST {
        count += 1
      }
    }
  }

  /// The file with the identity.
  static let identityName = "identity"
}

extension File {
  /// As many bytes as there are from an offset on, at most so many.
  fileprivate func read(at offset: Int, count: Int, into bytes: inout [UInt8]) throws {
    var code: Int32 = 0
    bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = pread(
          descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
        if got < 0, errno == EINTR { continue }
        if got < 0 { code = errno }
        if got <= 0 { break }
        filled += got
      }
    }
    if code != 0 { throw SystemError("read", path, code: code) }
  }
}
