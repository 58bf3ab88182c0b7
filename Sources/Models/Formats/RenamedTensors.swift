// The tensors of a file under other names, without those that no result depends on.

import JSON
import System

/// What a family's layout calls the tensors of a file that spells them otherwise.
struct RenamedTensors: TensorSource {
  let names: [String]
  private let source: any TensorSource
  private let stored: [UTF8Key: String]

  /// - Parameter rename: nil for a tensor to leave out.
  /// - Throws: `FormatError` naming `path` when two tensors get one name.
  init(_ source: any TensorSource, path: String, rename: (String) -> String?) throws {
    var names: [String] = []
    var stored: [UTF8Key: String] = [:]
    for name in source.names {
      guard let renamed = rename(name) else { continue }
      if let other = stored.updateValue(name, forKey: UTF8Key(renamed)) {
        throw FormatError(
          path: path, part: "tensor \(quoted(name))", "the file has it twice, also as \(quoted(other))")
      }
      names.append(renamed)
    }
    self.source = source
    self.names = names
    self.stored = stored
  }

  /// The source says what is wrong with a name that is not there.
  private func storedName(_ name: String) -> String { stored[UTF8Key(name)] ?? name }

  var fileByteCount: Int { source.fileByteCount }
  func shape(of name: String) throws -> [Int] { try source.shape(of: storedName(name)) }
  func storage(of name: String) throws -> String { try source.storage(of: storedName(name)) }
  func readFloats(_ name: String, into output: UnsafeMutableBufferPointer<Float>) throws {
    try source.readFloats(storedName(name), into: output)
  }
}
