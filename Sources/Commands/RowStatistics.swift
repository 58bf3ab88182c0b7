// `plumb rows --stats`: of each field the kinds of its values, how many differ, and how long or large they are.

import JSON
import Models
import Runner
import System

struct RowStatistics {
  private struct Field {
    var kinds: [(name: String, count: Int)] = []
    var distinct: Set<UInt64> = []
    var count = 0
    /// Of texts their characters, of lists their elements, of numbers the numbers.
    var measured = 0
    var least = Double.infinity
    var most = -Double.infinity
    var sum = 0.0

    mutating func add(_ value: JSON) {
      count += 1
      let kind = RowStatistics.kind(of: value)
      if let index = kinds.firstIndex(where: { $0.name == kind }) {
        kinds[index].count += 1
      } else {
        kinds.append((kind, 1))
      }
      if distinct.count <= RowStatistics.distinctLimit { distinct.insert(hash64(value.text(.canonical))) }
      guard
        let size = value.doubleValue ?? value.stringValue.map({ Double($0.unicodeScalars.count) })
          ?? value.arrayValue.map({ Double($0.count) })
      else { return }
      measured += 1
      least = min(least, size)
      most = max(most, size)
      sum += size
    }
  }

  private(set) var rowCount = 0
  private var fields: [Field] = []
  private var names: [String] = []
  private var places: [UTF8Key: Int] = [:]

  private static let distinctLimit = 1_000_000
  private static let fieldLimit = 4096

  private static func kind(of value: JSON) -> String {
    switch value {
    case .null: "null"
    case .bool: "boolean"
    case .int, .largeInteger: "integer"
    case .double: "number"
    case .string: "text"
    case .array: "list"
    case .object: "object"
    }
  }

  /// - Throws: `RunError` where the rows have more fields than anybody would read.
  mutating func add(_ row: JSON) throws {
    rowCount += 1
    try add(row, below: "")
  }

  private mutating func add(_ object: JSON, below path: String) throws {
    for (key, value) in object.objectValue?.members ?? [] {
      let name = path + key
      if value.objectValue?.isEmpty == false {
        try add(value, below: name + ".")
        continue
      }
      let place: Int
      if let known = places[UTF8Key(name)] {
        place = known
      } else {
        guard fields.count < Self.fieldLimit else {
          throw RunError(
            .input, "the rows have more than \(Self.fieldLimit) different fields; choose some with --columns")
        }
        place = fields.count
        places[UTF8Key(name)] = place
        fields.append(Field())
        names.append(name)
      }
      fields[place].add(value)
    }
  }

  private static let titles = ["field", "values", "missing", "distinct", "least", "mean", "most"]

  private func cells(_ place: Int) -> [JSON] {
    let field = fields[place]
    let kinds = field.kinds.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
    let isMeasured = field.measured > 0
    return [
      .string(names[place]), .string(kinds), .int(Int64(rowCount - field.count)),
      field.distinct.count > Self.distinctLimit
        ? .string("over \(Self.distinctLimit)") : .int(Int64(field.distinct.count)),
      isMeasured ? Self.number(field.least) : .null,
      isMeasured ? Self.number(field.sum / Double(field.measured)) : .null,
      isMeasured ? Self.number(field.most) : .null,
    ]
  }

  private static func number(_ value: Double) -> JSON {
    guard value.isFinite else { return .null }
    return Int64(exactly: value).map { .int($0) } ?? .double(value)
  }

  /// One object a line.
  var json: String {
    fields.indices.map { place in
      JSON.object(JSONObject(distinct: zip(Self.titles, cells(place)).map { ($0, $1) })).text() + "\n"
    }.joined()
  }

  var text: String {
    TextTable.aligned(
      [Self.titles]
        + fields.indices.map { place in
          cells(place).map { cell in
            switch cell {
            case .null: ""
            case .double(let value): TextTable.number(value)
            default: cell.stringValue ?? cell.text()
            }
          }
        })
  }
}
