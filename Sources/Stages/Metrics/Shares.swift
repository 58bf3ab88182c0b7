// Shares of generations by the values of a column.

import Experiments
import JSON

/// Of each value, and of all values that are not listed together; generations without a value are counted as left out.
struct Shares: Sendable {
  let column: String
  let values: [JSON]
  /// Of the shares: the column and the value, and last that of all others.
  let names: [String]

  init(column: String, values: [JSON]) {
    self.column = column
    self.values = values
    names = (values.map { $0.stringValue ?? $0.text() } + ["other"]).map { "\(column)_\(Self.word($0))" }
  }

  /// As it can stand in an address.
  private static func word(_ value: String) -> String {
    String(
      decoding: value.utf8.map { byte -> UInt8 in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          byte
        default: UInt8(ascii: "_")
        }
      }, as: UTF8.self)
  }

  func numbers(for options: JSON) -> [String] { names.flatMap { MeanNumbers.names($0, options) } }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    let entries = try generations.entries(in: column).map { $0.filter { !$0.isNull } }
    context.leaveOut(
      generations.samples.count - entries.reduce(0) { $0 + $1.count }, "generations without \(column)")
    let places = entries.map { $0.map { entry in values.firstIndex { isSame($0, entry) } ?? values.count } }
    return try names.indices.flatMap { place in
      let indicators = places.map { $0.map { $0 == place ? 1.0 : 0 } }
      return try MeanNumbers.values(ofShare: ClusteredMean(indicators), context)
    }
  }

  /// Texts by their bytes.
  private func isSame(_ a: JSON, _ b: JSON) -> Bool {
    if let a = a.stringValue, let b = b.stringValue { return UTF8Key(a) == UTF8Key(b) }
    return a == b
  }
}
