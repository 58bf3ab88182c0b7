// Row and metrics files: JSON Lines in and out.

import Glibc
import JSON

/// All bytes of a regular file.
package func readBytes(_ path: String) throws -> [UInt8] {
  guard let file = fopen(path, "rb") else { throw InputError("\(path): \(String(cString: strerror(errno)))") }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = fread(&chunk, 1, chunk.count, file)
    if count == 0 { break }
    bytes += chunk[..<count]
  }
  guard ferror(file) == 0 else { throw InputError("\(path): \(String(cString: strerror(errno)))") }
  return bytes
}

/// The rows of a rows artifact, each with an id and the columns named.
public func readRows(_ path: String, requiring columns: [String]) throws -> [Row] {
  var rows: [Row] = []
  let lines = try readBytes(path).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
  for (index, line) in lines.enumerated() {
    let value: JSON
    do { value = try JSON(parsing: Array(line)) } catch let error as JSONError {
      throw InputError("\(path):\(index + 1):\(error.column): \(error.message)")
    }
    for column in ["id"] + columns where value[column] == nil {
      throw InputError("\(path):\(index + 1): a row without the column `\(column)`")
    }
    rows.append(Row(value))
  }
  return rows
}

public func writeRows(_ rows: [Row], to path: String) throws {
  try writeText(rows.map { $0.columns.text() + "\n" }.joined(), to: path)
}

public func writeMetrics(_ metrics: JSON, to path: String) throws { try writeText(metrics.text(.pretty) + "\n", to: path) }

struct WriteError: Error { let path: String, code: Int32 }

private func writeText(_ text: String, to path: String) throws {
  guard let file = fopen(path, "wb") else { throw WriteError(path: path, code: errno) }
  var text = text
  let written = text.withUTF8 { fwrite($0.baseAddress, 1, $0.count, file) }
  let closed = fclose(file)
  guard written == text.utf8.count, closed == 0 else { throw WriteError(path: path, code: errno) }
}
