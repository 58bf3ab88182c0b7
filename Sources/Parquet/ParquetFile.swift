// A Parquet file, read-only: its fields, and its rows as JSON objects.

import System

package struct ParquetFile {
  let input: ParquetInput
  let metadata: FileMetadata

  /// - Throws: `ParquetError` for a file that is no Parquet file or a damaged one; `SystemError`, `FileKindError`.
  package init(_ path: String) throws {
    let input = try ParquetInput(path)
    self.input = input
    metadata = try inPart("the metadata at its end", of: path) { try FileMetadata(input) }
  }

  package var fields: [String] { metadata.schema.fields.map(\.name) }
  package var size: Int { input.size }
  package var rowCount: Int { metadata.rowCount }
}
