// What `data` expects to need: the rows that a Parquet file says it has, or the lines of a file, counted in the first mebibyte
// and scaled.

import Experiments
import Parquet
import System

extension DataStage {
  static let estimate: StageEstimate.Function = { input in
    let paths = input.options[DataOptions.path]
    guard let size = size(paths), let records = recordCount(paths) else {
      return StageEstimate(seconds: nil)
    }
    let options = input.options
    let part = options[DataOptions.partition].map { $0.count(of: records) } ?? records
    let rows = min(max(0, part - options[DataOptions.skip]), options[DataOptions.limit] ?? records)
    let bytes = records == 0 ? 0 : Estimates.integer(Double(size) * Double(rows) / Double(records))
    return StageEstimate(
      outputs: ["rows": ArtifactSize(rows: rows, bytes: bytes)],
      memoryBytes: (options[DataOptions.shuffle] == nil ? 0 : bytes ?? 0) &+ 1 << 27,
      seconds: Double(size) / 2e7)
  }

  /// Nil where a file cannot be read, and of none.
  private static func size(_ paths: [String]) -> Int? {
    var total: Int?
    for path in paths {
      guard let size = FileStatus.of(path)?.size else { return nil }
      total = (total ?? 0) &+ size
    }
    return total
  }

  /// Files that are looked at.
  private static let filesCounted = 16

  /// About how many records files have, by the first of them; nil where one cannot be read.
  static func recordCount(_ paths: [String]) -> Int? {
    let counted = Array(paths.prefix(filesCounted))
    guard let all = size(paths), let part = size(counted) else { return nil }
    var records = 0
    for path in counted {
      guard let count = recordCount(path) else { return nil }
      records += count
    }
    if paths.count == counted.count || part == 0 { return records }
    return Estimates.integer(Double(records) * Double(all) / Double(part))
  }

  private static func recordCount(_ path: String) -> Int? {
    guard let status = FileStatus.of(path) else { return nil }
    return (try? ParquetFile(path).rowCount) ?? lineCount(path, size: status.size)
  }

  /// Counted in the first mebibyte, of what the file expands to, and scaled.
  private static func lineCount(_ path: String, size: Int) -> Int? {
    guard let bytes = try? DataBytes(path), let start = try? bytes.read(upTo: 1 << 20) else { return nil }
    if start.isEmpty { return 0 }
    let lines = start.count { $0 == 0x0A }
    return bytes.isAtEnd
      ? max(lines, 1)
      : Estimates.integer(Double(lines) * Double(size) / Double(bytes.position)).map { max($0, 1) }
  }
}
