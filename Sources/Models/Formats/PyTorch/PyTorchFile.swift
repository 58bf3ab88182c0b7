// Reading one PyTorch file: a zip archive with a pickle of the tensors' names and shapes, and a member for each storage.

import JSON
import System

/// A file of `torch.save` since PyTorch 1.6, mapped and checked. Source: `torch/serialization.py` `_save` and `_load`.
///
/// What is read is a dictionary of tensors, or a dictionary with exactly one dictionary of tensors in it, as trainers save one beside
/// their state.
package final class PyTorchFile: TensorFile {
  package static let formatName = "PyTorch"
  package static let nameInFolder: String? = "pytorch_model.bin"

  package let file: MappedFile
  package let names: [String]
  private let tensors: [PyTorchTensor]
  private let index: [UTF8Key: Int]

  /// Of the numbers of all tensors, written out: times the file's size, and bytes that are always allowed. Views of one storage may
  /// repeat its numbers without end.
  static let maximumExpansion = 16
  static let allowedByteCount = 256 << 20
  /// Of the pickle: bounds the memory that the tensors' names may take.
  static let maximumPickleSize = 100_000_000

  package static func isFormat(of file: MappedFile) -> Bool {
    file.slice(0, 4)?.elementsEqual(ZipDirectory.memberSignature) == true
  }

  package init(_ path: String) throws {
    let file = try MappedFile(path)
    guard Self.isFormat(of: file) else {
      throw FormatError(
        path: path, offset: 0, "expected a PyTorch file (a zip archive), found \(describeContent(of: file))")
    }
    let archive = try ZipDirectory(of: file)
    let pickle = try Self.pickle(archive, path: path)
    let root = String(pickle.name.dropLast("data.pkl".count))
    try Self.checkByteOrder(archive[root + "byteorder"], in: file)
    var machine = PickleMachine(pickle, in: file, objects: PyTorchObjects(archive, root: root))
    let value = try machine.run()
    let entries = try PyTorchDictionary(machine, part: quoted(pickle.name), path: path).tensors(of: value)

    var index: [UTF8Key: Int] = [:]
    var total = 0
    let (expanded, overflow) = file.count.multipliedReportingOverflow(by: Self.maximumExpansion)
    let limit = overflow ? Int.max : max(expanded, Self.allowedByteCount)
    for (number, entry) in entries.enumerated() {
      func failure(_ problem: String) -> FormatError {
        FormatError(path: path, part: "tensor \(quoted(entry.name))", problem)
      }
      guard index.updateValue(number, forKey: UTF8Key(entry.name)) == nil else {
        throw failure("the name appears twice")
      }
      guard entry.tensor.byteCount <= limit - total else {
        throw failure(
          "with it the file's tensors take more than \(limit) bytes, \(Self.maximumExpansion) times the file: their views repeat numbers"
        )
      }
      total += entry.tensor.byteCount
    }
    self.file = file
    self.index = index
    names = entries.map(\.name)
    tensors = entries.map(\.tensor)
  }

  /// The archive's one `NAME/data.pkl`.
  private static func pickle(_ archive: ZipDirectory, path: String) throws -> ZipMember {
    let suffix = "/data.pkl".utf8
    let found = archive.members.filter { member in
      let folder = member.name.utf8.dropLast(suffix.count)
      return member.name.utf8.count > suffix.count
        && member.name.utf8.suffix(suffix.count).elementsEqual(suffix)
        && !folder.contains(UInt8(ascii: "/"))
    }
    guard found.count == 1 else {
      throw FormatError(
        path: path,
        "a zip archive with \(found.count) members `NAME/data.pkl`; a file of `torch.save` has one")
    }
    guard found[0].byteCount <= maximumPickleSize else {
      throw FormatError(
        path: path, part: quoted(found[0].name), offset: found[0].offset,
        "\(found[0].byteCount) bytes; at most \(maximumPickleSize) are read")
    }
    return found[0]
  }

  /// Files before PyTorch 2.1 do not say it.
  private static func checkByteOrder(_ member: ZipMember?, in file: MappedFile) throws {
    guard let member, let bytes = file.slice(member.offset, member.byteCount) else { return }
    guard bytes.elementsEqual("little".utf8) else {
      throw FormatError(
        path: file.path, part: quoted(member.name), offset: member.offset,
        "the byte order is \(quoted(String(decoding: bytes.prefix(16), as: UTF8.self))); only `little` is read"
      )
    }
  }

  private func tensor(_ name: String) throws -> PyTorchTensor {
    guard let position = index[UTF8Key(name)] else { throw noTensor(name) }
    return tensors[position]
  }

  package func shape(of name: String) throws -> [Int] { try tensor(name).shape }
  package func storage(of name: String) throws -> String { try tensor(name).type.name }
  package func byteCount(of name: String) throws -> Int { try tensor(name).byteCount }

  package func readFloats(_ name: String, into output: UnsafeMutableBufferPointer<Float>) throws {
    let tensor = try tensor(name)
    guard let encoding = elementEncoding(named: tensor.type.name) else {
      throw undecodable(name, offset: tensor.offset)
    }
    precondition(
      output.count == tensor.shape.reduce(1, *), "\(output.count) values for shape \(tensor.shape)")
    if tensor.isContiguous {
      file.decode(encoding, at: tensor.offset, into: output)
    } else {
      file.gather(tensor, encoding, into: output)
    }
  }
}
