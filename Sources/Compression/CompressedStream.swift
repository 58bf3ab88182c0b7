// A way in which a whole file is compressed, expanded piece by piece.

package protocol CompressedStream: AnyObject, SendableMetatype {
  /// What a message calls it.
  static var name: String { get }
  /// How a file of it begins.
  static var magic: [[UInt8]] { get }

  /// - Throws: `CompressionFault` where there is no memory.
  init() throws

  /// Whether what was expanded so far may be all: nothing was, or a part that stands for itself has ended. Another may follow it.
  var mayEnd: Bool { get }

  /// Expands as much of `input` as fits into `output`; nothing of both only where one of them is empty.
  /// - Throws: `CompressionFault` for bytes that are damaged.
  func expand(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws -> (
    taken: Int, written: Int
  )
}

/// A file that begins like none of them is taken as it is.
package let compressedStreams: [any CompressedStream.Type] = [GzipStream.self, ZstandardStream.self]

/// Ways that are not read, by how their files begin. None of these is the beginning of a text.
let refusedCompressions: [(name: String, magic: [[UInt8]])] = [
  ("bzip2", (1...9).map { Array("BZh\($0)1AY&".utf8) }), ("xz", [[0xFD] + Array("7zXZ".utf8) + [0]]),
  ("lz4", [[0x04, 0x22, 0x4D, 0x18]]), ("zip", [Array("PK".utf8) + [3, 4]]),
]
