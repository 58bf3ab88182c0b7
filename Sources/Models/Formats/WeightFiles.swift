// The weights of a model: one file of tensors, or a folder with one file or an index of several.

import System

/// Opens a file of tensors in any format, or the weights of a folder.
/// - Throws: `FormatError` and `FileError`.
package func openTensors(_ path: String) throws -> any TensorSource {
  guard isDirectory(path) else { return try openTensorFile(path) }
  var expected: [String] = []
  for format in formats {
    guard let name = format.nameInFolder else { continue }
    let single = "\(path)/\(name)"
    if fileExists(single) { return try format.init(single) }
    let index = "\(single).index.json"
    if fileExists(index) { return try ShardedTensors(indexPath: index) { try format.init($0) } }
    expected += ["`\(name)`", "`\(name).index.json`"]
  }
  throw FormatError(path: path, "expected one of \(expected.joined(separator: ", ")), found none")
}

/// Opens a file of tensors in the format that its first bytes show.
package func openTensorFile(_ path: String) throws -> any TensorFile {
  let file = try MappedFile(path)
  guard let format = formats.first(where: { $0.isFormat(of: file) }) else {
    let names = formats.map { $0.formatName }.joined(separator: ", ")
    throw FormatError(
      path: path, "expected a file of tensors (\(names)), found \(describeContent(of: file))")
  }
  return try format.init(path)
}
