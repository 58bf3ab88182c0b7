// Rows: JSON Lines artifacts, one object a line, each with a unique string `id`.

import JSON

/// One row. `id` is a string column like the others, and always there.
///
/// A column that its reader did not ask for may still be the text of its line (`readRows(_:requiring:reading:)`): it is read each time
/// that it is asked for, and written as it stands.
public struct Row: Sendable, Equatable {
  /// Null for a column that is a text.
  private var values: JSONObject
  /// Few, if any.
  private var texts: [(name: String, text: JSONText)]

  /// - Precondition: an object.
  public init(_ columns: JSON) {
    guard case .object(let object) = columns else { preconditionFailure("a row is an object") }
    self.init(object)
  }

  private init(_ values: JSONObject) {
    self.values = values
    texts = []
  }

  init(members: [(key: String, value: ReadOrText)]) {
    var texts: [(name: String, text: JSONText)] = []
    values = JSONObject(
      distinct: members.map { key, member in
        switch member {
        case .value(let value): return (key, value)
        case .text(let text):
          texts.append((key, text))
          return (key, .null)
        }
      })
    self.texts = texts
  }

  /// An object with all columns.
  public var columns: JSON {
    get {
      var object = values
      for (name, text) in texts { object[name] = text.value }
      return .object(object)
    }
    set { self = Row(newValue) }
  }

  public var id: String { self["id"]?.stringValue ?? "" }

  /// The names of the columns, in their order.
  public var names: [String] { values.keys }

  public func has(_ name: String) -> Bool { values[name] != nil }

  public subscript(name: String) -> JSON? {
    get { text(name)?.value ?? values[name] }
    set {
      texts.removeAll { sameName($0.name, name) }
      values[name] = newValue
    }
  }

  func text(_ name: String) -> JSONText? {
    texts.isEmpty ? nil : texts.first { sameName($0.name, name) }?.text
  }

  mutating func set(_ text: JSONText, as name: String) {
    self[name] = .null
    texts.append((name, text))
  }

  /// About how many bytes its line has.
  var approximateByteCount: Int {
    texts.reduce(JSON.object(values).approximateByteCount) { $0 + $1.text.bytes.count }
  }

  /// Appends its line in a file, with the line's end.
  /// - Throws: `NotFiniteNumber` for a number that JSON cannot hold.
  package func write(to bytes: inout [UInt8]) throws {
    try JSON.object(values).requireFiniteNumbers("row `\(id)` holds")
    if texts.isEmpty {
      JSON.object(values).write(to: &bytes)
    } else {
      bytes.append(UInt8(ascii: "{"))
      for (index, member) in values.members.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        JSON.writeString(member.key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        if let text = text(member.key) { bytes += text.bytes } else { member.value.write(to: &bytes) }
      }
      bytes.append(UInt8(ascii: "}"))
    }
    bytes.append(UInt8(ascii: "\n"))
  }

  public static func == (a: Row, b: Row) -> Bool { a.columns == b.columns }
}

private func sameName(_ a: String, _ b: String) -> Bool { UTF8Key(a) == UTF8Key(b) }
