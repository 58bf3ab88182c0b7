// Snappy's raw format. Source: format_description.txt of the Snappy library.

enum Snappy: Codec {
  static let name = "SNAPPY"
  static let number: Int64 = 1

  static func expand(_ bytes: ArraySlice<UInt8>, to count: Int) throws -> [UInt8] {
    var reader = ByteReader(bytes)
    let length = try reader.varint()
    guard length == count else {
      throw ParquetFault("snappy data of \(length) bytes where \(count) are declared")
    }
    var output: [UInt8] = []
    output.reserveCapacity(count)
    while reader.remaining > 0 {
      let tag = try reader.byte()
      var size = Int(tag >> 2) + 1
      let distance: Int
      switch tag & 3 {
      case 0:
        if size > 60 {
          let little = try reader.take(size - 60)
          size = little.reversed().reduce(0) { $0 << 8 | Int($1) } + 1
        }
        guard size <= count - output.count else {
          throw ParquetFault("snappy data expand beyond their length")
        }
        output.append(contentsOf: try reader.take(size))
        continue
      case 1:
        size = Int(tag >> 2 & 7) + 4
        distance = Int(tag >> 5) << 8 | Int(try reader.byte())
      case 2: distance = Int(try reader.integer(as: UInt16.self))
      default: distance = Int(try reader.integer(as: UInt32.self))
      }
      guard distance > 0, distance <= output.count else {
        throw ParquetFault("snappy data copy from \(distance) bytes back of \(output.count)")
      }
      guard size <= count - output.count else { throw ParquetFault("snappy data expand beyond their length") }
      let start = output.count - distance
      if distance >= size {
        output.append(contentsOf: output[start..<(start + size)])
      } else {
        // A copy may read what it writes.
        for index in start..<(start + size) { output.append(output[index]) }
      }
    }
    guard output.count == count else {
      throw ParquetFault("snappy data end after \(output.count) of \(count) bytes")
    }
    return output
  }
}
