// One member of a zip archive, such as a wheel: stored, or compressed as gzip compresses.

import CZlib
import Glibc
import System

/// Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3 (zip64). Deviation: of several members with one name the last counts, as Python
/// has it; archives of several parts and members that are encrypted are refused.
package final class ZipFile {
  private struct Member {
    let method: UInt16
    let flags: UInt16
    let checksum: UInt32
    let compressedSize: Int
    let size: Int
    /// Of its local header.
    let offset: Int
  }

  private let file: File
  private let size: Int

  private static let entrySignature = 0x0201_4B50
  private static let localSignature = 0x0403_4B50
  private static let endSignature = 0x0605_4B50
  private static let end64Signature = 0x0606_4B50
  private static let locatorSignature = 0x0706_4B50
  private static let (endSize, end64Size, locatorSize, entrySize, localSize) = (22, 56, 20, 46, 30)
  /// Of a comment behind the end.
  private static let longestComment = 0xFFFF
  /// Of the directory: bounds the memory that it takes.
  private static let largestDirectory = 100_000_000
  private static let (stored, deflated): (UInt16, UInt16) = (0, 8)
  private static let encrypted: UInt16 = 1
  private static let blockSize = 1 << 18

  /// - Throws: `SystemError`, `FileKindError`.
  package init(_ path: String) throws {
    file = try File.openToRead(path)
    do { size = try file.status().size } catch {
      file.closeQuietly()
      throw error
    }
  }

  deinit { file.closeQuietly() }

  /// Writes the member to a new file.
  /// - Returns: false where the archive has no such member.
  /// - Throws: `CompressionError` for an archive that is damaged or of a kind that is not read; `SystemError`.
  package func extract(_ name: String, to path: String) throws -> Bool {
    guard let member = try member(Array(name.utf8)) else { return false }
    let output = try File.open(path, O_WRONLY | O_CREAT | O_EXCL)
    defer { output.closeQuietly() }
    try write(member, to: output)
    return true
  }

  // MARK: The directory

  private func member(_ name: [UInt8]) throws -> Member? {
    let (start, length) = try directory()
    let bytes = try read(at: start, count: length)
    var found: Member?
    var position = 0
    while position < bytes.count {
      guard bytes.count - position >= Self.entrySize, number(bytes, position, 4) == Self.entrySignature else {
        throw fault("its directory is damaged", at: start + position)
      }
      let nameLength = number(bytes, position + 28, 2)
      let extraLength = number(bytes, position + 30, 2)
      let commentLength = number(bytes, position + 32, 2)
      let nameStart = position + Self.entrySize
      let next = nameStart + nameLength + extraLength + commentLength
      guard next <= bytes.count else { throw fault("its directory is damaged", at: start + position) }
      if bytes[nameStart..<(nameStart + nameLength)].elementsEqual(name) {
        let extra = bytes[(nameStart + nameLength)..<(nameStart + nameLength + extraLength)]
        found = try entry(bytes, position, extra: extra, at: start + position)
      }
      position = next
    }
    return found
  }

  private func entry(_ bytes: [UInt8], _ position: Int, extra: ArraySlice<UInt8>, at place: Int) throws
    -> Member
  {
    var sizes = [
      number(bytes, position + 24, 4), number(bytes, position + 20, 4), number(bytes, position + 42, 4),
    ]
    // Those that do not fit stand in the field of zip64, in this order.
    var field = self.field(1, of: extra)
    for index in sizes.indices where sizes[index] == 0xFFFF_FFFF {
      guard field.count >= 8, let size = Int(exactly: number64(field)) else {
        throw fault("a member has no size", at: place)
      }
      sizes[index] = size
      field = field.dropFirst(8)
    }
    return Member(
      method: UInt16(number(bytes, position + 10, 2)), flags: UInt16(number(bytes, position + 8, 2)),
      checksum: UInt32(number(bytes, position + 16, 4)), compressedSize: sizes[1], size: sizes[0],
      offset: sizes[2])
  }

  private func field(_ kind: Int, of extra: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var rest = extra
    while rest.count >= 4 {
      let bytes = Array(rest.prefix(4))
      let (found, length) = (number(bytes, 0, 2), number(bytes, 2, 2))
      rest = rest.dropFirst(4)
      if found == kind { return rest.prefix(length) }
      rest = rest.dropFirst(length)
    }
    return []
  }

  private func directory() throws -> (start: Int, length: Int) {
    let tailStart = max(0, size - Self.endSize - Self.longestComment)
    let tail = try read(at: tailStart, count: size - tailStart)
    var index = tail.count - Self.endSize
    while index >= 0, number(tail, index, 4) != Self.endSignature { index -= 1 }
    guard index >= 0 else { throw fault("it is no zip archive, or was cut", at: size) }
    let end = tailStart + index
    var (length, start) = (number(tail, index + 12, 4), number(tail, index + 16, 4))
    if length == 0xFFFF_FFFF || start == 0xFFFF_FFFF || number(tail, index + 10, 2) == 0xFFFF {
      let locator = try read(at: end - Self.locatorSize, count: Self.locatorSize)
      guard number(locator, 0, 4) == Self.locatorSignature, let place = Int(exactly: number64(locator[8...])),
        case let record = try read(at: place, count: Self.end64Size),
        number(record, 0, 4) == Self.end64Signature, let largeLength = Int(exactly: number64(record[40...])),
        let largeStart = Int(exactly: number64(record[48...]))
      else { throw fault("its end is damaged", at: end) }
      (length, start) = (largeLength, largeStart)
    }
    guard length <= Self.largestDirectory, start <= size, length <= size - start else {
      throw fault("its directory lies outside of it, or is too large", at: end)
    }
    return (start, length)
  }

  // MARK: The bytes

  private func write(_ member: Member, to output: File) throws {
    let header = try read(at: member.offset, count: Self.localSize)
    guard number(header, 0, 4) == Self.localSignature else {
      throw fault("a member does not lie where the directory says", at: member.offset)
    }
    guard member.flags & Self.encrypted == 0, [Self.stored, Self.deflated].contains(member.method) else {
      throw fault(
        "a member is encrypted or compressed in a way that is not read (method \(member.method))",
        at: member.offset)
    }
    let start = member.offset + Self.localSize + number(header, 26, 2) + number(header, 28, 2)
    guard start <= size, member.compressedSize <= size - start else {
      throw fault("a member lies outside of it", at: member.offset)
    }
    do {
      let limit = ExpansionLimit(fileSize: size, help: "unpack it by hand")
      let written = try expand(member, at: start, limit, to: output)
      guard written.size == member.size, written.checksum == UInt(member.checksum) else {
        throw CompressionFault("a member expands to other bytes than the directory says")
      }
    } catch let fault as CompressionFault { throw self.fault(fault.problem, at: start) }
  }

  private func expand(_ member: Member, at start: Int, _ limit: ExpansionLimit, to output: File) throws -> (
    size: Int, checksum: UInt
  ) {
    let stream = member.method == Self.deflated ? try ZlibStream(windowBits: -15) : nil
    var buffer = [UInt8](repeating: 0, count: Self.blockSize)
    var (position, count, checksum) = (0, 0, crc32_z(0, nil, 0))
    func take(_ bytes: UnsafeRawBufferPointer) throws {
      count += bytes.count
      try limit.spend(bytes.count)
      guard count <= member.size else {
        throw CompressionFault("a member expands to more bytes than the directory says")
      }
      checksum = crc32_z(checksum, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
      try output.writeAll(bytes)
    }
    while position < member.compressedSize {
      let block = try read(at: start + position, count: min(Self.blockSize, member.compressedSize - position))
      position += block.count
      guard let stream else {
        try block.withUnsafeBytes { try take($0) }
        continue
      }
      var rest = block[...]
      var isFull = true
      while !rest.isEmpty || isFull {
        let (status, taken, written) = rest.withUnsafeBytes { input in
          buffer.withUnsafeMutableBytes { stream.inflate(input, into: $0) }
        }
        rest = rest.dropFirst(taken)
        isFull = written == buffer.count
        try buffer.withUnsafeBytes { try take(UnsafeRawBufferPointer(rebasing: $0[..<written])) }
        if status == Z_STREAM_END { return (count, UInt(checksum)) }
        guard status == Z_OK || status == Z_BUF_ERROR else {
          throw CompressionFault("a member is damaged: \(stream.message)")
        }
        if taken == 0, written == 0 { break }
      }
    }
    guard stream == nil else { throw CompressionFault("a member ends before it is complete") }
    return (count, UInt(checksum))
  }

  private func read(at offset: Int, count: Int) throws -> [UInt8] {
    guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
      throw fault("it ends where more of it should be", at: size)
    }
    return try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = pread(
          file.descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
        if got < 0, errno == EINTR { continue }
        if got < 0 { throw SystemError("read", file.path, code: errno) }
        if got == 0 { throw fault("it was shortened while it was read", at: offset + filled) }
        filled += got
      }
    }
  }

  private func fault(_ problem: String, at offset: Int) -> CompressionError {
    CompressionError(path: file.path, offset: offset, problem: problem)
  }

  /// Of at most 4 bytes, the lowest first.
  private func number(_ bytes: [UInt8], _ position: Int, _ count: Int) -> Int {
    var value = 0
    for index in (0..<count).reversed() { value = value << 8 | Int(bytes[position + index]) }
    return value
  }

  private func number64(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
