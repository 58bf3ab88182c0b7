// Reading one safetensors file.

import JSON
import System

/// One safetensors file, mapped and checked.
package final class SafeTensorsFile: TensorFile {
  package static let formatName = "safetensors"
  package static let nameInFolder: String? = "model.safetensors"

  package let file: MappedFile
  package let header: SafeTensorsHeader
  private let index: [UTF8Key: Int]

  package static func isFormat(of file: MappedFile) -> Bool {
    guard let start = file.slice(0, 9), start.last == UInt8(ascii: "{") else { return false }
    return UInt64(littleEndian: start.loadUnaligned(as: UInt64.self)) <= SafeTensorsHeader.maximumSize
  }

  package init(_ path: String) throws {
    file = try MappedFile(path)
    header = try SafeTensorsHeader(of: file)
    // Names are distinct: the JSON reader refuses duplicate keys.
    index = Dictionary(uniqueKeysWithValues: header.entries.enumerated().map { (UTF8Key($1.name), $0) })
  }

  package var names: [String] { header.entries.map(\.name) }

  package func entry(_ name: String) throws -> SafeTensorsEntry {
    guard let position = index[UTF8Key(name)] else {
      throw noTensor(name)
    }
    return header.entries[position]
  }

  package func shape(of name: String) throws -> [Int] { try entry(name).shape }
  package func storage(of name: String) throws -> String { try entry(name).dtype }
  package func byteCount(of name: String) throws -> Int { try entry(name).byteCount }

  package func readFloats(_ name: String, into output: UnsafeMutableBufferPointer<Float>) throws {
    let entry = try entry(name)
    guard let encoding = entry.encoding else { throw undecodable(name, offset: entry.offset) }
    precondition(
      output.count == entry.shape.reduce(1, *), "\(output.count) values for shape \(entry.shape)")
    file.decode(encoding, at: entry.offset, into: output)
  }

  /// The tensor's bytes as stored. Valid while this object lives.
  package func rawBytes(_ name: String) throws -> UnsafeRawBufferPointer {
    let entry = try entry(name)
    return file.slice(entry.offset, entry.byteCount) ?? UnsafeRawBufferPointer(start: nil, count: 0)
  }
}
