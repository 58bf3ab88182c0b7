// The schema: a tree of fields, from the list in which a file writes it, with the levels of each.

/// A field as it becomes JSON.
struct SchemaField {
  indirect enum Content {
    /// A column, by its place among all.
    case value(Int)
    case structure([SchemaField])
    /// A list has elements where the definition level reaches `definition`; the repetition level of each after the first is
    /// `repetition`.
    case list(SchemaField, definition: Int, repetition: Int)
  }
  let name: String
  let isOptional: Bool
  /// The least definition level at which the field is not null.
  let definition: Int
  let content: Content
  /// The columns below it.
  let columns: Range<Int>
}

/// A leaf of the tree.
struct SchemaColumn {
  let path: [String]
  let element: ThriftValue
  let maximumDefinition: Int
  let maximumRepetition: Int
}

struct Schema {
  private(set) var fields: [SchemaField] = []
  private(set) var columns: [SchemaColumn] = []

  private var elements: ArraySlice<ThriftValue>
  private static let maximumDepth = 32

  /// - Parameter elements: depth first, the root before all.
  init(_ elements: [ThriftValue]) throws {
    self.elements = elements[...]
    let root = try next()
    fields = try children(of: root, path: [], definition: 0, repetition: 0)
    guard self.elements.isEmpty else {
      throw ParquetFault("\(self.elements.count) elements stand below nothing")
    }
  }

  private mutating func next() throws -> ThriftValue {
    guard let element = elements.popFirst() else {
      throw ParquetFault("an element has fewer children than it says")
    }
    return element
  }

  private mutating func children(of element: ThriftValue, path: [String], definition: Int, repetition: Int)
    throws
    -> [SchemaField]
  {
    let count = try element.size(5, "the number of children")
    guard count > 0, count <= elements.count else {
      throw ParquetFault("an element has \(count) children; \(elements.count) elements are left")
    }
    var fields: [SchemaField] = []
    var names: Set<[UInt8]> = []
    for _ in 0..<count {
      let field = try field(try next(), path: path, definition: definition, repetition: repetition)
      guard names.insert(Array(field.name.utf8)).inserted else {
        throw ParquetFault("two fields are named `\(field.name)`")
      }
      fields.append(field)
    }
    return fields
  }

  private enum Repetition: Int64 { case required, optional, repeated }

  private func repetition(of element: ThriftValue) throws -> Repetition {
    guard let value = Repetition(rawValue: try element.integer(3, "the repetition")) else {
      throw ParquetFault("an element's repetition is none of required, optional and repeated")
    }
    return value
  }

  private mutating func field(_ element: ThriftValue, path: [String], definition: Int, repetition: Int) throws
    -> SchemaField
  {
    let name = try element.text(4, "the name")
    let path = path + [name]
    guard path.count <= Self.maximumDepth else {
      throw ParquetFault("fields nest deeper than \(Self.maximumDepth) levels")
    }
    let first = columns.count
    let kind = try self.repetition(of: element)
    let definition = kind == .optional ? definition + 1 : definition
    let content: SchemaField.Content
    if kind == .repeated {
      content = try list(of: element, name: name, path: path, definition: definition, repetition: repetition)
    } else {
      content = try self.content(of: element, path: path, definition: definition, repetition: repetition)
    }
    return SchemaField(
      name: name, isOptional: kind == .optional, definition: definition, content: content,
      columns: first..<columns.count)
  }

  /// What a field that is not null holds.
  private mutating func content(of element: ThriftValue, path: [String], definition: Int, repetition: Int)
    throws
    -> SchemaField.Content
  {
    guard (element.optionalInteger(5) ?? 0) > 0 else {
      columns.append(
        SchemaColumn(
          path: path, element: element, maximumDefinition: definition, maximumRepetition: repetition))
      return .value(columns.count - 1)
    }
    let isList = element.optionalInteger(6) == 3 || element.optionalStructure(10)?.unionField == 3
    if isList, element.optionalInteger(5) == 1, let repeated = elements.first,
      try self.repetition(of: repeated) == .repeated
    {
      return try annotatedList(try next(), path: path, definition: definition, repetition: repetition)
    }
    return .structure(try children(of: element, path: path, definition: definition, repetition: repetition))
  }

  /// A list as it is written today, `LIST { repeated list { element } }`, or as older writers did, whose repeated element is the
  /// list's own. Source: LogicalTypes.md of apache/parquet-format, "Backward-compatibility rules".
  private mutating func annotatedList(
    _ repeated: ThriftValue, path: [String], definition: Int, repetition: Int
  ) throws -> SchemaField.Content {
    let name = try repeated.text(4, "the name")
    let isElement =
      repeated.optionalInteger(5) != 1 || name == "array" || name == "\(path.last ?? "")_tuple"
    guard !isElement else {
      return try list(
        of: repeated, name: name, path: path + [name], definition: definition, repetition: repetition)
    }
    let element = try field(
      try next(), path: path + [name], definition: definition + 1, repetition: repetition + 1)
    return .list(element, definition: definition + 1, repetition: repetition + 1)
  }

  private mutating func list(
    of element: ThriftValue, name: String, path: [String], definition: Int, repetition: Int
  ) throws -> SchemaField.Content {
    let first = columns.count
    let content = try content(of: element, path: path, definition: definition + 1, repetition: repetition + 1)
    let field = SchemaField(
      name: name, isOptional: false, definition: definition + 1, content: content,
      columns: first..<columns.count)
    return .list(field, definition: definition + 1, repetition: repetition + 1)
  }
}
