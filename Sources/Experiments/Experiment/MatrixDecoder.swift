// `matrix:`: axes of values, the cells that are their combinations, `include` and `exclude`.

import JSON

struct MatrixDecoder {
  let collector: DiagnosticCollector
  let parameters: Parameters

  /// One value of an axis, as one cell has it.
  struct Value {
    var label: String
    var node: Node
    /// Where the axis is named.
    var nameSpan: SourceSpan
  }

  struct Axes {
    var names: [String]
    /// Each has one value for each axis.
    var cells: [[Value]]
  }

  static let maximumCells = 10_000
  private static let words = Language.cells.names

  private struct Axis {
    var name: String
    var nameSpan: SourceSpan
    var values: [Value]
    /// Written as a mapping: new values cannot be made up under `include`.
    var hasOwnLabels: Bool
  }

  /// After a mistake, which is reported, what is known of it; nil when nothing is.
  func decode(_ node: Node, of what: String) -> Axes? {
    let node = parameters.substitute(node)
    let what = "`matrix` of \(what)"
    guard let entries = node.entries else {
      collector.wrongType(node, what, expected: "a mapping of axes to values")
      return nil
    }
    let before = collector.errorCount
    var axes = entries.filter { !Self.isWord($0.key) }.map { axis($0) }
    let included = list(node["include"], "`include` of \(what)")
    if axes.isEmpty {
      axes = (included.first?.entries ?? []).map {
        Axis(name: $0.key, nameSpan: $0.keySpan, values: [], hasOwnLabels: false)
      }
    }
    guard !axes.isEmpty else {
      if collector.errorCount == before {
        collector.wrongType(
          node, what, expected: "a mapping with at least one axis", help: "for example `{lr: [1e-5, 2e-5]}`")
      }
      return nil
    }
    var cells = product(axes, at: node)
    for entry in list(node["exclude"], "`exclude` of \(what)") { exclude(entry, axes, from: &cells) }
    for entry in included {
      if let cell = include(entry, axes, what) { add(cell, at: entry.span, to: &cells, what) }
    }
    if cells.isEmpty, collector.errorCount == before {
      collector.error(
        .emptyMatrix, "\(what) has no cells", at: node.span, label: "nothing is left to run")
    }
    return cells.isEmpty ? nil : Axes(names: axes.map(\.name), cells: cells)
  }

  private static func isWord(_ key: String) -> Bool { words.contains { UTF8Key($0) == UTF8Key(key) } }

  private func list(_ node: Node?, _ what: String) -> [Node] {
    guard let node, !node.isNull else { return [] }
    guard let elements = node.elements else {
      collector.wrongType(node, what, expected: "a list of mappings from axes to values")
      return []
    }
    return elements
  }

  // MARK: axes

  private func axis(_ entry: MappingEntry) -> Axis {
    collector.checkName(entry, "an axis")
    var axis = Axis(
      name: entry.key, nameSpan: entry.keySpan, values: [], hasOwnLabels: entry.value.entries != nil)
    if let place = parameters.place(of: entry.key) {
      collector.error(
        .duplicateName, "`\(entry.key)` is both a parameter and an axis", at: entry.keySpan,
        label: "an axis", notes: [.init("a parameter of this name", at: place)], help: "rename one of them")
    }
    let what = "the axis `\(entry.key)`"
    if let labelled = entry.value.entries, !labelled.isEmpty {
      axis.values = labelled.compactMap { value in
        guard Self.isLabel(value.key) else {
          badLabel(value.key, at: value.keySpan, what)
          return nil
        }
        return Value(label: value.key, node: value.value, nameSpan: entry.keySpan)
      }
    } else if let nodes = entry.value.elements, !nodes.isEmpty {
      for node in nodes {
        guard let value = value(node, entry.keySpan, what) else { continue }
        if axis.values.contains(where: { UTF8Key($0.label) == UTF8Key(value.label) }) {
          collector.error(
            .duplicateValue, "\(what) has the value `\(value.label)` twice", at: node.span,
            label: "written again here", notes: collector.originNotes(node))
        } else {
          axis.values.append(value)
        }
      }
    } else {
      collector.wrongType(
        entry.value, what, expected: "a list of values, or a mapping of labels to values")
    }
    return axis
  }

  /// A scalar is its own label.
  private func value(_ node: Node, _ nameSpan: SourceSpan, _ what: String) -> Value? {
    if node.isInvalid { return nil }
    guard let scalar = node.scalar else {
      collector.error(
        .badLabel, "a value of \(what) is \(node.found), which cannot name a cell", at: node.span,
        label: "needs a label", notes: collector.originNotes(node),
        help: "write the values as a mapping from labels: `{first: …, second: …}`")
      return nil
    }
    let label = scalar.value == .null ? "null" : scalar.text
    guard Self.isLabel(label) else {
      badLabel(label, at: node.span, what)
      return nil
    }
    return Value(label: label, node: node, nameSpan: nameSpan)
  }

  private func badLabel(_ label: String, at span: SourceSpan, _ what: String) {
    collector.error(
      .badLabel, "`\(label)` of \(what) cannot be part of an address", at: span, label: "not a label",
      help:
        "letters, digits, `_`, `-`, `+` and `.`, at most 64; give another value a label: `{label: value, …}`")
  }

  private static func isLabel(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return !bytes.isEmpty && bytes.count <= 64 && bytes[0] != UInt8(ascii: ".")
      && bytes.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
          || "_-+.".utf8.contains($0)
      }
  }

  // MARK: cells

  private func product(_ axes: [Axis], at node: Node) -> [[Value]] {
    var count = 1
    for axis in axes {
      count *= axis.values.count
      guard count <= Self.maximumCells else {
        collector.error(
          .tooLarge, "the matrix has more than \(Self.maximumCells) cells", at: node.span,
          help: "use fewer values")
        return []
      }
    }
    if count == 0 { return [] }
    return axes.reduce([[]]) { cells, axis in
      cells.flatMap { cell in axis.values.map { cell + [$0] } }
    }
  }

  private func exclude(_ node: Node, _ axes: [Axis], from cells: inout [[Value]]) {
    guard let entries = node.entries, !entries.isEmpty else {
      collector.wrongType(node, "an entry of `exclude`", expected: "a mapping from axes to values")
      return
    }
    var wanted: [(axis: Int, label: String)] = []
    for entry in entries {
      guard let index = index(of: entry, axes), let label = label(entry.value, axes[index]) else { return }
      wanted.append((index, label))
    }
    let count = cells.count
    cells.removeAll { cell in wanted.allSatisfy { UTF8Key(cell[$0.axis].label) == UTF8Key($0.label) } }
    if cells.count == count {
      collector.error(
        .unknownCell, "`exclude` matches no cell", at: node.span, label: "excludes nothing")
    }
  }

  private func include(_ node: Node, _ axes: [Axis], _ what: String) -> [Value]? {
    guard let entries = node.entries, !entries.isEmpty else {
      collector.wrongType(node, "an entry of `include`", expected: "a mapping from every axis to a value")
      return nil
    }
    var cell = [Value?](repeating: nil, count: axes.count)
    for entry in entries {
      guard let index = index(of: entry, axes) else { return nil }
      if axes[index].hasOwnLabels {
        guard let label = label(entry.value, axes[index]) else { return nil }
        cell[index] = axes[index].values.first { UTF8Key($0.label) == UTF8Key(label) }
      } else {
        guard let value = value(entry.value, axes[index].nameSpan, "the axis `\(entry.key)`") else {
          return nil
        }
        cell[index] = value
      }
    }
    for (axis, value) in zip(axes, cell) where value == nil {
      collector.missingKey(
        axis.name, of: "an entry of `include`", at: node.span, help: "a cell has a value on every axis")
    }
    let complete = cell.compactMap { $0 }
    return complete.count == axes.count ? complete : nil
  }

  private func add(_ cell: [Value], at span: SourceSpan, to cells: inout [[Value]], _ what: String) {
    let labels = cell.map { UTF8Key($0.label) }
    if cells.contains(where: { $0.map { UTF8Key($0.label) } == labels }) {
      collector.error(
        .duplicateValue, "\(what) has this cell already", at: span, label: "included again",
        help: "remove it: `include` adds cells that the axes do not make")
    } else {
      cells.append(cell)
    }
  }

  private func index(of entry: MappingEntry, _ axes: [Axis]) -> Int? {
    if let index = axes.firstIndex(where: { UTF8Key($0.name) == UTF8Key(entry.key) }) { return index }
    collector.error(
      .unknownAxis, "the matrix has no axis called `\(entry.key)`", at: entry.keySpan, label: "not an axis",
      help: Suggestion.helpOrList(for: entry.key, among: axes.map(\.name), what: "the axes are"))
    return nil
  }

  /// Of a value that the axis has.
  private func label(_ node: Node, _ axis: Axis) -> String? {
    if node.isInvalid { return nil }
    let text = node.scalar.map { $0.value == .null ? "null" : $0.text } ?? ""
    if let value = axis.values.first(where: { UTF8Key($0.label) == UTF8Key(text) }) { return value.label }
    collector.error(
      .unknownValue, "the axis `\(axis.name)` has no value `\(text)`", at: node.span, label: "not a value",
      notes: collector.originNotes(node),
      help: Suggestion.listOrHelp(for: text, among: axis.values.map(\.label), what: "its values are"))
    return nil
  }
}
