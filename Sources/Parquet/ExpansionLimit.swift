// What a file may expand to: a few bytes can stand for any number of values.

final class ExpansionLimit {
  /// A file may expand to so many bytes for each of its own, and to so many in any case.
  static let ratio = 1000
  static let floor = 64 << 20
  /// Bytes of one page, compressed or not.
  static let page = 256 << 20
  /// Values of one page, which are in memory at once.
  static let pageValues = 1 << 24

  private let limit: Int
  private var left: Int

  init(fileSize: Int) {
    let (product, overflows) = fileSize.multipliedReportingOverflow(by: Self.ratio)
    limit = overflows ? .max : max(product, Self.floor)
    left = limit
  }

  func spend(_ count: Int, each bytes: Int) throws {
    let (product, overflows) = count.multipliedReportingOverflow(by: bytes)
    try spend(overflows ? .max : product)
  }

  /// - Throws: `ParquetFault` with the limit.
  func spend(_ bytes: Int) throws {
    guard bytes <= left else {
      throw ParquetFault(
        "the file expands to more than \(limit) bytes, the limit for its size (\(Self.ratio) times as much, "
          + "and \(Self.floor) in any case)")
    }
    left -= bytes
  }
}
