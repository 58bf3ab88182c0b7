// Rows as a terminal, a pipe or a program wants them.

import JSON
import Runner
import Stages
import System

struct RowPrinter {
  enum Layout {
    /// One object of JSON a line.
    case json
    /// One row a line, a tab between fields, names first.
    case separated
    /// As wide as a terminal: a table, or where its columns do not fit, record by record.
    case terminal(columns: Int)
    /// Record by record, whole.
    case records(columns: Int)
  }

  private let layout: Layout
  private var names: [String]?
  /// Whether the fields follow from the first rows.
  private let showsAll: Bool
  /// What the columns are chosen for; printed when it is full.
  private var waiting: [JSON] = []
  private var isOpen = false
  private var table: FittedTable?
  private var output = ""
  /// Rows that were given.
  private(set) var added = 0
  private var count = 0
  /// Fields of later rows that have no column.
  private(set) var unshown: [String] = []

  /// Lines of a text, record by record in a terminal.
  private static let lineLimit = 4
  private static let waitingLimit = 1000

  /// - Parameter names: the fields that are shown, or paths; nil shows all.
  init(_ layout: Layout, names: [String]?) {
    self.layout = layout
    self.names = names
    showsAll = names == nil
  }

  mutating func add(_ row: JSON) throws {
    added += 1
    if isOpen {
      noteUnshown(row)
      return try print(row)
    }
    waiting.append(row)
    if waiting.count == Self.waitingLimit { try open() }
  }

  mutating func finish() throws {
    if !isOpen { try open() }
    try flush()
  }

  /// - Throws: `RunError` (2) for a name that no row has.
  private mutating func open() throws {
    isOpen = true
    let rows = waiting
    waiting = []
    for name in names ?? []
    where !rows.isEmpty && !rows.contains(where: { RecordFile.value(name, in: $0) != nil }) {
      throw RunError(.commandLine, missingField(name, in: rows))
    }
    if case .json = layout {} else if names == nil { names = fieldNames(of: rows) }
    let names = names ?? []
    switch layout {
    case .separated where !rows.isEmpty: output += names.map(Self.field).joined(separator: "\t") + "\n"
    case .terminal(let columns) where !rows.isEmpty:
      let isNumber = names.map { name in
        let values = rows.compactMap { RecordFile.value(name, in: $0) }
        return !values.isEmpty && values.allSatisfy { $0.doubleValue != nil || $0.isNull }
      }
      table = FittedTable(
        titles: names, rows: rows.map { row in names.map { Self.text(row, $0) } }, isNumber: isNumber,
        columns: columns)
      output += table?.heading ?? ""
    default: break
    }
    for row in rows { try print(row) }
  }

  private mutating func print(_ row: JSON) throws {
    count += 1
    let names = names ?? []
    switch layout {
    case .json:
      let chosen =
        names.isEmpty
        ? row
        : .object(JSONObject(names.compactMap { name in RecordFile.value(name, in: row).map { (name, $0) } }))
      output += chosen.text() + "\n"
    case .separated: output += names.map { Self.field(Self.text(row, $0)) }.joined(separator: "\t") + "\n"
    case .terminal(let columns):
      if let table {
        output += table.line(names.map { Self.text(row, $0) })
      } else {
        record(row, names, columns: columns, lines: Self.lineLimit)
      }
    case .records(let columns): record(row, names, columns: columns, lines: .max)
    }
    if output.utf8.count > 1 << 16 { try flush() }
  }

  /// What has no column of its own is named at the end.
  private mutating func noteUnshown(_ row: JSON) {
    guard showsAll, let names, unshown.count < 8 else { return }
    for key in row.objectValue?.keys ?? []
    where !(names + unshown).contains(where: { $0.utf8.elementsEqual(key.utf8) }) {
      unshown.append(key)
    }
  }

  private mutating func record(_ row: JSON, _ names: [String], columns: Int, lines: Int) {
    let shown = names.filter { RecordFile.value($0, in: row) != nil }
    let margin = min(24, shown.map { TextTable.width(TerminalText.line($0)) }.max() ?? 0)
    output += (count > 1 ? "\n" : "") + "row \(count)\n"
    for name in shown {
      let text = TextTable.wrapped(
        TerminalText.line(Self.text(row, name)), to: max(20, columns - margin - 4), lines: lines)
      for (index, line) in text.enumerated() {
        let title = index == 0 ? TerminalText.line(name, columns: margin) : ""
        output += "  \(TextTable.padded(title, to: margin))  \(line)\n"
      }
    }
  }

  private mutating func flush() throws {
    try standardOutput(output)
    output = ""
  }

  private static func text(_ row: JSON, _ name: String) -> String {
    RecordFile.value(name, in: row).map { $0.stringValue ?? $0.text() } ?? ""
  }

  /// A field of a line whose fields are separated by tabs.
  static func field(_ text: String) -> String {
    guard text.utf8.contains(where: { [0x09, 0x0A, 0x0D, 0x5C].contains($0) }) else { return text }
    return text.unicodeScalars.map { scalar in
      switch scalar {
      case "\\": "\\\\"
      case "\t": "\\t"
      case "\n": "\\n"
      case "\r": "\\r"
      default: String(scalar)
      }
    }.joined()
  }
}

/// The fields of these rows in the order in which they first stand.
func fieldNames(of rows: [JSON]) -> [String] {
  var seen: Set<UTF8Key> = []
  return rows.flatMap { $0.objectValue?.keys ?? [] }.filter { seen.insert(UTF8Key($0)).inserted }
}

func missingField(_ name: String, in rows: [JSON]) -> String {
  let names = fieldNames(of: rows)
  let help =
    Suggestion.nearest(to: name, among: names).map { "did you mean \(quoted($0))?" }
    ?? "they have \(names.prefix(12).map { quoted($0) }.joined(separator: ", "))\(names.count > 12 ? ", …" : "")"
  return "no row has a field \(quoted(name)); \(help)"
}
