// The directory of a zip archive whose members are stored uncompressed: where the bytes of each member lie.

import JSON
import System

/// A member's bytes, inside the file.
struct ZipMember {
  let name: String
  /// Bytes from the start of the file.
  let offset: Int
  let byteCount: Int
}

/// Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3 (zip64). Stricter than that: nothing stands after the directory, members do
/// not overlap, names are distinct, and what a local header says is what the directory says. Checksums are not compared: `torch.save`
/// can be told to leave them out, and whoever names a model's digest has a stronger one.
struct ZipDirectory {
  /// In the order of the directory.
  let members: [ZipMember]
  private let index: [UTF8Key: Int]

  static let maximumMembers = 200_000
  /// Of the directory: bounds the memory that its names may take.
  static let maximumSize = 100_000_000

  static let memberSignature: [UInt8] = [0x50, 0x4B, 0x03, 0x04]
  private static let entrySignature: UInt32 = 0x0201_4B50
  private static let localSignature: UInt32 = 0x0403_4B50
  private static let endSignature: UInt32 = 0x0605_4B50
  private static let end64Signature: UInt32 = 0x0606_4B50
  private static let locatorSignature: UInt32 = 0x0706_4B50
  private static let (endSize, end64Size, locatorSize, entrySize) = (22, 56, 20, 46)

  /// Sizes after the data (bit 3), names in UTF-8 (bit 11).
  private static let allowedFlags: UInt16 = 0x0808

  init(of file: MappedFile) throws {
    let place = try Self.place(in: file)
    var cursor = ByteCursor(
      file: file, position: place.start, part: "zip directory", end: place.end, extent: "it")
    var members: [ZipMember] = []
    var spans: [(start: Int, end: Int, member: Int)] = []
    var index: [UTF8Key: Int] = [:]
    for number in 0..<place.memberCount {
      cursor.part = "zip member \(number)"
      let start = cursor.position
      let entry = try Self.readEntry(&cursor)
      guard index.updateValue(number, forKey: UTF8Key(entry.name)) == nil else {
        throw cursor.failure("the name appears twice", at: start)
      }
      let member = try Self.member(entry, in: file, directoryStart: place.start)
      spans.append((entry.headerOffset, member.offset + member.byteCount, number))
      members.append(member)
    }
    guard cursor.position == place.end else {
      cursor.part = "zip directory"
      throw cursor.failure("\(cursor.remaining) bytes follow its \(place.memberCount) members")
    }
    spans.sort { ($0.start, $0.end) < ($1.start, $1.end) }
    for (span, next) in zip(spans, spans.dropFirst()) where span.end > next.start {
      throw FormatError(
        path: file.path, part: "zip member \(quoted(members[next.member].name))", offset: next.start,
        "it overlaps \(quoted(members[span.member].name))")
    }
    self.members = members
    self.index = index
  }

  subscript(name: String) -> ZipMember? { index[UTF8Key(name)].map { members[$0] } }

  /// Where the directory lies, from the records at the end of the file.
  private static func place(in file: MappedFile) throws -> (start: Int, end: Int, memberCount: Int) {
    let position = file.count - endSize
    func cursor(at position: Int) -> ByteCursor {
      ByteCursor(file: file, position: position, part: "end of the zip directory")
    }
    guard position >= 0, try signature(file, position) == endSignature else {
      throw FormatError(
        path: file.path, part: "end of the zip directory", offset: file.count,
        "expected it in the file's last \(endSize) bytes; the file is cut short, or something was added to it"
      )
    }
    var end = cursor(at: position + 4)
    let disks = [try end.integer("a disk", as: UInt16.self), try end.integer("a disk")]
    let counts = [try end.integer("a count", as: UInt16.self), try end.integer("a count")]
    let size = try end.integer("the size", as: UInt32.self)
    let offset = try end.integer("the offset", as: UInt32.self)
    guard try end.integer("the length of the comment", as: UInt16.self) == 0 else {
      throw end.failure("a comment of the archive, which `torch.save` does not write", at: end.position - 2)
    }
    guard disks == [0, 0], counts[0] == counts[1] else {
      throw end.failure("an archive in several parts is not read", at: position)
    }
    var place = Place(memberCount: UInt64(counts[0]), size: UInt64(size), offset: UInt64(offset))
    var directoryEnd = position
    if try signature(file, position - locatorSize) == locatorSignature {
      directoryEnd = position - locatorSize - end64Size
      guard directoryEnd >= 0, try signature(file, directoryEnd) == end64Signature else {
        throw end.failure("the zip64 record is not before its locator", at: position - locatorSize)
      }
      let place64 = try readEnd64(file, at: directoryEnd)
      func agrees(_ short: UInt64, _ long: UInt64, _ limit: UInt64) -> Bool {
        short == limit || short == long
      }
      guard agrees(place.memberCount, place64.memberCount, UInt64(UInt16.max)),
        agrees(place.size, place64.size, UInt64(UInt32.max)),
        agrees(place.offset, place64.offset, UInt64(UInt32.max))
      else { throw end.failure("it contradicts the zip64 record", at: position) }
      place = place64
    }
    guard let memberCount = Int(exactly: place.memberCount), memberCount <= maximumMembers else {
      throw end.failure(
        "the archive has \(place.memberCount) members; at most \(maximumMembers) are read", at: position)
    }
    guard let start = Int(exactly: place.offset), start <= directoryEnd,
      place.size == UInt64(directoryEnd - start)
    else {
      throw end.failure(
        "the directory is said to be \(place.size) bytes from byte \(place.offset), but has to end at byte \(directoryEnd)",
        at: position)
    }
    guard directoryEnd - start <= maximumSize else {
      throw end.failure(
        "the directory has \(directoryEnd - start) bytes; at most \(maximumSize) are read", at: position)
    }
    return (start, directoryEnd, memberCount)
  }

  private struct Place {
    var memberCount: UInt64
    var size: UInt64
    var offset: UInt64
  }

  /// Nil where fewer than four bytes are.
  private static func signature(_ file: MappedFile, _ position: Int) throws -> UInt32? {
    file.slice(position, 4).map { UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) }
  }

  private static func readEnd64(_ file: MappedFile, at position: Int) throws -> Place {
    var cursor = ByteCursor(file: file, position: position + 4, part: "zip64 end of the directory")
    let size = try cursor.integer("its size", as: UInt64.self)
    _ = try cursor.integer("versions", as: UInt32.self)
    let disks = [try cursor.integer("a disk", as: UInt32.self), try cursor.integer("a disk")]
    let counts = [try cursor.integer("a count", as: UInt64.self), try cursor.integer("a count")]
    let place = Place(
      memberCount: counts[0], size: try cursor.integer("the size"), offset: try cursor.integer("the offset"))
    cursor.position += 4
    let locatedAt = try cursor.integer("a disk", as: UInt32.self)
    let location = try cursor.integer("the place of the zip64 record", as: UInt64.self)
    guard size == UInt64(end64Size - 12), disks == [0, 0], locatedAt == 0, counts[0] == counts[1],
      location == UInt64(position), try cursor.integer("the number of disks", as: UInt32.self) == 1
    else {
      throw cursor.failure("the record or its locator is not that of one archive in one file", at: position)
    }
    return place
  }

  /// What the directory says of a member; not yet held against the file.
  private struct Entry {
    let name: String
    let flags: UInt16
    let byteCount: UInt64
    let headerOffset: Int
    /// In the directory.
    let position: Int
  }

  private static func readEntry(_ cursor: inout ByteCursor) throws -> Entry {
    let start = cursor.position
    guard try cursor.integer("a signature", as: UInt32.self) == entrySignature else {
      throw cursor.failure("the directory has no entry here", at: start)
    }
    _ = try cursor.integer("versions", as: UInt32.self)
    let flags = try cursor.integer("the flags", as: UInt16.self)
    let method = try cursor.integer("the method", as: UInt16.self)
    _ = try cursor.bytes(8, of: "time and checksum")
    let packedSize = try cursor.integer("the packed size", as: UInt32.self)
    let size = try cursor.integer("the size", as: UInt32.self)
    let lengths = [
      try cursor.integer("a length", as: UInt16.self), try cursor.integer("a length"),
      try cursor.integer("a length"),
    ]
    let disk = try cursor.integer("the disk", as: UInt16.self)
    _ = try cursor.bytes(6, of: "attributes")
    let offset = try cursor.integer("the offset", as: UInt32.self)
    guard let name = String(validating: try cursor.bytes(Int(lengths[0]), of: "the name"), as: UTF8.self)
    else { throw cursor.failure("the name is not valid UTF-8", at: start + entrySize) }
    cursor.part = "zip member \(quoted(name))"
    guard method == 0 else {
      throw cursor.failure("compressed (method \(method)); only stored members are read", at: start)
    }
    guard flags & ~allowedFlags == 0, disk == 0 || disk == .max else {
      throw cursor.failure("encrypted, patched or in several parts (flags \(flags))", at: start)
    }
    let extraEnd = cursor.position + Int(lengths[1])
    var sizes = [UInt64(size), UInt64(packedSize), UInt64(offset)]
    try readExtra(&cursor, end: extraEnd, &sizes)
    _ = try cursor.bytes(Int(lengths[2]), of: "the comment")
    guard sizes[0] == sizes[1] else {
      throw cursor.failure("stored, but \(sizes[1]) bytes are said to hold \(sizes[0])", at: start)
    }
    guard let headerOffset = Int(exactly: sizes[2]) else {
      throw cursor.failure("its offset \(sizes[2]) is out of range", at: start)
    }
    return Entry(
      name: name, flags: flags, byteCount: sizes[0], headerOffset: headerOffset, position: start)
  }

  /// Replaces those of size, packed size and offset that are `UInt32.max` by their 64 bits, which stand in this order.
  private static func readExtra(_ cursor: inout ByteCursor, end: Int, _ sizes: inout [UInt64]) throws {
    let start = cursor.position
    let extra = try cursor.bytes(end - start, of: "the extra field")
    var fields = ByteCursor(
      file: cursor.file, position: start, part: cursor.part, end: start + extra.count,
      extent: "the extra field")
    while fields.remaining > 0 {
      let kind = try fields.integer("a kind", as: UInt16.self)
      let length = Int(try fields.integer("a length", as: UInt16.self))
      let field = fields.position
      _ = try fields.bytes(length, of: "a field")
      guard kind == 1 else { continue }
      var zip64 = ByteCursor(
        file: cursor.file, position: field, part: cursor.part, end: fields.position,
        extent: "the zip64 field")
      for index in sizes.indices where sizes[index] == UInt64(UInt32.max) {
        sizes[index] = try zip64.integer("a size")
      }
    }
  }

  /// Holds an entry against the local header before the member's bytes.
  private static func member(_ entry: Entry, in file: MappedFile, directoryStart: Int) throws -> ZipMember {
    var cursor = ByteCursor(
      file: file, position: min(entry.headerOffset, directoryStart), part: "zip member \(quoted(entry.name))",
      end: directoryStart, extent: "the part before the directory")
    let start = cursor.position
    guard try cursor.integer("the local header", as: UInt32.self) == localSignature else {
      throw cursor.failure("it has no local header where the directory says", at: start)
    }
    _ = try cursor.integer("the version", as: UInt16.self)
    let flags = try cursor.integer("the flags", as: UInt16.self)
    let method = try cursor.integer("the method", as: UInt16.self)
    _ = try cursor.bytes(8, of: "time and checksum")
    let sizes = [try cursor.integer("a size", as: UInt32.self), try cursor.integer("a size")]
    let nameLength = Int(try cursor.integer("a length", as: UInt16.self))
    let extraLength = Int(try cursor.integer("a length", as: UInt16.self))
    let name = try cursor.bytes(nameLength, of: "the name")
    _ = try cursor.bytes(extraLength, of: "the extra field")
    // With bit 3 the sizes stand behind the data, and may be missing here.
    let agrees = sizes.allSatisfy {
      UInt64($0) == entry.byteCount || $0 == .max || ($0 == 0 && flags & 8 != 0)
    }
    guard flags == entry.flags, method == 0, name.elementsEqual(entry.name.utf8), agrees else {
      throw cursor.failure("its local header contradicts the directory", at: start)
    }
    guard let byteCount = Int(exactly: entry.byteCount), byteCount <= cursor.remaining else {
      throw cursor.failure(
        "its \(entry.byteCount) bytes do not end before the directory at byte \(directoryStart)")
    }
    return ZipMember(name: entry.name, offset: cursor.position, byteCount: byteCount)
  }
}
