// `F32`: single precision.

package enum F32: WritableEncoding {
  package static let name = "F32"
  package static let blockLength = 1
  package static let blockSize = 4

  @inline(__always)
  package static func decodeBlock(_ block: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    values[0] = Float(bitPattern: UInt32(littleEndian: block.loadUnaligned(as: UInt32.self)))
  }

  @inline(__always)
  package static func encodeBlock(_ values: UnsafePointer<Float>, into block: UnsafeMutableRawPointer) {
    block.storeBytes(of: values[0].bitPattern.littleEndian, as: UInt32.self)
  }
}
