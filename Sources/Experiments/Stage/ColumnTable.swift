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

  public struct Column: Sendable {
    public let name: String
    public fileprivate(set) var per: Per
    /// Of a column of token ids: what names the tokenizer that they are of. See `StageContext.declareTokenizer`.
    public fileprivate(set) var tokenizer: String?
  }

  /// In the order in which they were declared.
  public private(set) var columns: [Column] = []

  public init() {}

  public init(rows: [String] = [], samples: [String]) {
    for name in rows { self[name] = .row }
    for name in samples { self[name] = .sample }
  }

  /// Nil for a column that is not declared; setting nil removes the declaration.
  public subscript(name: String) -> Per? {
    get { index(of: name).map { columns[$0].per } }
    set {
      switch (index(of: name), newValue) {
      case (let index?, let per?): columns[index].per = per
      case (let index?, nil): columns.remove(at: index)
      case (nil, let per?): columns.append(Column(name: name, per: per))
      case (nil, nil): break
      }
    }
  }

  private func index(of name: String) -> Int? { columns.firstIndex { UTF8Key($0.name) == UTF8Key(name) } }

  /// What names the tokenizer that a column's token ids are of; nil where it is not known. Only of a column that is declared.
  public func tokenizer(of name: String) -> String? { index(of: name).flatMap { columns[$0].tokenizer } }

  package mutating func setTokenizer(_ tokenizer: String?, of name: String) {
    if let index = index(of: name) { columns[index].tokenizer = tokenizer }
  }

  /// The columns with one entry a sample, in the order in which they were declared.
  public var samples: [String] { columns.filter { $0.per == .sample }.map(\.name) }

  public static func == (a: ColumnTable, b: ColumnTable) -> Bool {
    a.columns.elementsEqual(b.columns) {
      UTF8Key($0.name) == UTF8Key($1.name) && $0.per == $1.per && $0.tokenizer == $1.tokenizer
    }
  }

  /// Adds what another table declares. Ids of two tokenizers in one column are ids of none that is known.
  /// - Throws: `InputError` for a column that the two declare differently; the names say whose tables they are.
  public mutating func merge(_ other: ColumnTable, of otherName: String, into name: String) throws {
    for column in other.columns {
      guard let index = index(of: column.name) else {
        columns.append(column)
        continue
      }
      let own = columns[index].per
      guard own == column.per else {
        throw InputError(
          "column `\(column.name)` holds one entry per \(own.rawValue) in \(name) and one per \(column.per.rawValue) in \(otherName); "
            + "declare it the same way in both stages")
      }
      if columns[index].tokenizer != column.tokenizer { columns[index].tokenizer = nil }
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
    for name in output.columns {
      table[name] = .row
      table.setTokenizer(nil, of: name)
    }
    for name in output.samples {
      table[name] = .sample
      table.setTokenizer(nil, of: name)
    }
    return table
  }
}

extension ColumnTable {
  /// `{"generations": {"per": "sample"}, "tokens": {"per": "sample", "tokenizer": "5f1e…"}}`.
  public var json: JSON {
    .object(
      JSONObject(
        columns.map { column in
          var object = JSONObject([("per", .string(column.per.rawValue))])
          if let tokenizer = column.tokenizer { object["tokenizer"] = .string(tokenizer) }
          return (column.name, .object(object))
        }))
  }

  /// Nil where it is not one that was written.
  package init?(json: JSON) {
    guard let object = json.objectValue else { return nil }
    for (name, value) in object.members {
      guard let per = value["per"]?.stringValue.flatMap(Per.init(rawValue:)) else { return nil }
      self[name] = per
      if let tokenizer = value["tokenizer"] {
        guard let text = tokenizer.stringValue else { return nil }
        setTokenizer(text, of: name)
      }
    }
  }

  /// What a key holds of it: what declares nothing beyond plain rows leaves keys as they are.
  package var keyPart: JSON? {
    var part = self
    part.columns.removeAll { $0.per == .row }
    // `nil` alone would be JSON's null.
    return part.columns.isEmpty ? JSON?.none : part.json
  }
}
