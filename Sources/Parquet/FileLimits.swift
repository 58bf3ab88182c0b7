// What a file may stand for: a few of its bytes can stand for any number of bytes, rows and values, each of which costs something.

import Compression

struct FileLimits {
  /// Bytes of one page, compressed or not.
  static let pageBytes = 256 << 20
  /// Values of one page, which are in memory at once.
  static let pageValues = 1 << 24

  let bytes: ExpansionLimit
  /// A row takes about a microsecond. Where rows differ, each takes a byte at least.
  let rows: CountLimit
  /// A value takes a tenth of a row; nulls and elements of lists are values too.
  let values: CountLimit

  init(fileSize: Int) {
    let help = "split it, or write it as JSON Lines, which may have any number"
    bytes = ExpansionLimit(fileSize: fileSize, help: "write it as JSON Lines")
    rows = CountLimit("rows", each: (1, bytes: 2), floor: 1 << 19, fileSize: fileSize, help: help)
    values = CountLimit("values", each: (8, bytes: 1), floor: 1 << 23, fileSize: fileSize, help: help)
  }
}

final class CountLimit {
  private let limit: Int
  private var left: Int
  private let message: String

  /// - Parameters:
  ///   - name: of what is counted.
  ///   - each: how many a file may have for a number of its bytes.
  ///   - floor: how many it may have in any case.
  init(_ name: String, each: (count: Int, bytes: Int), floor: Int, fileSize: Int, help: String) {
    let (product, overflows) = (fileSize / each.bytes).multipliedReportingOverflow(by: each.count)
    limit = overflows ? .max : max(product, floor)
    left = limit
    let share = each.bytes == 1 ? "\(each.count) for each" : "one for \(each.bytes) of them"
    message =
      "the file stands for more than \(limit) \(name), the limit for its \(fileSize) bytes (\(share), and \(floor) in any case); "
      + help
  }

  /// - Throws: `ParquetFault` with the limit.
  func spend(_ count: Int) throws {
    guard count <= left else { throw ParquetFault(message) }
    left -= count
  }
}
