// Snappy's raw format. Source: format_description.txt of the Snappy library.

import Glibc

enum Snappy: Codec {
  static let name = "SNAPPY"
  static let number: Int64 = 1

  static func expand(_ bytes: ArraySlice<UInt8>, to count: Int, in room: inout [UInt8]) throws
    -> ArraySlice<UInt8>
  {
    var header = ByteReader(bytes)
    let length = try header.varint()
    guard length == count else {
      throw ParquetFault("snappy data of \(length) bytes where \(count) are declared")
    }
    if room.count < count { room = [UInt8](repeating: 0, count: count) }
    var written = 0
    try header.rest.withUnsafeBytes { input in
      try room.withUnsafeMutableBufferPointer {
        try expand(input, into: UnsafeMutableBufferPointer(rebasing: $0[..<count]), &written)
      }
    }
    guard written == count else { throw ParquetFault("snappy data end after \(written) of \(count) bytes") }
    return room[..<count]
  }

  /// SAFETY: every length is held against what is left of the input and of the output before a byte is moved, and a copy reads only
  /// what was written before it.
  private static func expand(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>, _ written: inout Int
  ) throws {
    guard let source = input.baseAddress, let target = output.baseAddress else { return }
    var position = 0
    while position < input.count {
      let tag = Int(input[position])
      position += 1
      let kind = tag & 3
      // Bytes after the tag: of a long literal's length, or of a copy's distance.
      let extra = kind == 0 ? max(0, (tag >> 2) - 59) : kind == 3 ? 4 : kind
      guard extra <= input.count - position else { throw ParquetFault("snappy data end inside a tag") }
      var number = 0
      for index in 0..<extra { number |= Int(input[position + index]) << (8 * index) }
      position += extra
      let size =
        kind == 0 ? (extra == 0 ? tag >> 2 : number) + 1 : kind == 1 ? (tag >> 2 & 7) + 4 : (tag >> 2) + 1
      guard size <= output.count - written else {
        throw ParquetFault("snappy data expand beyond their declared \(output.count) bytes")
      }
      if kind == 0 {
        guard size <= input.count - position else { throw ParquetFault("snappy data end inside a literal") }
        // Most are short: 16 bytes are moved at once where both sides have as many.
        if size <= 16, input.count - position >= 16, output.count - written >= 16 {
          copy16(source + position, UnsafeMutableRawPointer(target + written))
        } else {
          memcpy(target + written, source + position, size)
        }
        position += size
      } else {
        let distance = kind == 1 ? (tag >> 5) << 8 | number : number
        guard distance > 0, distance <= written else {
          throw ParquetFault("snappy data copy from \(distance) bytes back of \(written)")
        }
        let end = written + size
        // A copy may read what it writes, but no 16 bytes of it where they lie as far back.
        if distance >= 16, output.count - written >= (size + 15) & ~15 {
          for place in stride(from: written, to: end, by: 16) {
            copy16(target + (place - distance), UnsafeMutableRawPointer(target + place))
          }
        } else {
          for place in written..<end { target[place] = target[place - distance] }
        }
      }
      written += size
    }
  }

  private static func copy16(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer) {
    target.storeBytes(of: source.loadUnaligned(as: SIMD16<UInt8>.self), as: SIMD16<UInt8>.self)
  }
}
