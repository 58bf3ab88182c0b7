// From text to nodes: anchors, aliases, merge keys, tags, duplicate keys, limits. All mistakes are located.

import JSON

/// One YAML document.
package struct Document: Sendable {
  package var root: Node

  /// Nesting, aliases counted at the place where they stand.
  static let maximumDepth = 64
  /// Nodes and bytes after aliases and merges are expanded.
  static let maximumNodes = 200_000
  static let maximumTextBytes = 32 << 20

  /// Reads the only document of a file.
  /// - Returns: nil when the text cannot be made into nodes; mistakes that leave the rest readable (a duplicate key, an
  ///   unknown alias or tag) are reported and passed over.
  static func read(_ file: SourceFile, _ collector: DiagnosticCollector) -> Document? {
    guard let start = TextCheck.start(of: file, collector) else { return nil }
    return read(file, from: start, collector)
  }

  /// The only document of a file as JSON, aliases and merges resolved: what a validator reads.
  package static func json(of file: SourceFile) -> Result<JSON, DiagnosticList> {
    let collector = DiagnosticCollector()
    let root = read(file, collector)?.root
    if let root, root.json == nil, !collector.list.hasErrors {
      collector.error(
        .outOfRange, "JSON cannot hold infinity or NaN", at: root.span)
    }
    guard let json = root?.json, !collector.list.hasErrors else { return .failure(collector.list) }
    return .success(json)
  }

  /// Reads the only document of a text from a byte offset on; what is before has been checked.
  static func read(_ file: SourceFile, from start: Int, _ collector: DiagnosticCollector) -> Document? {
    var composer = Composer(file: file, base: start, collector: collector)
    do {
      guard let root = try composer.document() else { return nil }
      return Document(root: SecretCheck(collector: collector).cleaned(document: root))
    } catch {
      collector.add(error.diagnostic)
      return nil
    }
  }
}

private struct Fatal: Error {
  var diagnostic: Diagnostic
  init(_ diagnostic: Diagnostic) { self.diagnostic = diagnostic }
  init(
    _ code: DiagnosticCode, _ message: String, at span: SourceSpan, label: String? = nil,
    notes: [Diagnostic.Note] = [], help: String? = nil
  ) {
    diagnostic = Diagnostic(code: code, message, at: span, label: label, notes: notes, help: help)
  }
}

private struct Composer {
  /// A node with what it costs once aliases are expanded.
  struct Composed {
    var node: Node
    var nodes = 1
    var bytes = 0
    var height = 1
  }
  enum Anchor {
    case open(SourceSpan)
    case done(Composed)
  }

  let file: SourceFile
  let base: Int
  let collector: DiagnosticCollector
  let parser: LibYAML
  var anchors: [UTF8Key: Anchor] = [:]
  var anchorNames: [String] = []
  var nodes = 0
  var bytes = 0

  init(file: SourceFile, base: Int, collector: DiagnosticCollector) {
    self.file = file
    self.base = base
    self.collector = collector
    parser = LibYAML(file.bytes[base...])
  }

  func span(_ event: YAMLEvent) -> SourceSpan { span(event.start, event.end) }
  func span(_ start: Int, _ end: Int) -> SourceSpan {
    SourceSpan(file: file, start: base + start, end: base + end)
  }

  mutating func document() throws(Fatal) -> Node? {
    _ = try next()
    let first = try next()
    if case .streamEnd = first.kind { throw empty(first) }
    let event = try next()
    if case .scalar("", .plain) = event.kind, event.anchor == nil, event.tag == nil {
      throw empty(event)
    }
    let root = try compose(event, depth: 1)
    _ = try next()
    let after = try next()
    if case .documentStart = after.kind {
      throw Fatal(
        .severalDocuments, "the file holds more than one YAML document", at: span(after),
        label: "the second document begins here", help: "one file is one experiment; remove the `---`")
    }
    return root.node
  }

  private func empty(_ event: YAMLEvent) -> Fatal {
    Fatal(
      .emptyFile, "the file is empty", at: span(0, 0),
      help: "an experiment has at least `version: 1`, `name:` and `stages:`")
  }

  private func next() throws(Fatal) -> YAMLEvent {
    do { return try parser.next() } catch { throw Fatal(.syntax(error, in: file, base: base)) }
  }

  private mutating func charge(_ nodes: Int, _ bytes: Int, at span: SourceSpan) throws(Fatal) {
    self.nodes += nodes
    self.bytes += bytes
    guard self.nodes <= Document.maximumNodes, self.bytes <= Document.maximumTextBytes else {
      throw Fatal(
        .tooLarge,
        "the document expands past \(Document.maximumNodes) nodes or \(Document.maximumTextBytes) bytes",
        at: span, label: "the limit is passed here", help: "use fewer or smaller aliases")
    }
  }

  private func checkDepth(_ depth: Int, at span: SourceSpan) throws(Fatal) {
    guard depth <= Document.maximumDepth else {
      throw Fatal(.tooDeep(at: span))
    }
  }

  private mutating func compose(_ event: YAMLEvent, depth: Int) throws(Fatal) -> Composed {
    let place = span(event)
    try checkDepth(depth, at: place)
    if case .alias(let name) = event.kind { return try alias(name, at: place, depth: depth) }
    if let anchor = event.anchor {
      if anchors.updateValue(.open(place), forKey: UTF8Key(anchor)) == nil { anchorNames.append(anchor) }
    }
    let composed: Composed
    switch event.kind {
    case .scalar(let text, let style): composed = try scalar(event, text, isPlain: style == .plain)
    case .sequenceStart: composed = try sequence(event, depth: depth)
    case .mappingStart: composed = try mapping(event, depth: depth)
    default: preconditionFailure("libyaml gave an event that begins no node")
    }
    if let anchor = event.anchor {
      anchors[UTF8Key(anchor)] = .done(composed)
    }
    return composed
  }

  private mutating func alias(_ name: String, at place: SourceSpan, depth: Int) throws(Fatal) -> Composed {
    switch anchors[UTF8Key(name)] {
    case .done(let target):
      try checkDepth(depth + target.height - 1, at: place)
      try charge(target.nodes, target.bytes, at: place)
      return target
    case .open(let start):
      collector.error(
        .recursiveAlias, "the alias `*\(name)` is inside its own anchor", at: place,
        label: "would contain itself", notes: [.init("the anchor `&\(name)` begins here", at: start)])
    case nil:
      collector.add(.undefinedAlias(name, at: place, anchors: anchorNames))
    }
    return Composed(node: Node(.invalid, span: place))
  }

  private mutating func scalar(_ event: YAMLEvent, _ text: String, isPlain: Bool) throws(Fatal) -> Composed {
    let place = span(event)
    try charge(1, text.utf8.count, at: place)
    let plain = ScalarValue.resolve(plain: text)
    let value: ScalarValue?
    switch Tag(event.tag) {
    case .none: value = isPlain ? plain : .string(text)
    case .string, .nonSpecific: value = .string(text)
    case .null: value = plain == .null ? plain : nil
    case .bool: if case .bool = plain { value = plain } else { value = nil }
    case .int: if case .int = plain { value = plain } else { value = nil }
    case .float:
      switch plain {
      case .int(let integer): value = .double(Double(integer))
      case .largeInteger(let number): value = .double(number)
      case .double: value = plain
      default: value = nil
      }
    case .map, .sequence: value = nil
    case .unknown(let tag):
      reportUnknown(tag, at: place)
      return Composed(node: Node(.invalid, span: place), bytes: text.utf8.count)
    }
    guard let value else {
      collector.error(
        .wrongTag, "`\(text)` does not fit its tag `\(Tag.short(event.tag ?? ""))`", at: place,
        help: "remove the tag, or correct the value")
      return Composed(node: Node(.invalid, span: place), bytes: text.utf8.count)
    }
    if case .largeInteger = value {
      collector.error(
        .outOfRange, "the integer does not fit 64 bits", at: place,
        label: "expected \(Int64.min) to \(Int64.max)",
        help:
          "quote it if text is meant; write it with a fraction or an exponent, such as `1e20`, if a number is meant"
      )
      return Composed(node: Node(.invalid, span: place), bytes: text.utf8.count)
    }
    return Composed(
      node: Node(.scalar(Scalar(text: text, value: value, isQuoted: !isPlain)), span: place),
      bytes: text.utf8.count)
  }

  private func checkCollectionTag(_ event: YAMLEvent, _ expected: Tag) {
    switch Tag(event.tag) {
    case .none, .nonSpecific, expected: break
    case .unknown(let tag): reportUnknown(tag, at: span(event))
    default:
      collector.error(
        .wrongTag, "a collection does not fit the tag `\(Tag.short(event.tag ?? ""))`", at: span(event),
        help: "remove the tag")
    }
  }

  private func reportUnknown(_ tag: String, at place: SourceSpan) {
    collector.error(
      .unknownTag, "the tag `\(Tag.short(tag))` is not known", at: place, label: "unknown tag",
      help: "the known tags are `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!map` and `!!seq`")
  }

  private mutating func sequence(_ event: YAMLEvent, depth: Int) throws(Fatal) -> Composed {
    let place = span(event)
    try charge(1, 0, at: place)
    checkCollectionTag(event, .sequence)
    var result = Composed(node: Node(.invalid, span: place))
    var elements: [Node] = []
    while true {
      let inner = try next()
      if case .sequenceEnd = inner.kind {
        result.node = Node(.sequence(elements), span: span(event.start, inner.end))
        return result
      }
      let element = try compose(inner, depth: depth + 1)
      elements.append(element.node)
      result.add(element)
    }
  }

  private mutating func mapping(_ event: YAMLEvent, depth: Int) throws(Fatal) -> Composed {
    let place = span(event)
    try charge(1, 0, at: place)
    checkCollectionTag(event, .map)
    var result = Composed(node: Node(.invalid, span: place))
    var entries: [MappingEntry] = []
    var seen = KeyPlaces()
    var merges: [Node] = []
    while true {
      let keyEvent = try next()
      if case .mappingEnd = keyEvent.kind {
        try merge(merges, into: &entries, seen: seen, &result)
        result.node = Node(.mapping(entries), span: span(event.start, keyEvent.end))
        return result
      }
      let key = try compose(keyEvent, depth: depth + 1)
      let value = try compose(try next(), depth: depth + 1)
      result.add(key)
      result.add(value)
      guard let keyText = key.node.scalar?.text else {
        if !key.node.isInvalid {
          collector.error(
            .complexKey, "a key must be a single word or string, found \(key.node.found)",
            at: span(keyEvent), label: "not a plain key",
            help: "write `key: value`; a `{` or `[` in a string needs quotes")
        }
        continue
      }
      let keyPlace = span(keyEvent)
      if let first = seen.record(UTF8Key(keyText), at: keyPlace) {
        collector.error(
          .duplicateKey, "the key `\(keyText)` is written twice", at: keyPlace,
          label: "written again here", notes: [.init("first written here", at: first)],
          help: "remove one of them")
        continue
      }
      if isMergeKey(keyEvent) {
        merges.append(value.node)
      } else {
        entries.append(MappingEntry(key: keyText, keySpan: keyPlace, value: value.node))
      }
    }
  }

  private func isMergeKey(_ event: YAMLEvent) -> Bool {
    if case .scalar("<<", .plain) = event.kind, event.tag == nil { true } else { false }
  }

  /// What is written beats what is merged; an earlier merged mapping beats a later one.
  private mutating func merge(
    _ merges: [Node], into entries: inout [MappingEntry], seen: KeyPlaces, _ cost: inout Composed
  ) throws(Fatal) {
    guard !merges.isEmpty else { return }
    var seen = Set(seen.keys)
    for merge in merges {
      for source in merge.elements ?? [merge] {
        guard let more = source.entries else {
          if !source.isInvalid {
            collector.error(
              .wrongMerge, "`<<` takes a mapping or a list of mappings, found \(source.found)",
              at: source.span, label: "not a mapping", help: "name an anchored mapping: `<<: *name`")
          }
          continue
        }
        for entry in more where seen.insert(UTF8Key(entry.key)).inserted {
          let nodes = entry.value.count + 1
          try charge(nodes, entry.key.utf8.count, at: merge.span)
          cost.nodes += nodes
          entries.append(entry)
        }
      }
    }
  }
}

/// Where each key of a mapping was first written.
private struct KeyPlaces {
  private var places: [(key: UTF8Key, span: SourceSpan)] = []
  private var index: [UTF8Key: Int] = [:]

  var keys: [UTF8Key] { places.map(\.key) }

  /// Where the key was written before; nil when it is new, which is noted.
  mutating func record(_ key: UTF8Key, at span: SourceSpan) -> SourceSpan? {
    // Most mappings are small, and a dictionary costs more than to look through them.
    if places.count < 8 {
      if let first = places.first(where: { $0.key == key }) { return first.span }
    } else {
      if index.isEmpty { for (place, entry) in places.enumerated() { index[entry.key] = place } }
      if let first = index[key] { return places[first].span }
      index[key] = places.count
    }
    places.append((key, span))
    return nil
  }
}

extension Composer.Composed {
  fileprivate mutating func add(_ child: Composer.Composed) {
    nodes += child.nodes
    bytes += child.bytes
    height = max(height, child.height + 1)
  }
}

/// The tags of the core schema.
private enum Tag: Equatable {
  case none, nonSpecific, string, int, float, bool, null, map, sequence
  case unknown(String)

  static let prefix = "tag:yaml.org,2002:"

  init(_ tag: String?) {
    switch tag {
    case nil, "": self = .none
    case "!": self = .nonSpecific
    case Self.prefix + "str": self = .string
    case Self.prefix + "int": self = .int
    case Self.prefix + "float": self = .float
    case Self.prefix + "bool": self = .bool
    case Self.prefix + "null": self = .null
    case Self.prefix + "map": self = .map
    case Self.prefix + "seq": self = .sequence
    case .some(let tag): self = .unknown(tag)
    }
  }

  static func short(_ tag: String) -> String {
    tag.hasPrefix(prefix) ? "!!" + tag.dropFirst(prefix.count) : tag
  }
}
