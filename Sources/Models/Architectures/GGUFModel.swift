// A model in a GGUF file, seen under the names of its family's layout and in Hugging Face's row order.

import JSON
import System

/// Presents the tensors of a GGUF file as a Hugging Face checkpoint has them: see `GGUFPlacement`.
package final class GGUFModel: TensorSource {
  package let file: GGUFFile
  package let configuration: DecoderConfiguration
  package let names: [String]
  private let entries: [UTF8Key: Entry]

  private struct Entry {
    let tensor: GGUFTensor
    let placement: GGUFPlacement
  }

  /// - Throws: `FormatError` for an architecture that is not read, metadata that is wrong and tensors that are not the model's.
  package init(_ file: GGUFFile) throws {
    let family = try Self.family(of: file)
    let configuration = try Self.configuration(of: file, family)
    var known: [UTF8Key: (name: String, placement: GGUFPlacement)] = [:]
    for tensor in configuration.layout.tensors {
      guard let placement = family.placement(of: tensor, configuration) else {
        preconditionFailure("GGUF has no name for `\(tensor.name)`")
      }
      known[UTF8Key(placement.name)] = (tensor.name, placement)
    }
    var entries: [UTF8Key: Entry] = [:]
    var names: [String] = []
    for tensor in file.tensors {
      guard let (name, placement) = known[UTF8Key(tensor.name)] else {
        throw FormatError(
          path: file.file.path, part: "tensor \(quoted(tensor.name))",
          "a `\(family.ggufArchitecture)` model of \(configuration.layerCount) layers has no such tensor, or it is not computed here"
        )
      }
      entries[UTF8Key(name)] = Entry(tensor: tensor, placement: placement)
      names.append(name)
    }
    self.file = file
    self.configuration = configuration
    self.entries = entries
    self.names = names
  }

  private static func configuration(of file: GGUFFile, _ family: any GGUFFamily.Type) throws
    -> DecoderConfiguration
  {
    let metadata = ArchitectureMetadata(file, architecture: family.ggufArchitecture)
    let configuration = try family.configuration(metadata)
    try metadata.refuseUnread()
    return configuration
  }

  private static func family(of file: GGUFFile) throws -> any GGUFFamily.Type {
    guard let architecture = try file.string("general.architecture") else {
      throw file.failure("general.architecture", "missing")
    }
    let known = families.compactMap { $0 as? any GGUFFamily.Type }
    guard let family = known.first(where: { $0.ggufArchitecture == architecture }) else {
      let names = known.map { "`\($0.ggufArchitecture)`" }.joined(separator: ", ")
      throw file.failure("general.architecture", "\(quoted(architecture)) is not supported; \(names) are")
    }
    return family
  }

  private func entry(_ name: String) throws -> Entry {
    guard let entry = entries[UTF8Key(name)] else {
      throw FormatError(
        path: file.file.path, part: "tensor \(quoted(name))", "the file has no tensor for this name")
    }
    return entry
  }

  package var fileByteCount: Int { file.fileByteCount }
  package func shape(of name: String) throws -> [Int] {
    let entry = try entry(name)
    return entry.placement.isTransposed ? entry.tensor.shape.reversed() : entry.tensor.shape
  }
  package func storage(of name: String) throws -> String { try entry(name).tensor.type.name }

  package func readFloats(_ name: String, into output: UnsafeMutableBufferPointer<Float>) throws {
    let entry = try entry(name)
    let tensor = entry.tensor
    guard entry.placement.isTransposed || entry.placement.order != nil else {
      try file.readFloats(tensor.name, into: output)
      return
    }
    let (rows, columns) = (tensor.shape[0], tensor.shape.dropFirst().reduce(1, *))
    // The layout's shape was not held against the file's yet.
    let isMatrix = tensor.shape.count == 2
    guard entry.placement.isTransposed ? isMatrix : rows % (entry.placement.order?.period ?? 1) == 0 else {
      throw misshapen(tensor)
    }
    precondition(output.count == rows * columns, "\(output.count) values for shape \(tensor.shape)")
    try forEachBand(of: tensor, rows: rows, columns: columns) { first, values in
      let count = values.count / columns
      guard let order = entry.placement.order else {
        // Few columns at a time: each is written to a page of its own.
        for tile in stride(from: 0, to: columns, by: 8) {
          for row in 0..<count {
            for column in tile..<min(tile + 8, columns) {
              output[column * rows + first + row] = values[row * columns + column]
            }
          }
        }
        return
      }
      for row in 0..<count {
        let target = order.layoutIndex(ofFile: first + row) * columns
        _ = UnsafeMutableBufferPointer(rebasing: output[target..<target + columns])
          .update(fromContentsOf: values[row * columns..<(row + 1) * columns])
      }
    }
  }

  private func misshapen(_ tensor: GGUFTensor) -> FormatError {
    FormatError(
      path: file.file.path, part: "tensor \(quoted(tensor.name))",
      "shape \(tensor.shape) is not that of the model's tensor")
  }

  package func blocks(_ name: String) throws -> BlockMatrix? {
    let entry = try entry(name)
    let tensor = entry.tensor
    guard let format = BlockFormat(rawValue: tensor.type.name), tensor.shape.count == 2 else { return nil }
    let order = entry.placement.order
    guard tensor.shape[0] % (order?.period ?? 1) == 0, let last = UInt32(exactly: tensor.shape[0] - 1),
      let bytes = file.file.slice(tensor.offset, tensor.byteCount)
    else { throw misshapen(tensor) }
    var rows = Array(0...last)
    if let order { for index in 0...last { rows[order.layoutIndex(ofFile: Int(index))] = index } }
    return BlockMatrix(
      format, columns: tensor.shape[1], rows: rows, bytes: bytes, owner: file.file
    ) { [file] in file.file.release(tensor.offset, tensor.byteCount) }
  }

  /// Hands the tensor's numbers as the file has them, some rows at a time.
  private func forEachBand(
    of tensor: GGUFTensor, rows: Int, columns: Int, _ body: (Int, UnsafeBufferPointer<Float>) -> Void
  ) throws {
    guard let encoding = tensor.type.encoding else {
      throw file.undecodable(tensor.name, offset: tensor.offset)
    }
    // A vector may have fewer numbers in a row than a block; its blocks do not end with the rows.
    let bandRows = tensor.shape.count == 1 ? rows : min(rows, 64)
    let band = UnsafeMutableBufferPointer<Float>.allocate(capacity: bandRows * columns)
    defer { band.deallocate() }
    for first in stride(from: 0, to: rows, by: bandRows) {
      let values = UnsafeMutableBufferPointer(rebasing: band[..<(min(bandRows, rows - first) * columns)])
      let start = first * columns / encoding.blockLength * encoding.blockSize
      file.file.decode(encoding, at: tensor.offset + start, into: values)
      body(first, UnsafeBufferPointer(values))
    }
    // Pages in which two bands meet.
    file.file.release(tensor.offset, tensor.byteCount)
  }
}
