// Parameters: `params`, `--set`, the axes of a matrix, and the places that name them with `$name` and `${name}`.

import JSON

struct Parameters {
  private(set) var entries: [MappingEntry] = []
  private var index: [UTF8Key: Int] = [:]
  /// What `--set seed=…` gives where no parameter is called so: the experiment's own seed.
  private(set) var seed: MappingEntry?
  private let collector: DiagnosticCollector
  private let budget = Budget()

  /// Nodes that references have brought in; bounded like aliases, over all copies together.
  private final class Budget {
    var expanded = 0
    var isExhausted = false
    /// Names that something refers to.
    var used: Set<UTF8Key> = []
  }

  init(_ node: Node?, overrides: [String], folder: String, _ collector: DiagnosticCollector) {
    self.collector = collector
    if let node, !node.isNull {
      if let entries = node.entries {
        for entry in entries {
          collector.checkName(entry, "a parameter")
          append(entry)
        }
      } else {
        collector.wrongType(node, "`params`", expected: "a mapping")
      }
    }
    for override in overrides { apply(override, folder: folder) }
    settle()
  }

  private mutating func append(_ entry: MappingEntry) {
    index[UTF8Key(entry.key)] = entries.count
    entries.append(entry)
  }

  /// With the value that each axis has in one cell of a matrix. The names are new.
  func adding(_ axes: [MappingEntry]) -> Parameters {
    var result = self
    for axis in axes { result.append(axis) }
    return result
  }

  /// After `--set`, references replaced.
  func value(of name: String) -> Node? { index[UTF8Key(name)].map { entries[$0].value } }

  /// Where a parameter or an axis of this name is written.
  func place(of name: String) -> SourceSpan? { index[UTF8Key(name)].map { entries[$0].keySpan } }

  var names: [String] { entries.map(\.key) }

  /// `name=YAML`
  private mutating func apply(_ override: String, folder: String) {
    let file = SourceFile(name: "--set", folder: folder, bytes: Array(override.utf8))
    guard let equals = file.bytes.firstIndex(of: UInt8(ascii: "=")), equals > 0 else {
      collector.error(
        .badOverride, "`--set \(override)` has no value", at: SourceSpan(file: file, start: 0, end: .max),
        help: "write `--set name=value`; the value is read as YAML")
      return
    }
    let name = String(decoding: file.bytes[..<equals], as: UTF8.self)
    let nameSpan = SourceSpan(file: file, start: 0, end: equals)
    let position = index[UTF8Key(name)]
    guard position != nil || UTF8Key(name) == UTF8Key("seed") else {
      let isKey = Language.experiment.contains { UTF8Key($0.name) == UTF8Key(name) }
      collector.error(
        .unknownParameter, "the experiment has no parameter called `\(name)`", at: nameSpan,
        label: "not under `params`",
        help: isKey
          ? "to set `\(name):` with `--set`, write `params: {\(name): …}` and `\(name): $\(name)` in the file"
          : Suggestion.helpOrList(for: name, among: names, what: "the parameters are")
            ?? "declare it under `params:` first")
      return
    }
    guard let value = value(of: name, file, from: equals + 1, nameSpan) else { return }
    if let position {
      entries[position].value = value
    } else {
      seed = MappingEntry(key: name, keySpan: nameSpan, value: value)
    }
  }

  /// What stands after the equals sign; nil where the text is none.
  private func value(of name: String, _ file: SourceFile, from start: Int, _ nameSpan: SourceSpan) -> Node? {
    guard TextCheck.start(of: file, collector) != nil else { return nil }
    if file.bytes[start...].allSatisfy({ $0 == 0x20 }) {
      let span = SourceSpan(file: file, start: start, end: start)
      return Node(.scalar(Scalar(text: "", value: .null)), span: span)
    }
    guard let value = TypedValue(file, from: start, name: name, collector).node else {
      return Node(.invalid, span: nameSpan)
    }
    return SecretCheck(collector: collector).cleaned(value, under: name, at: nameSpan)
  }

  // MARK: parameters that name parameters

  static let maximumChain = 64

  private enum Mark { case new, open, done }
  private typealias Step = (position: Int, span: SourceSpan)

  /// Replaces the references that parameters make to one another.
  private mutating func settle() {
    var marks = [Mark](repeating: .new, count: entries.count)
    for position in entries.indices { settle(position, &marks, path: []) }
  }

  /// `path`: who refers to it, and where, from the outermost on.
  private mutating func settle(_ position: Int, _ marks: inout [Mark], path: [Step]) {
    guard marks[position] == .new else { return }
    let references = Self.references(in: entries[position].value)
    guard !references.isEmpty else {
      marks[position] = .done
      return
    }
    marks[position] = .open
    defer { marks[position] = .done }
    for (name, span) in references {
      guard let target = index[UTF8Key(name)] else { continue }
      let path = path + [(position, span)]
      if marks[target] == .open {
        reportCycle(path.drop { $0.position != target }, to: target)
        entries[position].value = Node(.invalid, span: span)
        return
      }
      guard path.count <= Self.maximumChain else {
        collector.error(
          .tooDeep, "parameters refer to each other more than \(Self.maximumChain) levels deep", at: span,
          label: "the limit is passed here")
        entries[position].value = Node(.invalid, span: span)
        return
      }
      settle(target, &marks, path: path)
    }
    entries[position].value = substitute(entries[position].value)
  }

  private func reportCycle(_ steps: ArraySlice<Step>, to target: Int) {
    guard let first = steps.first else { return }
    let names = (steps.map { entries[$0.position].key } + [entries[target].key]).map { "`\($0)`" }
    collector.error(
      .parameterCycle,
      names.count == 2
        ? "the parameter \(names[0]) refers to itself"
        : "parameters refer to each other: \(names.joined(separator: " -> "))", at: first.span,
      notes: zip(steps, names.dropFirst()).dropFirst().map { .init("names \($1) here", at: $0.span) },
      help: "give one of them a value")
  }

  /// Every name in a text below this node, with its place.
  private static func references(in node: Node) -> [(name: String, span: SourceSpan)] {
    switch node.content {
    case .invalid: return []
    case .sequence(let nodes): return nodes.flatMap { references(in: $0) }
    case .mapping(let entries): return entries.flatMap { references(in: $0.value) }
    case .scalar(let scalar):
      guard case .string(let text) = scalar.value else { return [] }
      switch ParameterText(text, isQuoted: scalar.isQuoted) {
      case .plain, .broken: return []
      case .whole(let name): return [(name, node.span)]
      case .pieces(let pieces):
        return pieces.compactMap { if case .name(let name) = $0 { (name, node.span) } else { nil } }
      }
    }
  }

  // MARK: replacing

  /// The node with every reference replaced. What is brought in keeps the place that names it and, as its
  /// origin, the place that gives it.
  func substitute(_ node: Node) -> Node {
    switch node.content {
    case .invalid: return node
    case .sequence(let nodes):
      var result = node
      result.content = .sequence(nodes.map { substitute($0) })
      return result
    case .mapping(let entries):
      var result = node
      result.content = .mapping(
        entries.map { MappingEntry(key: $0.key, keySpan: $0.keySpan, value: substitute($0.value)) })
      return result
    case .scalar(let scalar):
      guard case .string(let text) = scalar.value else { return node }
      switch ParameterText(text, isQuoted: scalar.isQuoted) {
      case .plain: return node
      case .whole(let name): return expand(name, for: node)
      case .pieces(let pieces): return join(pieces, for: node)
      case .broken(let reason):
        collector.error(
          .badReference, "\(reason) in `\(text)`", at: node.span,
          help: "`${name}` names a parameter; for the characters themselves write `$${`")
        return Node(.invalid, span: node.span)
      }
    }
  }

  /// Once everything has been read: a parameter that nothing names has no effect.
  func warnOfUnused() {
    for entry in entries where !budget.used.contains(UTF8Key(entry.key)) {
      collector.warning(
        .unusedParameter, "nothing uses the parameter `\(entry.key)`", at: entry.keySpan,
        label: "has no effect", help: "write `$\(entry.key)` where its value is needed, or remove it")
    }
  }

  private func find(_ name: String, at span: SourceSpan) -> Node? {
    budget.used.insert(UTF8Key(name))
    if let position = index[UTF8Key(name)] { return entries[position].value }
    collector.error(
      .unknownParameter, "there is no parameter called `\(name)`", at: span, label: "not under `params`",
      help: Suggestion.nearest(to: name, among: names).map { "did you mean `$\($0)`?" }
        ?? "declare it under `params:`; for a literal `${` write `$${`")
    return nil
  }

  private func expand(_ name: String, for node: Node) -> Node {
    guard let value = find(name, at: node.span) else { return Node(.invalid, span: node.span) }
    budget.expanded += value.count
    guard budget.expanded <= Document.maximumNodes else {
      if !budget.isExhausted {
        collector.error(
          .tooLarge, "parameters expand past \(Document.maximumNodes) nodes", at: node.span,
          label: "the limit is passed here")
      }
      budget.isExhausted = true
      return Node(.invalid, span: node.span)
    }
    return Node(value.content, span: node.span, origin: value.origin ?? value.span)
  }

  private func join(_ pieces: [ParameterText.Piece], for node: Node) -> Node {
    var text = ""
    var origin: SourceSpan?
    for piece in pieces {
      switch piece {
      case .text(let piece): text += piece
      case .name(let name):
        guard let value = find(name, at: node.span) else { return Node(.invalid, span: node.span) }
        guard let scalar = value.scalar, scalar.value != .null else {
          if !value.isInvalid {
            collector.error(
              .badReference,
              "the parameter `\(name)` is \(value.found) and cannot be inserted into a string",
              at: node.span, notes: [.init("its value", at: value.span)])
          }
          return Node(.invalid, span: node.span)
        }
        // A path that begins with a parameter starts where the parameter was written, any other where it stands.
        if text.isEmpty { origin = value.origin ?? value.span }
        text += scalar.text
      }
    }
    return Node(.scalar(Scalar(text: text, value: .string(text))), span: node.span, origin: origin)
  }
}

/// How a string names parameters.
enum ParameterText: Equatable {
  enum Piece: Equatable {
    case text(String)
    case name(String)
  }
  case plain
  /// `$name`, or `${name}` without quotes, and nothing else: takes the parameter's value with its type.
  case whole(String)
  case pieces([Piece])
  case broken(String)

  init(_ text: String, isQuoted: Bool = false) {
    let bytes = Array(text.utf8)
    guard bytes.contains(UInt8(ascii: "$")) else {
      self = .plain
      return
    }
    if bytes[0] == UInt8(ascii: "$"), Self.isName(bytes[1...]) {
      self = .whole(String(decoding: bytes[1...], as: UTF8.self))
      return
    }
    if bytes.starts(with: Array("$$".utf8)), Self.isName(bytes[2...]) {
      self = .pieces([.text(String(decoding: bytes[1...], as: UTF8.self))])
      return
    }
    var pieces: [Piece] = []
    var literal: [UInt8] = []
    var index = 0
    var isPlain = true
    let open = Array("${".utf8)
    while index < bytes.count {
      let rest = bytes[index...]
      if rest.starts(with: Array("$${".utf8)) {
        literal += open
        index += 3
        isPlain = false
      } else if rest.starts(with: open) {
        guard let close = rest.firstIndex(of: UInt8(ascii: "}")) else {
          self = .broken("`${` is not closed")
          return
        }
        let name = bytes[(index + 2)..<close]
        guard Self.isName(name) else {
          self = .broken("`${\(String(decoding: name, as: UTF8.self))}` names no parameter")
          return
        }
        if !literal.isEmpty { pieces.append(.text(String(decoding: literal, as: UTF8.self))) }
        literal = []
        pieces.append(.name(String(decoding: name, as: UTF8.self)))
        index = close + 1
        isPlain = false
      } else {
        literal.append(bytes[index])
        index += 1
      }
    }
    if !literal.isEmpty { pieces.append(.text(String(decoding: literal, as: UTF8.self))) }
    if isPlain {
      self = .plain
    } else if !isQuoted, pieces.count == 1, case .name(let name) = pieces[0] {
      self = .whole(name)
    } else {
      self = .pieces(pieces)
    }
  }

  private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
    func isLetter(_ byte: UInt8) -> Bool {
      (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
    }
    guard let first = bytes.first, isLetter(first) else { return false }
    return bytes.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
  }
}
