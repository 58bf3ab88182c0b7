// Sizes as people write them.

/// A number of bytes.
package struct ByteCount: Sendable, Equatable {
  package let bytes: Int
  package init(_ bytes: Int) { self.bytes = bytes }

  private static let units: [(name: String, size: Int)] = [
    ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
  ]

  /// `10GiB`, `512 MiB`, `1.5TiB`, `4096`; nil for anything else, and for what does not fit.
  package init?(_ text: String) {
    var number = text.utf8[...]
    var factor = 1
    for (name, size) in ByteCount.units where number.count > 3 && number.suffix(3).elementsEqual(name.utf8) {
      number = number.dropLast(3)
      factor = size
    }
    if number.last == UInt8(ascii: "B"), factor == 1 { number = number.dropLast() }
    while number.last == UInt8(ascii: " ") { number = number.dropLast() }
    guard let value = Double(String(decoding: number, as: UTF8.self)), value >= 0,
      let bytes = Int(exactly: (value * Double(factor)).rounded())
    else { return nil }
    self.bytes = bytes
  }

  /// `512 B`, `1.50 KiB`, `12.3 MiB`, `417 GiB`.
  package var text: String {
    guard let (name, size) = ByteCount.units.first(where: { bytes >= $0.size }) else { return "\(bytes) B" }
    let value = Double(bytes) / Double(size)
    return TextTable.format(value >= 99.95 ? "%.0f" : value >= 9.995 ? "%.1f" : "%.2f", value) + " \(name)"
  }
}

extension ByteCount: CustomStringConvertible {
  package var description: String { text }
}
