// A file of tensors, and the list of its formats.

import System

/// One file of tensors, mapped and checked.
package protocol TensorFile: TensorSource {
  /// In words: `safetensors`.
  static var formatName: String { get }
  /// What the weights of a model's folder are called in this format, and with `.index.json` after it the index of several such
  /// files; nil for a format that is not used so.
  static var nameInFolder: String? { get }
  /// By the first bytes.
  static func isFormat(of file: MappedFile) -> Bool

  /// - Throws: `FormatError` naming the rule that the file breaks.
  init(_ path: String) throws

  var file: MappedFile { get }
  /// Bytes of the tensor's numbers as they are stored.
  func byteCount(of name: String) throws -> Int
}

/// Every format that is read; of a folder's weights the first that is there is taken.
package let formats: [any TensorFile.Type] = [SafeTensorsFile.self, PyTorchFile.self, GGUFFile.self]

extension TensorFile {
  package var fileByteCount: Int { file.count }

  func noTensor(_ name: String) -> FormatError {
    FormatError(path: file.path, part: "tensor \(quoted(name))", "the file has no tensor of this name")
  }

  /// - Parameter offset: where its data begin, in bytes from the start of the file.
  func undecodable(_ name: String, offset: Int) -> FormatError {
    let storage = (try? storage(of: name)) ?? "an unknown type"
    return FormatError(
      path: file.path, part: "tensor \(quoted(name))", offset: offset, unreadStorage(storage))
  }
}

extension MappedFile {
  /// Fills `output` from the numbers at `offset`, piece by piece. What was read does not stay in memory.
  /// - Precondition: all of them lie inside the file.
  func decode(
    _ encoding: any ElementEncoding.Type, at offset: Int, into output: UnsafeMutableBufferPointer<Float>
  ) {
    // Whole blocks of every encoding; some MiB.
    let pieceLength = 1 << 20
    var start = 0
    while start < output.count {
      let end = min(start + pieceLength, output.count)
      let place = offset + start / encoding.blockLength * encoding.blockSize
      let byteCount = (end - start) / encoding.blockLength * encoding.blockSize
      guard let bytes = slice(place, byteCount) else {
        preconditionFailure("\(byteCount) bytes at \(place) of \(count)")
      }
      encoding.decode(bytes, into: UnsafeMutableBufferPointer(rebasing: output[start..<end]))
      release(place, byteCount)
      start = end
    }
  }
}
