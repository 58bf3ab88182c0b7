// Options under `with:`, read against what the plug-in declares.

import Glibc
import JSON
import System

struct OptionDecoder {
  let collector: DiagnosticCollector
  let paths: ProjectPaths
  let standards: OptionStandards
  private(set) var files: [OptionFiles] = []
  private(set) var secrets: [(option: String, name: String)] = []
  /// Where values were written.
  private(set) var origins: [(option: String, span: SourceSpan)] = []
  /// Options whose default `compat` chose.
  private var chosen: [(option: String, span: SourceSpan)] = []
  private(set) var isComplete = true
  /// Names of the stage's inputs.
  private var ports: [String] = []
  /// The mapping whose entries are decoded.
  private var mapping: Node?

  init(_ collector: DiagnosticCollector, _ paths: ProjectPaths, _ standards: OptionStandards) {
    self.collector = collector
    self.paths = paths
    self.standards = standards
  }

  /// All options of a stage. `node` is nil when there is no `with:`; `span` is where the stage's name stands.
  mutating func decode(
    _ node: Node?, _ fields: [OptionField], ports: [String], of stage: String, at span: SourceSpan
  ) -> DecodedOptions {
    self.ports = ports
    var json = JSON.object(JSONObject())
    if let node, !node.isNull {
      if let found = object(node, fields, path: "", what: "`with` of `\(stage)`", kind: nil) {
        json = found
      } else {
        isComplete = false
      }
    } else {
      json = complete(JSONObject(), fields, path: "", what: "stage `\(stage)`", at: span)
    }
    return DecodedOptions(
      json: json, files: files, secrets: secrets, written: origins, chosen: chosen,
      isComplete: isComplete && secrets.isEmpty)
  }

  private func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  private mutating func object(
    _ node: Node, _ fields: [OptionField], path: String, what: String, kind: String?
  ) -> JSON? {
    guard let entries = node.entries else {
      collector.wrongType(node, what, expected: "a mapping")
      return nil
    }
    let meant = MisplacedOption(
      fields: fields, names: (kind == nil ? [] : ["kind"]) + fields.map(\.name),
      ports: path.isEmpty ? ports : nil)
    var members = JSONObject()
    if let kind { members["kind"] = .string(kind) }
    let outer = mapping
    mapping = node
    defer { mapping = outer }
    for entry in entries {
      if kind != nil, UTF8Key(entry.key) == UTF8Key("kind") { continue }
      guard let field = fields.first(where: { UTF8Key($0.name) == UTF8Key(entry.key) }) else {
        isComplete = false
        let (option, help) = meant.meaning(of: entry.key)
        if let option { collector.recordMisspelt(as: option, of: what) }
        collector.error(
          .unknownKey, "\(what) has no option called `\(entry.key)`", at: entry.keySpan,
          label: "unknown option", notes: collector.originNotes(node), help: help)
        continue
      }
      if let longer = meant.longer(than: field, for: entry.value) {
        isComplete = false
        collector.wrongType(
          entry.value, "`\(join(path, field.name))`", expected: Self.words(field.type),
          help: "did you mean `\(longer)`?")
        collector.recordMisspelt(as: longer, of: what)
        members[field.name] = .null
        continue
      }
      let inner = join(path, field.name)
      // A wrong value has been reported; null keeps it from being reported as missing too.
      let value = decode(entry.value, field.type, path: inner, what: "`\(inner)`")
      if value == nil { isComplete = false }
      members[field.name] = value ?? .null
    }
    // It has done its work: which files they are says all, and a key holds their content.
    for case .files(let split, let config) in fields.map(\.type) {
      for name in [split, config] { members[name] = nil }
    }
    return complete(members, fields, path: path, what: what, at: node.span)
  }

  /// Fills defaults in, in the order of the declaration, and reports what is missing.
  private mutating func complete(
    _ members: JSONObject, _ fields: [OptionField], path: String, what: String, at span: SourceSpan
  ) -> JSON {
    var result = JSONObject()
    result["kind"] = members["kind"]
    for field in fields {
      if let value = members[field.name] {
        if !field.isLeftOut(value) { result[field.name] = value }
        continue
      }
      if let standard = standards.value(of: field) {
        if !field.isLeftOut(standard) { result[field.name] = standard }
        noteCompatibility(standard, of: field, at: join(path, field.name))
        continue
      }
      isComplete = false
      if !collector.isMisspelt(field.name, of: what) {
        collector.error(
          .missingKey, "\(what) lacks the option `\(field.name)`", at: span,
          label: "`\(field.name)` is missing", help: "`\(field.name)`: \(field.summary)")
      }
    }
    return .object(result)
  }

  /// A default that `compat` chose has its place there.
  private mutating func noteCompatibility(_ standard: JSON, of field: OptionField, at path: String) {
    guard let span = standards.span else { return }
    let declared = OptionStandards().value(of: field)
    chosen += OptionStandards.differences(standard, from: declared, at: path).map { ($0, span) }
  }

  private mutating func decode(_ node: Node, _ type: OptionType, path: String, what: String) -> JSON? {
    if node.isInvalid { return nil }
    if isEnvironment(node, type) { return secret(node, type, path: path, what: what) }
    switch type {
    case .object, .variant, .list, .mapping, .either, .optional: break
    default: origins.append((path, node.origin ?? node.span))
    }
    switch type {
    case .bool: return collector.bool(node, what).map { .bool($0) }
    case .integer(let range): return collector.integer(node, what, range).map { .int(Int64($0)) }
    case .number(let range, let exclusiveMinimum, let single):
      return collector.number(node, what, range, exclusiveMinimum: exclusiveMinimum, single: single)
        .map { .double($0) }
    case .string: return collector.string(node, what).map { .string($0) }
    case .choice(let words): return collector.choice(node, what, words).map { .string($0) }
    case .file: return file(node, path: path, what: what)
    case .files(let split, let config):
      let decoder = FilesDecoder(
        collector: collector, paths: paths, what: what, split: mapping?[split], config: mapping?[config])
      guard let found = decoder.decode(node).map({ OptionFiles(path, $0) }) else { return nil }
      files.append(found)
      return found.json()
    case .list(let element, let count):
      guard let nodes = node.elements else {
        collector.wrongType(node, what, expected: "a list")
        return nil
      }
      guard check(nodes.count, count, "elements", node, what) else { return nil }
      var values: [JSON] = []
      for (index, node) in nodes.enumerated() {
        let inner = join(path, String(index))
        guard let value = decode(node, element, path: inner, what: "`\(inner)`") else { continue }
        values.append(value)
      }
      return values.count == nodes.count ? .array(values) : nil
    case .mapping(let element, let count):
      return mapping(node, element, count: count, path: path, what: what)
    case .object(let fields): return object(node, fields, path: path, what: what, kind: nil)
    case .variant(let variants): return variant(node, variants, path: path, what: what)
    case .optional(let inner):
      if node.isNull {
        origins.append((path, node.origin ?? node.span))
        return .null
      }
      return decode(node, inner, path: path, what: what)
    case .either(let alternatives): return either(node, alternatives, path: path, what: what)
    }
  }

  private mutating func mapping(
    _ node: Node, _ element: OptionType, count: ClosedRange<Int>, path: String, what: String
  ) -> JSON? {
    guard let entries = node.entries else {
      collector.wrongType(node, what, expected: "a mapping")
      return nil
    }
    guard check(entries.count, count, "entries", node, what) else { return nil }
    var members: [JSONObject.Member] = []
    for entry in entries {
      guard !entry.key.isEmpty else {
        collector.error(
          .badName, "\(what) has an entry without a name", at: entry.keySpan, label: "an empty name",
          notes: collector.originNotes(node))
        continue
      }
      let inner = join(path, entry.key)
      guard let value = decode(entry.value, element, path: inner, what: "`\(inner)`") else { continue }
      members.append((entry.key, value))
    }
    return members.count == entries.count ? .object(JSONObject(members)) : nil
  }

  /// Whether a list or a mapping is of a length that it may have.
  private func check(_ found: Int, _ count: ClosedRange<Int>, _ unit: String, _ node: Node, _ what: String)
    -> Bool
  {
    if count.contains(found) { return true }
    collector.error(
      .outOfRange, "\(what) has \(found) \(unit)", at: node.span,
      label: "expected \(Self.lengthWords(count)) \(unit)", notes: collector.originNotes(node))
    return false
  }

  private static func lengthWords(_ count: ClosedRange<Int>) -> String {
    if count.lowerBound == count.upperBound { return "exactly \(count.lowerBound)" }
    if count.upperBound == .max { return "at least \(count.lowerBound)" }
    return "\(count.lowerBound) to \(count.upperBound)"
  }

  private mutating func variant(_ node: Node, _ variants: [OptionVariant], path: String, what: String)
    -> JSON?
  {
    let kinds = variants.map(\.kind)
    guard node.entries != nil else {
      collector.wrongType(
        node, what, expected: "a mapping with the key `kind`",
        help: kinds.first.map { "for example `{kind: \($0)}`" })
      return nil
    }
    guard let kindNode = node["kind"] else {
      collector.missingKey("kind", of: what, at: node.span, help: "one of \(DiagnosticCollector.list(kinds))")
      return nil
    }
    guard !kindNode.isInvalid, let kind = collector.choice(kindNode, "`\(join(path, "kind"))`", kinds),
      let variant = variants.first(where: { UTF8Key($0.kind) == UTF8Key(kind) })
    else { return nil }
    origins.append((join(path, "kind"), kindNode.origin ?? kindNode.span))
    return object(node, variant.fields, path: path, what: "\(what) of kind `\(kind)`", kind: kind)
  }

  /// The first alternative that fits. When none does, the one of the node's shape says what is wrong.
  private mutating func either(_ node: Node, _ alternatives: [OptionType], path: String, what: String)
    -> JSON?
  {
    var nearest: [DiagnosticCollector] = []
    for alternative in alternatives {
      let trial = DiagnosticCollector()
      var decoder = OptionDecoder(trial, paths, standards)
      decoder.mapping = mapping
      let value = decoder.decode(node, alternative, path: path, what: what)
      if let value, !trial.list.hasErrors {
        files += decoder.files
        secrets += decoder.secrets
        origins += decoder.origins
        chosen += decoder.chosen
        isComplete = isComplete && decoder.isComplete
        return value
      }
      if Self.hasShape(node, of: alternative) { nearest.append(trial) }
    }
    if nearest.count == 1 {
      for diagnostic in nearest[0].diagnostics { collector.add(diagnostic) }
    } else {
      collector.wrongType(node, what, expected: alternatives.map(Self.words).joined(separator: ", or "))
    }
    return nil
  }

  static func hasShape(_ node: Node, of type: OptionType) -> Bool {
    switch (node.content, type) {
    case (_, .optional(let inner)): hasShape(node, of: inner)
    case (_, .either(let types)): types.contains { hasShape(node, of: $0) }
    case (.mapping, .object), (.mapping, .mapping), (.mapping, .variant), (.sequence, .list): true
    case (.scalar(let scalar), .integer), (.scalar(let scalar), .number):
      switch scalar.value {
      case .int, .double: true
      default: false
      }
    case (.sequence, .files), (.mapping, .files): true
    case (.scalar(let scalar), .choice), (.scalar(let scalar), .string), (.scalar(let scalar), .file),
      (.scalar(let scalar), .files):
      if case .string = scalar.value { true } else { false }
    case (.scalar(let scalar), .bool): if case .bool = scalar.value { true } else { false }
    default: false
    }
  }

  static func words(_ type: OptionType) -> String {
    switch type {
    case .bool: "`true` or `false`"
    case .integer(let range): "an integer \(DiagnosticCollector.words(range))"
    case .number(let range, let exclusive, _): "a number \(DiagnosticCollector.words(range, exclusive))"
    case .string: "a string"
    case .choice(let words): DiagnosticCollector.list(words)
    case .file: "the path of a file"
    case .files: "a file, a pattern, a folder, a data set of a hub, or a list of these"
    case .list: "a list"
    case .mapping: "a mapping"
    case .object(let fields): "a mapping with \(DiagnosticCollector.list(fields.map(\.name)))"
    case .variant: "a mapping with the key `kind`"
    case .optional(let inner): "null or \(words(inner))"
    case .either(let types): types.map(words).joined(separator: ", or ")
    }
  }

  private func isEnvironment(_ node: Node, _ type: OptionType) -> Bool {
    guard let entries = node.entries, entries.count == 1, entries[0].key == "env" else { return false }
    switch type {
    case .object(let fields): return !fields.contains { $0.name == "env" }
    case .mapping: return false
    case .either(let types): return types.allSatisfy { isEnvironment(node, $0) }
    case .optional(let inner): return isEnvironment(node, inner)
    default: return true
    }
  }

  /// `{env: NAME}`: decodes to itself, since only the name may be kept; the stage reads the value when it runs.
  private mutating func secret(_ node: Node, _ type: OptionType, path: String, what: String) -> JSON? {
    guard let variable = node["env"], Self.isText(type) else {
      collector.wrongType(
        node, what, expected: Self.words(type),
        help: "`{env: NAME}` is a string, and allowed only where a string is")
      return nil
    }
    guard let name = collector.variableName(variable, of: what, at: node) else { return nil }
    secrets.append((path, name))
    origins.append((path, node.origin ?? node.span))
    return .object(JSONObject([("env", .string(name))]))
  }

  private static func isText(_ type: OptionType) -> Bool {
    switch type {
    case .string: true
    case .optional(let inner): isText(inner)
    case .either(let types): types.contains { isText($0) }
    default: false
    }
  }

  private mutating func file(_ node: Node, path: String, what: String) -> JSON? {
    guard let text = collector.string(node, what) else { return nil }
    guard let found = collector.existingPath(text, node, what, paths) else { return nil }
    if let kind = found.kind.irregularWords {
      collector.error(
        .notAFile, "\(what) must name a file, `\(text)` is \(kind)", at: node.span, label: kind,
        notes: collector.originNotes(node))
      return nil
    }
    files.append(OptionFiles(path, [found.path]))
    return .string(found.path)
  }
}

extension DiagnosticCollector {
  /// A path that exists inside the project, or a diagnostic. Paths start where the text that wrote them lies.
  func existingPath(_ text: String, _ node: Node, _ what: String, _ paths: ProjectPaths)
    -> (path: String, kind: ProjectPaths.Kind)?
  {
    let folder = (node.origin ?? node.span).file.folder
    switch paths.resolve(text, from: folder) {
    case .success(let found): return found
    case .failure(.outside(let resolved)):
      outsideProject(text, node, what, resolved: resolved, paths)
    case .failure(.unreadable(let resolved, let reason)):
      error(
        .missingFile, "\(what) names `\(text)`, which cannot be read: \(reason)", at: node.span,
        label: "looked for `\(resolved)`", notes: originNotes(node),
        help: ProjectPaths.tildeHelp(text)
          ?? "a relative path is relative to the folder of the file that contains it"
      )
    }
    return nil
  }

  func outsideProject(_ text: String, _ node: Node, _ what: String, resolved: String, _ paths: ProjectPaths) {
    error(
      .outsideProject, "\(what) names `\(text)`, which lies outside the project", at: node.span,
      label: "is `\(resolved)`", notes: originNotes(node),
      help:
        "the project is `\(paths.root)`; move it there, or declare its folder: `inputs: [\(ProjectPaths.parent(resolved))]`"
    )
  }
}
