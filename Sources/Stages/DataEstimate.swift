// What `data` expects to need: the rows that a Parquet file says it has, or the lines of a file, counted in the first mebibyte
// and scaled.

import Parquet
import Runner
import System

extension DataStage {
  static let estimate: StageEstimate.Function = { input in
    let path = input.options[DataOptions.path]
    guard let size = FileStatus.of(path)?.size, let records = recordCount(path) else {
      return StageEstimate(seconds: nil)
    }
    let rows = min(records, input.options[DataOptions.limit] ?? records)
    let bytes = records == 0 ? 0 : Estimates.integer(Double(size) * Double(rows) / Double(records))
    return StageEstimate(
      outputs: ["rows": ArtifactSize(rows: rows, bytes: bytes)], memoryBytes: size,
      seconds: Double(size) / 2e7)
  }

  /// About how many records a file has; nil for one that cannot be read.
  static func recordCount(_ path: String) -> Int? {
    guard let status = FileStatus.of(path) else { return nil }
    return (try? ParquetFile(path).rowCount) ?? lineCount(path, size: status.size)
  }

  /// Counted in the first mebibyte and scaled.
  private static func lineCount(_ path: String, size: Int) -> Int? {
    guard let file = try? File.openToRead(path) else { return nil }
    defer { file.closeQuietly() }
    var lines = 0
    var count = 0
    do {
      try file.readBlocks(upTo: 1 << 20) { block in
        lines += block.count { $0 == 0x0A }
        count += block.count
      }
    } catch { return nil }
    if count == 0 { return 0 }
    return count < 1 << 20
      ? max(lines, 1) : Estimates.integer(Double(lines) * Double(size) / Double(count)).map { max($0, 1) }
  }
}
