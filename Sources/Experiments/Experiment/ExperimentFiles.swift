// `extends:` and `include:`: several files read as one experiment, in which each node keeps the place where it was written.

import JSON

struct ExperimentFiles {
  let collector: DiagnosticCollector
  let paths: ProjectPaths
  private let reader: SourceReader
  private let others = Others()

  /// Every file but the first, as it was read.
  private final class Others { var files: [(path: String, file: SourceFile)] = [] }
  var otherFiles: [(path: String, file: SourceFile)] { others.files }

  init(collector: DiagnosticCollector, paths: ProjectPaths, reader: @escaping SourceReader) {
    self.collector = collector
    self.paths = paths
    self.reader = reader
  }

  static let maximumChain = 64
  /// What an included file may bring.
  private static let included = ["models", "stages"]

  /// A file on the way from the experiment to what it is based on.
  private struct Link {
    var path: String
    var name: String
    /// Where it names the next file.
    var span: SourceSpan
  }

  /// The experiment with what it extends and includes; nil when a file cannot be made out.
  func read(_ file: SourceFile, path: String) -> Node? {
    guard let root = extended(file, path: path, chain: []) else { return nil }
    return withIncluded(root)
  }

  private func mapping(_ file: SourceFile, _ what: String) -> Node? {
    guard let document = Document.read(file, collector) else { return nil }
    guard document.root.entries != nil else {
      collector.error(
        .notAMapping, "\(what) must be a mapping, found \(document.root.found)",
        at: document.root.span, label: "expected `key: value` lines")
      return nil
    }
    return document.root
  }

  // MARK: extends

  private func extended(_ file: SourceFile, path: String, chain: [Link]) -> Node? {
    guard var root = mapping(file, "an experiment") else { return nil }
    guard let node = root.removeValue(of: "extends"), !node.isNull else { return root }
    guard let (name, next) = other(node, "`extends`") else { return nil }
    let chain = chain + [Link(path: path, name: file.name, span: node.span)]
    if let start = chain.firstIndex(where: { $0.path == next }) {
      let names = (chain[start...].map(\.name) + [chain[start].name]).map { "`\($0)`" }
      collector.error(
        .extendsCycle,
        names.count == 2
          ? "\(names[0]) extends itself" : "files extend each other: \(names.joined(separator: " -> "))",
        at: node.span, label: "closes the cycle",
        notes: chain[start...].dropLast().map { .init("`\($0.name)` extends the next one here", at: $0.span) }
      )
      return nil
    }
    guard chain.count < Self.maximumChain else {
      collector.error(
        .tooDeep, "more than \(Self.maximumChain) files extend each other", at: node.span,
        label: "the limit is passed here")
      return nil
    }
    guard let base = source(next, named: name, node).flatMap({ extended($0, path: next, chain: chain) })
    else {
      return nil
    }
    return base.overridden(by: root)
  }

  // MARK: include

  private func withIncluded(_ root: Node) -> Node? {
    var root = root
    guard let node = root.removeValue(of: "include"), !node.isNull else { return root }
    var brought: [String: [MappingEntry]] = [:]
    for element in node.elements ?? [node] {
      guard let (name, path) = other(element, "`include`"), let file = source(path, named: name, element),
        let content = mapping(file, "an included file"),
        let fields = collector.fields(
          content, of: "an included file", known: Self.included,
          help: "to use a file with other keys, extend it: `extends: \(name)`")
      else { return nil }
      for key in Self.included {
        guard let node = fields[key], !node.isNull else { continue }
        if let entries = node.entries {
          brought[key, default: []] += entries
        } else {
          collector.wrongType(node, "`\(key)` of an included file", expected: "a mapping")
        }
      }
    }
    for key in Self.included {
      guard let entries = brought[key] else { continue }
      let own = root[key]
      // What is not a mapping is reported by whoever reads it.
      if own?.isNull == false, own?.entries == nil { continue }
      let together = united(entries, own?.entries ?? [], key == "models" ? "a model" : "a stage")
      root.setValue(Node(.mapping(together), span: own?.span ?? node.span), of: key, keySpan: node.span)
    }
    return root
  }

  /// A name is written once, in whichever file.
  private func united(_ first: [MappingEntry], _ second: [MappingEntry], _ kind: String) -> [MappingEntry] {
    var seen: [UTF8Key: SourceSpan] = [:]
    return (first + second).filter { entry in
      guard let place = seen[UTF8Key(entry.key)] else {
        seen[UTF8Key(entry.key)] = entry.keySpan
        return true
      }
      collector.error(
        .duplicateName, "\(kind) called `\(entry.key)` is in two files", at: entry.keySpan,
        label: "written again here", notes: [.init("first written here", at: place)],
        help: "rename one of them; to change parts of a file, extend it instead: `extends: …`")
      return false
    }
  }

  // MARK: files

  /// Another file by its path in a text: the name by which people know it, and its absolute path.
  private func other(_ node: Node, _ what: String) -> (name: String, path: String)? {
    guard let text = collector.string(node, what),
      let found = collector.existingPath(text, node, what, paths)
    else { return nil }
    if let kind = found.kind.irregularWords {
      collector.error(
        .notAFile, "\(what) must name a file, `\(text)` is \(kind)", at: node.span, label: kind)
      return nil
    }
    return (Self.name(of: text, seenFrom: node.span.file.name), found.path)
  }

  private func source(_ path: String, named name: String, _ node: Node) -> SourceFile? {
    do {
      let file = try reader(path)
      let named = SourceFile(name: name, folder: file.folder, bytes: file.bytes)
      others.files.append((path, named))
      return named
    } catch {
      for diagnostic in error.diagnostics { collector.add(diagnostic) }
      return nil
    }
  }

  /// `experiments/base.yaml` for `base.yaml` in `experiments/quark.yaml`.
  private static func name(of path: String, seenFrom file: String) -> String {
    let folder = file.utf8.lastIndex(of: 0x2F).map { String(file[...$0]) } ?? ""
    let joined = path.utf8.first == 0x2F ? path : folder + path
    var parts: [Substring] = []
    for part in joined.split(separator: "/") where part != "." {
      if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
    }
    return (joined.utf8.first == 0x2F ? "/" : "") + parts.joined(separator: "/")
  }
}

extension Node {
  /// Takes an entry out of a mapping.
  mutating func removeValue(of key: String) -> Node? {
    guard var entries, let index = entries.firstIndex(where: { UTF8Key($0.key) == UTF8Key(key) }) else {
      return nil
    }
    let value = entries.remove(at: index).value
    content = .mapping(entries)
    return value
  }

  mutating func setValue(_ value: Node, of key: String, keySpan: SourceSpan) {
    guard var entries else { return }
    if let index = entries.firstIndex(where: { UTF8Key($0.key) == UTF8Key(key) }) {
      entries[index].value = value
    } else {
      entries.append(MappingEntry(key: key, keySpan: keySpan, value: value))
    }
    content = .mapping(entries)
  }

  /// Mappings merge key by key, whatever their depth; anything else replaces; null takes away what is there.
  /// The order is that of `self`, what is new comes after.
  func overridden(by other: Node) -> Node {
    guard var entries, let others = other.entries else { return other }
    var positions: [UTF8Key: Int] = [:]
    for (index, entry) in entries.enumerated() { positions[UTF8Key(entry.key)] = index }
    var removed: Set<Int> = []
    for entry in others {
      guard let index = positions[UTF8Key(entry.key)] else {
        entries.append(entry)
        continue
      }
      if entry.value.isNull, !entries[index].value.isNull {
        removed.insert(index)
        continue
      }
      // A stage that is changed in part still stands where it was declared.
      if entries[index].value.entries == nil || entry.value.entries == nil {
        entries[index].keySpan = entry.keySpan
      }
      entries[index].value = entries[index].value.overridden(by: entry.value)
    }
    var result = self
    result.content = .mapping(entries.enumerated().filter { !removed.contains($0.offset) }.map(\.element))
    return result
  }
}
