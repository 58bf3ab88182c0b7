// Sizes and times as people write them: a number and a unit.

/// The units of one quantity.
package struct Units: Sendable {
  private let factors: [(unit: String, factor: Double)]

  /// In bytes.
  package static let size = Units(factors: [
    ("KiB", 0x1p10), ("MiB", 0x1p20), ("GiB", 0x1p30), ("TiB", 0x1p40),
    ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("B", 1),
  ])
  /// In seconds.
  package static let time = Units(factors: [
    ("ms", 1e-3), ("s", 1), ("min", 60), ("m", 60), ("h", 3600), ("d", 86400),
  ])

  /// Of `10GiB`, `1.5 TiB`, `90s`; a bare number is in bytes or seconds. Nil for anything else.
  package func value(_ text: String) -> Double? {
    let unit = factors.filter { text.hasSuffix($0.unit) }.max { $0.unit.utf8.count < $1.unit.utf8.count }
    var number = text.dropLast(unit?.unit.count ?? 0)
    if unit != nil { while number.last == " " { number.removeLast() } }
    guard let value = Self.decimal(number) else { return nil }
    let result = value * (unit?.factor ?? 1)
    return result.isFinite ? result : nil
  }

  /// A decimal number: a sign, digits, a fraction, an exponent; no `inf`, `nan` or hexadecimal, which `Double` takes too.
  private static func decimal(_ text: Substring) -> Double? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) } ? Double(text) : nil
  }

  /// A regular expression for what stands behind the number.
  package var pattern: String { " *(\(factors.map(\.unit).joined(separator: "|")))" }
}

/// A number of bytes.
package struct ByteCount: Sendable, Equatable {
  package let bytes: Int
  package init(_ bytes: Int) { self.bytes = bytes }

  /// Nil for what is no size, and for what does not fit.
  package init?(_ text: String) {
    guard let value = Units.size.value(text), value >= 0, let bytes = Int(exactly: value.rounded()) else {
      return nil
    }
    self.bytes = bytes
  }

  /// `512 B`, `1.50 KiB`, `12.3 MiB`, `8 GiB`.
  package var text: String {
    let units = [("TiB", 0x1p40), ("GiB", 0x1p30), ("MiB", 0x1p20), ("KiB", 0x1p10)]
    guard let (name, size) = units.first(where: { Double(bytes) >= $0.1 }) else { return "\(bytes) B" }
    let value = Double(bytes) / size
    let format = value == value.rounded() || value >= 99.95 ? "%.0f" : value >= 9.995 ? "%.1f" : "%.2f"
    return TextTable.format(format, value) + " \(name)"
  }
}

extension ByteCount: CustomStringConvertible {
  package var description: String { text }
}
