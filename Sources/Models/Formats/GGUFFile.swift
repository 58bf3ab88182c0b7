// Reading GGUF, versions 2 and 3, little endian: the header is checked whole before anything uses it.

import JSON
import System

/// A GGUF file, mapped. Source: ggml docs/gguf.md; stricter than ggml in that sizes are checked for overflow and range
/// before use, duplicate names are refused and array lengths are held against the file's size.
package final class GGUFFile: TensorFile {
  package static let formatName = "GGUF"
  /// A GGUF file holds configuration and tokenizer too, and stands alone.
  package static let nameInFolder: String? = nil

  package let file: MappedFile
  package let version: UInt32
  package let alignment: Int
  /// In the order of the file.
  package let metadata: [(key: String, value: GGUFValue)]
  /// Where each entry of the metadata begins, in bytes from the start of the file.
  let metadataOffsets: [Int]
  package let tensors: [GGUFTensor]
  private let metadataIndex: [UTF8Key: Int]
  private let tensorIndex: [UTF8Key: Int]

  package static let magic: [UInt8] = Array("GGUF".utf8)

  /// What a header may hold, which bounds what reading it takes. Real ones have tens of entries and hundreds of tensors; their
  /// bytes are those of a vocabulary.
  static let maximumHeaderSize = 100_000_000
  static let maximumEntries = 10_000
  static let maximumTensors = 100_000

  package static func isFormat(of file: MappedFile) -> Bool {
    file.slice(0, 4)?.elementsEqual(magic) == true
  }

  package init(_ path: String) throws {
    let file = try MappedFile(path)
    let isWhole = file.count <= Self.maximumHeaderSize
    var cursor = ByteCursor(
      file: file, position: 0, part: "header", end: isWhole ? file.count : Self.maximumHeaderSize,
      extent: isWhole ? "the file" : "the \(Self.maximumHeaderSize) bytes that a header may have")
    guard Self.isFormat(of: file) else {
      throw FormatError(
        path: path, part: "header", offset: 0, "expected a GGUF file, found \(describeContent(of: file))")
    }
    cursor.position = 4
    let version = try cursor.integer("the version", as: UInt32.self)
    guard version == 2 || version == 3 else {
      let isBigEndian = version.byteSwapped == 2 || version.byteSwapped == 3
      throw cursor.failure(
        isBigEndian
          ? "a big-endian file; only little endian is read" : "version \(version); only 2 and 3 are read",
        at: 4)
    }
    // The smallest tensor entry: name length, dimension count, one dimension, type, offset.
    let tensorCount = try cursor.count("the number of tensors", minimumSize: 32, limit: Self.maximumTensors)
    // The smallest metadata entry: key length, one byte of key, type, one byte of value.
    let metadataCount = try cursor.count(
      "the number of metadata entries", minimumSize: 14, limit: Self.maximumEntries)

    var metadata: [(key: String, value: GGUFValue)] = []
    var metadataIndex: [UTF8Key: Int] = [:]
    var metadataOffsets: [Int] = []
    for index in 0..<metadataCount {
      cursor.part = "metadata entry \(index)"
      let start = cursor.position
      let key = try cursor.string("a key")
      guard !key.isEmpty, key.utf8.count <= 65_535 else {
        throw cursor.failure("a key has \(key.utf8.count) bytes; 1 to 65535 are allowed", at: start)
      }
      cursor.part = "metadata \(quoted(key))"
      guard metadataIndex.updateValue(index, forKey: UTF8Key(key)) == nil else {
        throw cursor.failure("the key appears twice", at: start)
      }
      metadataOffsets.append(start)
      metadata.append((key, try cursor.value(try cursor.valueType("a value's type"))))
    }

    var alignment = 32
    if let index = metadataIndex[UTF8Key("general.alignment")] {
      guard case .unsigned(let value) = metadata[index].value, let stated = Int(exactly: value), stated > 0,
        stated & (stated - 1) == 0
      else {
        throw FormatError(
          path: path, part: "metadata `general.alignment`", offset: metadataOffsets[index],
          "expected a power of two")
      }
      alignment = stated
    }

    var declarations: [Declaration] = []
    var tensorIndex: [UTF8Key: Int] = [:]
    for index in 0..<tensorCount {
      cursor.part = "tensor \(index)"
      let declaration = try Self.readDeclaration(&cursor)
      guard tensorIndex.updateValue(index, forKey: UTF8Key(declaration.name)) == nil else {
        throw cursor.failure("the name appears twice", at: declaration.position)
      }
      declarations.append(declaration)
    }

    self.file = file
    self.version = version
    self.alignment = alignment
    self.metadata = metadata
    self.metadataIndex = metadataIndex
    self.metadataOffsets = metadataOffsets
    self.tensorIndex = tensorIndex
    tensors = try Self.place(declarations, headerEnd: cursor.position, alignment: alignment, in: file)
  }

  /// A tensor's entry in the header, its offset still relative to the data.
  private struct Declaration {
    let name: String
    let shape: [Int]
    let type: GGMLType
    let byteCount: Int
    let relativeOffset: UInt64
    let position: Int
  }

  private static func readDeclaration(_ cursor: inout ByteCursor) throws -> Declaration {
    let start = cursor.position
    let name = try cursor.string("a tensor's name")
    guard !name.isEmpty, name.utf8.count <= 64 else {
      throw cursor.failure("a tensor's name has \(name.utf8.count) bytes; 1 to 64 are allowed", at: start)
    }
    cursor.part = "tensor \(quoted(name))"
    let rankOffset = cursor.position
    let rank = try cursor.integer("the number of dimensions", as: UInt32.self)
    guard (1...4).contains(rank) else {
      throw cursor.failure("\(rank) dimensions; 1 to 4 are allowed", at: rankOffset)
    }
    let shapeOffset = cursor.position
    var dimensions: [UInt64] = []
    for _ in 0..<rank { dimensions.append(try cursor.integer("a dimension")) }
    let shape = dimensions.reversed().compactMap { Int(exactly: $0) }
    guard shape.count == dimensions.count, !shape.contains(0), let elements = checkedProduct(shape) else {
      throw cursor.failure(
        "shape \(Array(dimensions.reversed())) has a zero or its product is out of range", at: shapeOffset)
    }
    let typeOffset = cursor.position
    let number = try cursor.integer("the element type", as: UInt32.self)
    guard let type = GGMLType(number: number) else {
      throw cursor.failure("element type \(number) is unknown", at: typeOffset)
    }
    guard let rowLength = shape.last, rowLength % type.blockLength == 0 else {
      throw cursor.failure(
        "rows of \(shape.last ?? 0) values are not a whole number of \(type.name) blocks of \(type.blockLength)",
        at: shapeOffset)
    }
    guard let byteCount = checkedProduct([elements / type.blockLength, type.blockSize]) else {
      throw cursor.failure("the size in bytes of shape \(shape) is out of range", at: shapeOffset)
    }
    return Declaration(
      name: name, shape: shape, type: type, byteCount: byteCount,
      relativeOffset: try cursor.integer("the data offset"), position: start)
  }

  /// Checks that the tensors' data lie one after the other, each aligned, all inside the file.
  private static func place(
    _ declarations: [Declaration], headerEnd: Int, alignment: Int, in file: MappedFile
  ) throws -> [GGUFTensor] {
    guard !declarations.isEmpty else { return [] }
    guard let dataStart = roundedUp(headerEnd, to: alignment), dataStart <= file.count else {
      throw FormatError(
        path: file.path, part: "header", offset: headerEnd, "the file ends before the tensor data")
    }
    var tensors: [GGUFTensor] = []
    tensors.reserveCapacity(declarations.count)
    var expected = 0
    for declaration in declarations {
      func failure(_ problem: String) -> FormatError {
        FormatError(
          path: file.path, part: "tensor \(quoted(declaration.name))", offset: declaration.position, problem)
      }
      guard declaration.relativeOffset == UInt64(expected) else {
        throw failure(
          "its data offset is \(declaration.relativeOffset), expected \(expected): the data must lie without gap or overlap"
        )
      }
      // `expected` never passes the file's size, see below.
      let offset = dataStart + expected
      guard declaration.byteCount <= file.count - offset else {
        throw failure(
          "its data, \(declaration.byteCount) bytes from byte \(offset), extend past the end of the file at \(file.count)"
        )
      }
      tensors.append(
        GGUFTensor(
          name: declaration.name, shape: declaration.shape, type: declaration.type, offset: offset,
          byteCount: declaration.byteCount))
      guard let next = roundedUp(expected + declaration.byteCount, to: alignment) else {
        throw failure("its end is out of range")
      }
      // The last tensor's padding may be missing.
      expected = min(next, file.count - dataStart)
    }
    return tensors
  }

  private static func roundedUp(_ value: Int, to alignment: Int) -> Int? {
    let (sum, overflow) = value.addingReportingOverflow(alignment - 1)
    return overflow ? nil : sum & ~(alignment - 1)
  }
}

extension GGUFFile {
  func metadataIndex(_ key: String) -> Int? { metadataIndex[UTF8Key(key)] }

  package var names: [String] { tensors.map(\.name) }

  package func tensor(_ name: String) throws -> GGUFTensor {
    guard let index = tensorIndex[UTF8Key(name)] else {
      throw noTensor(name)
    }
    return tensors[index]
  }

  package func shape(of name: String) throws -> [Int] { try tensor(name).shape }
  package func storage(of name: String) throws -> String { try tensor(name).type.name }
  package func byteCount(of name: String) throws -> Int { try tensor(name).byteCount }

  package func readFloats(_ name: String, into output: UnsafeMutableBufferPointer<Float>) throws {
    let tensor = try tensor(name)
    guard let encoding = tensor.type.encoding else { throw undecodable(name, offset: tensor.offset) }
    precondition(
      output.count == tensor.shape.reduce(1, *), "\(output.count) values for shape \(tensor.shape)")
    file.decode(encoding, at: tensor.offset, into: output)
  }
}
