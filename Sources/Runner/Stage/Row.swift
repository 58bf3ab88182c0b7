// Rows: JSON Lines artifacts, one object a line, each with a unique string `id`.

import JSON

/// One row. `id` is a string column like the others, and always there.
public struct Row: Sendable, Equatable {
  public var columns: JSON
  public init(_ columns: JSON) { self.columns = columns }
  public var id: String { columns["id"]?.stringValue ?? "" }
  public subscript(name: String) -> JSON? {
    get { columns[name] }
    set {
      guard case .object(var object) = columns else { preconditionFailure("a row is an object") }
      object[name] = newValue
      columns = .object(object)
    }
  }
  public static func == (a: Row, b: Row) -> Bool { a.columns == b.columns }
}
