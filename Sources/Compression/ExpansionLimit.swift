// What a compressed file may expand to: a few bytes can stand for any number of them.

package final class ExpansionLimit {
  /// A file may expand to so many bytes for each of its own, and to so many in any case. Texts expand to 3 to 30 times their bytes.
  package static let ratio = 256
  package static let floor = 64 << 20

  private let limit: Int
  private var left: Int
  /// What to do about a file that expands further.
  private let help: String

  package init(fileSize: Int, help: String) {
    let (product, overflows) = fileSize.multipliedReportingOverflow(by: Self.ratio)
    limit = overflows ? .max : max(product, Self.floor)
    left = limit
    self.help = help
  }

  package func spend(_ count: Int, each bytes: Int) throws {
    let (product, overflows) = count.multipliedReportingOverflow(by: bytes)
    try spend(overflows ? .max : product)
  }

  /// - Throws: `CompressionFault` with the limit.
  package func spend(_ bytes: Int) throws {
    guard bytes <= left else {
      throw CompressionFault(
        "the file expands to more than \(limit) bytes, the limit for its size (\(Self.ratio) times as much, "
          + "and \(Self.floor) in any case); \(help)")
    }
    left -= bytes
  }
}
