// A JSON file of a model: its size and its values are bounded before it is parsed.

import JSON
import System

/// Commas of a `config.json`, of an index, which has one for each tensor, and of a header of safetensors, which has six. They bound the memory and the time of parsing.
let maximumCommas = 600_000
/// Those of a `tokenizer.json`: one for each token, and two for each merge. The largest that are published have 1.4 million.
let maximumTokenizerCommas = 2_500_000

/// - Throws: `FormatError` and `FileError`.
package func readJSON(_ path: String) throws -> JSON { try readJSON(path, maximumCommas: maximumCommas) }

/// - Throws: `FormatError` and `FileError`.
func readJSON(_ path: String, maximumCommas: Int) throws -> JSON {
  let file = try MappedFile(path)
  let limit = 1 << 27
  guard file.count <= limit else {
    throw FormatError(path: path, "the file has \(file.count) bytes, more than the \(limit) allowed here")
  }
  return try withExtendedLifetime(file) {
    guard !hasMoreCommas(file.bytes, than: maximumCommas) else {
      throw FormatError(path: path, "more than \(maximumCommas) values")
    }
    do { return try JSON(parsing: file.bytes) } catch let error as JSONError {
      let first = file.bytes.first
      let found = first == UInt8(ascii: "{") ? "" : "; found \(describeContent(of: file))"
      throw FormatError(path: path, offset: error.offset, "not JSON: \(error)\(found)")
    }
  }
}

func hasMoreCommas(_ text: UnsafeRawBufferPointer, than limit: Int) -> Bool {
  text.lazy.filter { $0 == UInt8(ascii: ",") }.prefix(limit + 1).count > limit
}
