// A program that reads rows on standard input and answers each on standard output, driven row by row: every answer is
// journaled when it comes, so that a crash loses at most the rows in flight, and rows may be cut into shards.

import Experiments
import JSON
import System

struct CommandStream: RowStage {
  static let declaration = CommandStage.declaration
  static func declaration(for options: JSON) -> StageDeclaration { CommandStage.declaration(for: options) }
  static let rowsPort = "rows"

  func itemCount(of row: Row, options: StageOptions) -> Int { 1 }

  /// The row with the answer's columns, the row's own first.
  func assemble(_ row: Row, results: [JSON], options: StageOptions) -> Row? {
    var row = row
    // What is said of a prompt goes with it.
    if results.first?["prompt"] != nil { row[ModelText.literalsColumn] = nil }
    for (name, value) in results.first?.objectValue?.members ?? [] { row[name] = value }
    return row
  }

  func process(_ items: [RowItem], context: StageContext, emit: (RowItem, JSON) throws -> Void) throws {
    let program = try Program(context)
    let output = CommandStage.declaration(for: context.options.json).outputs.first
    var reader = AnswerReader(
      items, columns: output?.columns ?? [], samples: output?.samples ?? [], program: program.name)
    try program.exchange(
      count: items.count, question: { items[$0].row.columns.text() }, context,
      take: { try reader.take($0, emit) },
      progress: { "\(reader.count) of \(items.count) rows; finished rows are kept" })
    try reader.checkComplete()
  }
}

/// Checks each answer and hands it on.
struct AnswerReader {
  private var open: [UTF8Key: RowItem] = [:]
  private var answered: [UTF8Key: Int] = [:]
  private let items: [RowItem]
  private let columns: [String]
  private let samples: [String]
  private let program: String
  private var line = 0

  var count: Int { answered.count }

  /// `samples`: columns with one entry per generation of the row.
  init(_ items: [RowItem], columns: [String], samples: [String] = [], program: String) {
    self.items = items
    self.columns = columns
    self.samples = samples
    self.program = program
    for item in items { open[UTF8Key(item.row.id)] = item }
  }

  /// - Throws: `RunError` naming the line and the rule.
  mutating func take(_ bytes: [UInt8], _ emit: (RowItem, JSON) throws -> Void) throws {
    line += 1
    if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return }
    let value: JSON
    do { value = try JSON(parsing: bytes) } catch let error as JSONError {
      let shown = String(decoding: bytes.prefix(60), as: UTF8.self)
      throw wrong(
        "is not JSON: \(error.message) (column \(error.column)): `\(shown)\(bytes.count > 60 ? "…" : "")`")
    }
    guard case .object(var object) = value else { throw wrong("is not an object but \(value.kind)") }
    guard let id = object["id"]?.stringValue else { throw wrong("has no string `id`") }
    if let earlier = answered[UTF8Key(id)] { throw wrong("answers row `\(id)` again, after line \(earlier)") }
    guard let item = open[UTF8Key(id)] else { throw wrong("answers row `\(id)`, which it was not given") }
    object["id"] = nil
    for column in columns + samples where object[column] == nil {
      throw wrong("lacks the column `\(column)` for row `\(id)`")
    }
    let generations = (object["generations"] ?? item.row["generations"])?.arrayValue
    for column in samples {
      guard let values = object[column]?.arrayValue, values.count == generations?.count else {
        let found =
          object[column]?.arrayValue.map { "\($0.count) entries" } ?? object[column]?.kind ?? "nothing"
        throw wrong(
          "has \(found) in `\(column)` for row `\(id)`; expected a list of \(generations?.count ?? 0), one entry per generation"
        )
      }
    }
    answered[UTF8Key(id)] = line
    try emit(item, .object(object))
  }

  func checkComplete() throws {
    guard let missing = items.first(where: { answered[UTF8Key($0.row.id)] == nil }) else { return }
    throw RunError(
      .stageFailed,
      "\(program) ended with status 0 but did not answer \(items.count - answered.count) of \(items.count) rows; the first is `\(missing.row.id)`"
    )
  }

  private func wrong(_ what: String) -> RunError {
    RunError(.stageFailed, "line \(line) of the standard output of \(program) \(what)")
  }
}
