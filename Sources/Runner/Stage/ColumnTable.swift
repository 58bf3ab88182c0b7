// Which columns of a rows artifact hold one value a row, and which one entry a sample.

import JSON

/// The declared columns of a rows artifact. The table is in the producer's record, not in the file: rows stay plain JSON
/// Lines. A column that is not declared belongs to the row.
public struct ColumnTable: Sendable, Equatable {
  public enum Per: String, CaseIterable, Sendable {
    /// One value for the row: `prompt`.
    case row
    /// A list with one entry for each sample of the row: `generations`.
    case sample
  }

  /// In the order in which they were declared.
  public private(set) var columns: [(name: String, per: Per)] = []

  public init() {}

  public init(rows: [String] = [], samples: [String]) {
    for name in rows { self[name] = .row }
    for name in samples { self[name] = .sample }
  }

  /// Nil for a column that is not declared; setting nil removes the declaration.
  public subscript(name: String) -> Per? {
    get { columns.first { UTF8Key($0.name) == UTF8Key(name) }?.per }
    set {
      let index = columns.firstIndex { UTF8Key($0.name) == UTF8Key(name) }
      switch (index, newValue) {
      case (let index?, let per?): columns[index].per = per
      case (let index?, nil): columns.remove(at: index)
      case (nil, let per?): columns.append((name, per))
      case (nil, nil): break
      }
    }
  }

  /// The columns with one entry a sample, in the order in which they were declared.
  public var samples: [String] { columns.filter { $0.per == .sample }.map(\.name) }

  public static func == (a: ColumnTable, b: ColumnTable) -> Bool {
    a.columns.elementsEqual(b.columns) { UTF8Key($0.name) == UTF8Key($1.name) && $0.per == $1.per }
  }

  /// Adds what another table declares.
  /// - Throws: `InputError` for a column that the two declare differently; the names say whose tables they are.
  public mutating func merge(_ other: ColumnTable, of otherName: String, into name: String) throws {
    for (column, per) in other.columns {
      if let own = self[column], own != per {
        throw InputError(
          "column `\(column)` holds one entry per \(own.rawValue) in \(name) and one per \(per.rawValue) in \(otherName); "
            + "declare it the same way in both stages")
      }
      self[column] = per
    }
  }

  /// The table of an output, given those of the artifacts at its stage's inputs.
  package static func of(_ output: OutputPort, inputs: [(port: String, label: String, table: ColumnTable)])
    throws
    -> ColumnTable
  {
    var table = ColumnTable()
    var earlier: String?
    for input in inputs where input.port == output.passesThrough {
      let name = "`\(input.port)`" + (input.label.isEmpty ? "" : " of \(input.label)")
      try table.merge(input.table, of: name, into: earlier ?? name)
      earlier = name
    }
    if output.replacesSamples { for name in table.samples { table[name] = nil } }
    for name in output.columns { table[name] = .row }
    for name in output.samples { table[name] = .sample }
    return table
  }
}

extension ColumnTable {
  /// `{"generations": {"per": "sample"}}`.
  public var json: JSON {
    .object(JSONObject(columns.map { ($0.name, ["per": .string($0.per.rawValue)]) }))
  }

  /// Nil where it is not one that was written.
  package init?(json: JSON) {
    guard let object = json.objectValue else { return nil }
    for (name, value) in object.members {
      guard let per = value["per"]?.stringValue.flatMap(Per.init(rawValue:)) else { return nil }
      self[name] = per
    }
  }

  /// What a key holds of it: what declares nothing beyond plain rows leaves keys as they are.
  package var keyPart: JSON? {
    // `nil` alone would be JSON's null.
    samples.isEmpty ? JSON?.none : ColumnTable(samples: samples).json
  }
}
