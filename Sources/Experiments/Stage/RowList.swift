// A column that holds a list: its entries are counted, chosen and joined without being read.

import JSON

/// The list that a column of a row holds, as values or still as the text of its line.
package struct RowList: Sendable {
  fileprivate enum Content {
    case values([JSON])
    case text(JSONText)
  }

  fileprivate let content: Content
  package let count: Int

  package init(_ values: [JSON]) {
    content = .values(values)
    count = values.count
  }

  /// Nil where it is no list.
  fileprivate init?(_ text: JSONText) {
    guard let count = text.count else { return nil }
    content = .text(text)
    self.count = count
  }

  /// Of a text read anew each time.
  package var values: [JSON] {
    switch content {
    case .values(let values): values
    case .text(let text): text.value.arrayValue ?? []
    }
  }

  /// These entries, in this order.
  /// - Precondition: it has them.
  package func selecting(_ indices: [Int]) -> RowList {
    if case .text(let text) = content, let chosen = text.selecting(indices).flatMap(RowList.init) {
      return chosen
    }
    let values = values
    return RowList(indices.map { values[$0] })
  }

  /// The entries of one list, then those of another.
  package static func + (a: RowList, b: RowList) -> RowList {
    if case .text(let first) = a.content, case .text(let second) = b.content,
      let joined = first.joined(with: second).flatMap(RowList.init)
    {
      return joined
    }
    return RowList(a.values + b.values)
  }
}

extension Row {
  /// Nil where the row has no such column, or it is no list.
  package func list(_ name: String) -> RowList? {
    if let text = text(name) { return RowList(text) }
    return self[name]?.arrayValue.map(RowList.init)
  }

  package mutating func set(_ list: RowList, as name: String) {
    switch list.content {
    case .values(let values): self[name] = .array(values)
    case .text(let text): set(text, as: name)
    }
  }
}
