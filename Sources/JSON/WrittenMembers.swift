// The members of an object on a line as the writer would write them, for whoever makes another line of them: no values are made.

import Glibc

/// Reads one line after the other. What it says of a line is good as long as the line is in memory, and until the next one is read.
package struct WrittenMembers {
  private struct Member {
    /// Without quotes, in the line.
    let key: Range<Int>
    /// In the line, or else in `rewritten`.
    var value: Range<Int>
    var isRewritten = false
  }

  /// The bytes of the names that are asked for, one behind the other, and where each ends.
  private var names: [UInt8] = []
  private var nameEnds: [Int] = []
  /// Whether other members are no more than held to be right.
  private let passesOthers: Bool
  private var members: [Member] = []
  /// Of each name, where its member stands, or -1.
  private var places: [Int] = []
  /// Values that the line writes in another form than the writer.
  private var rewritten: [UInt8] = []
  /// Members that are compared with each other; an object that has more is unusual.
  private static let most = 32

  /// - Parameters:
  ///   - names: of members that are asked for.
  ///   - passesOthers: whether other members are not asked for, and are only held to be right.
  package init(_ names: [String], passesOthers: Bool) {
    for name in names {
      self.names += name.utf8
      nameEnds.append(self.names.count)
    }
    self.passesOthers = passesOthers
  }

  /// - Returns: whether the line is an object of a usual kind, and right; any other has to be read as a value, which says what is wrong.
  package mutating func read(_ line: UnsafeRawBufferPointer) -> Bool {
    members.removeAll(keepingCapacity: true)
    rewritten.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    for _ in nameEnds { places.append(-1) }
    var reader = JSONReader(bytes: line, maximumDepth: 64)
    reader.skipWhitespace()
    guard reader.passByte(UInt8(ascii: "{")) else { return false }
    while true {
      reader.skipWhitespace()
      guard let key = reader.passPlainString(), isNew(key, of: line) else { return false }
      reader.skipWhitespace()
      guard reader.passByte(UInt8(ascii: ":")) else { return false }
      reader.skipWhitespace()
      let isAsked = look(for: UnsafeRawBufferPointer(rebasing: line[key]))
      guard let member = value(of: &reader, key, isNeeded: isAsked || !passesOthers) else { return false }
      members.append(member)
      reader.skipWhitespace()
      if reader.passByte(UInt8(ascii: ",")) { continue }
      guard reader.passByte(UInt8(ascii: "}")) else { return false }
      reader.skipWhitespace()
      return reader.current == nil
    }
  }

  /// Where among the members the one of a name stands, by the name's index.
  package func place(_ name: Int) -> Int? { places[name] < 0 ? nil : places[name] }

  /// Whether the name of the member that is read now is asked for; notes where it stands.
  private mutating func look(for key: UnsafeRawBufferPointer) -> Bool {
    var isAsked = false
    var start = 0
    for name in nameEnds.indices {
      let end = nameEnds[name]
      let isSame = names.withUnsafeBytes {
        Self.same(UnsafeRawBufferPointer(rebasing: $0[start..<end]), key)
      }
      if isSame {
        // A name may be asked for twice.
        places[name] = members.count
        isAsked = true
      }
      start = end
    }
    return isAsked
  }

  /// The first byte of a value, which says its kind.
  package func firstByte(_ place: Int, in line: UnsafeRawBufferPointer) -> UInt8 {
    let member = members[place]
    return member.isRewritten ? rewritten[member.value.lowerBound] : line[member.value.lowerBound]
  }

  /// Where a value's text stands in the line; nil where the line writes it in another form.
  package func range(_ place: Int) -> Range<Int>? {
    members[place].isRewritten ? nil : members[place].value
  }

  /// Appends a value's text.
  package func write(_ place: Int, of line: UnsafeRawBufferPointer, to output: inout [UInt8]) {
    let member = members[place]
    if member.isRewritten {
      output += rewritten[member.value]
    } else {
      output.append(raw: UnsafeRawBufferPointer(rebasing: line[member.value]))
    }
  }

  /// Appends the object's canonical text.
  /// - Precondition: no members were passed.
  package func writeCanonical(of line: UnsafeRawBufferPointer, to output: inout [UInt8]) {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: members.count) { order in
      for index in members.indices {
        var place = index
        while place > 0, Self.precedes(line[members[index].key], line[members[order[place - 1]].key]) {
          order[place] = order[place - 1]
          place -= 1
        }
        order[place] = index
      }
      output.append(UInt8(ascii: "{"))
      for place in members.indices {
        if place > 0 { output.append(UInt8(ascii: ",")) }
        let key = members[order[place]].key
        // With its quotes.
        output.append(
          raw: UnsafeRawBufferPointer(rebasing: line[(key.lowerBound - 1)..<(key.upperBound + 1)]))
        output.append(UInt8(ascii: ":"))
        write(order[place], of: line, to: &output)
      }
      output.append(UInt8(ascii: "}"))
    }
  }

  /// Nil for a value that is wrong or unusual.
  private mutating func value(of reader: inout JSONReader, _ key: Range<Int>, isNeeded: Bool) -> Member? {
    let start = reader.position
    if reader.passWritten(isNeeded: isNeeded) { return Member(key: key, value: start..<reader.position) }
    reader.position = start
    guard let value = try? reader.readValue(depth: 1) else { return nil }
    let range = start..<reader.position
    if !isNeeded { return Member(key: key, value: range) }
    // The canonical form of an object is another one.
    guard passesOthers || !reader.bytes[range].contains(UInt8(ascii: "{")) else { return nil }
    let first = rewritten.count
    value.write(to: &rewritten)
    return Member(key: key, value: first..<rewritten.count, isRewritten: true)
  }

  private func isNew(_ key: Range<Int>, of line: UnsafeRawBufferPointer) -> Bool {
    guard members.count < Self.most else { return false }
    let bytes = UnsafeRawBufferPointer(rebasing: line[key])
    for index in members.indices
    where Self.same(UnsafeRawBufferPointer(rebasing: line[members[index].key]), bytes) { return false }
    return true
  }

  private static func same(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count else { return false }
    guard let first = a.baseAddress, let second = b.baseAddress else { return true }
    return memcmp(first, second, a.count) == 0
  }

  private static func precedes(_ a: Slice<UnsafeRawBufferPointer>, _ b: Slice<UnsafeRawBufferPointer>) -> Bool
  {
    let (a, b) = (UnsafeRawBufferPointer(rebasing: a), UnsafeRawBufferPointer(rebasing: b))
    guard let first = a.baseAddress, let second = b.baseAddress else { return a.count < b.count }
    let order = memcmp(first, second, min(a.count, b.count))
    return order == 0 ? a.count < b.count : order < 0
  }
}

extension [UInt8] {
  /// Appends bytes that lie in memory.
  @inline(__always)
  package mutating func append(raw bytes: UnsafeRawBufferPointer) {
    append(
      contentsOf: UnsafeBufferPointer(
        start: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), count: bytes.count))
  }
}
