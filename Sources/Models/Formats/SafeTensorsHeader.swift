// The header of a safetensors file: what it may say, and every rule it is held to.

import JSON
import System

/// A tensor as the header declares it; checked.
package struct SafeTensorsEntry: Sendable, Equatable {
  package let name: String
  /// The dtype as written: `F32`, `BF16`, `I64`, …
  package let dtype: String
  package let shape: [Int]
  /// Bytes from the start of the file.
  package let offset: Int
  package let byteCount: Int

  /// How to decode it, or nil for a dtype that is only known by its size.
  package var encoding: (any ElementEncoding.Type)? { elementEncoding(named: dtype) }
}

/// Source: the safetensors README ("Format") and safetensors 0.8 `tensor.rs`. Deviation: a duplicated name is refused, as
/// the README says and the library does not.
package struct SafeTensorsHeader: Sendable {
  /// In the order of the header.
  package let entries: [SafeTensorsEntry]
  package let metadata: [(key: String, value: String)]
  /// Where the tensor data begin.
  package let dataStart: Int

  package static let maximumSize = 100_000_000

  /// Bits of one element. Source: safetensors 0.8 `Dtype`.
  static let elementBits: [(dtype: String, bits: Int)] = [
    ("F64", 64), ("F32", 32), ("F16", 16), ("BF16", 16), ("I64", 64), ("I32", 32), ("I16", 16), ("I8", 8),
    ("U64", 64), ("U32", 32), ("U16", 16), ("U8", 8), ("BOOL", 8), ("C64", 64), ("F8_E4M3", 8),
    ("F8_E5M2", 8),
    ("F8_E4M3FNUZ", 8), ("F8_E5M2FNUZ", 8), ("F8_E8M0", 8), ("F6_E2M3", 6), ("F6_E3M2", 6), ("F4", 4),
  ]

  package init(of file: MappedFile) throws {
    func failure(_ problem: String, _ offset: Int) -> FormatError {
      FormatError(path: file.path, part: "header", offset: offset, problem)
    }
    guard let lengthBytes = file.slice(0, 8) else {
      throw failure("expected a safetensors file, found \(describeContent(of: file))", 0)
    }
    let stated = UInt64(littleEndian: lengthBytes.loadUnaligned(as: UInt64.self))
    guard stated <= UInt64(Self.maximumSize), let length = Int(exactly: stated) else {
      throw failure(
        "its length is \(stated) bytes, more than the \(Self.maximumSize) allowed; found \(describeContent(of: file))",
        0
      )
    }
    guard let text = file.slice(8, length) else {
      throw failure("its length is \(length) bytes, but the file has only \(file.count - 8) after it", 0)
    }
    guard text.first == UInt8(ascii: "{") else {
      throw failure("expected `{` as the first byte; found \(describeContent(of: file))", 8)
    }
    guard !hasMoreCommas(text, than: maximumCommas) else {
      throw failure("more than \(maximumCommas) values", 8)
    }

    let json: JSON
    do {
      json = try JSON(parsing: text, maximumDepth: 8)
    } catch let error as JSONError {
      throw failure("not strict JSON: \(error.message)", 8 + error.offset)
    }
    let dataStart = 8 + length
    var metadata: [(key: String, value: String)] = []
    var entries: [SafeTensorsEntry] = []
    for (name, value) in json.objectValue?.members ?? [] {
      if name.utf8.elementsEqual("__metadata__".utf8) {
        metadata = try Self.readMetadata(value, path: file.path)
      } else {
        entries.append(try Self.readEntry(name, value, dataStart: dataStart, file: file))
      }
    }
    try Self.checkPlacement(entries, dataStart: dataStart, file: file)
    self.entries = entries
    self.metadata = metadata
    self.dataStart = dataStart
  }

  private static func readMetadata(_ value: JSON, path: String) throws -> [(key: String, value: String)] {
    guard let object = value.objectValue else {
      throw FormatError(path: path, part: "header `__metadata__`", "expected an object, found \(value.kind)")
    }
    return try object.members.map { key, value in
      guard let text = value.stringValue else {
        throw FormatError(
          path: path, part: "header `__metadata__`", "\(quoted(key)): expected a string, found \(value.kind)")
      }
      return (key, text)
    }
  }

  private static func readEntry(
    _ name: String, _ value: JSON, dataStart: Int, file: MappedFile
  ) throws -> SafeTensorsEntry {
    func failure(_ problem: String, _ offset: Int? = nil) -> FormatError {
      FormatError(path: file.path, part: "tensor \(quoted(name))", offset: offset, problem)
    }
    guard let object = value.objectValue else { throw failure("expected an object, found \(value.kind)") }
    for key in object.keys where !["dtype", "shape", "data_offsets"].contains(key) {
      throw failure("unknown key \(quoted(key)); `dtype`, `shape` and `data_offsets` are allowed")
    }
    guard let dtype = object["dtype"]?.stringValue else { throw failure("`dtype`: expected a string") }
    guard let elementBits = elementBits.first(where: { $0.dtype == dtype })?.bits else {
      throw failure("dtype \(quoted(dtype)) is unknown")
    }
    guard let shape = naturals(object["shape"]) else {
      throw failure("`shape`: expected a list of non-negative integers")
    }
    guard let bitCount = checkedProduct(shape + [elementBits]) else {
      throw failure("the product of shape \(shape.prefix(8)) and the element size is out of range")
    }
    guard bitCount % 8 == 0 else {
      throw failure("\(dtype) of shape \(shape) takes \(bitCount) bits, not a whole number of bytes")
    }
    let byteCount = bitCount / 8
    guard let offsets = naturals(object["data_offsets"]), offsets.count == 2 else {
      throw failure("`data_offsets`: expected two non-negative integers")
    }
    let (begin, end) = (offsets[0], offsets[1])
    let dataCount = file.count - dataStart
    guard begin <= end else { throw failure("`data_offsets`: \(begin) is after \(end)") }
    guard end <= dataCount else {
      throw failure(
        "`data_offsets`: the data end at \(end), the file has \(dataCount) bytes of data", dataStart)
    }
    guard end - begin == byteCount else {
      throw failure(
        "`data_offsets` span \(end - begin) bytes, but \(dtype) of shape \(shape) takes \(byteCount)",
        dataStart + begin)
    }
    return SafeTensorsEntry(
      name: name, dtype: dtype, shape: shape, offset: dataStart + begin, byteCount: byteCount)
  }

  private static func naturals(_ value: JSON?) -> [Int]? {
    guard let elements = value?.arrayValue else { return nil }
    var numbers: [Int] = []
    for element in elements {
      // Only integers written as such: `2.0` is not a shape.
      guard case .int(let number) = element, let number = Int(exactly: number), number >= 0 else {
        return nil
      }
      numbers.append(number)
    }
    return numbers
  }

  /// The data cover the rest of the file: no gap, no overlap, nothing before, nothing after.
  private static func checkPlacement(_ entries: [SafeTensorsEntry], dataStart: Int, file: MappedFile) throws {
    var end = dataStart
    let inDataOrder = entries.sorted {
      ($0.offset, $0.offset + $0.byteCount) < ($1.offset, $1.offset + $1.byteCount)
    }
    for entry in inDataOrder {
      guard entry.offset == end else {
        throw FormatError(
          path: file.path, part: "tensor \(quoted(entry.name))", offset: entry.offset,
          entry.offset > end
            ? "a gap of \(entry.offset - end) bytes before its data" : "its data overlap another tensor's")
      }
      end = entry.offset + entry.byteCount
    }
    guard end == file.count else {
      throw FormatError(
        path: file.path, part: "header", offset: end,
        "\(file.count - end) bytes at the end belong to no tensor")
    }
  }
}
