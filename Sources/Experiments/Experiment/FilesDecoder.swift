// An option that names data files: a file, a pattern, a folder, a data set of a hub, or a list of these.

import JSON
import System

struct FilesDecoder {
  let collector: DiagnosticCollector
  let paths: ProjectPaths
  /// As messages call the option: "`path`".
  let what: String
  /// The value of the option that chooses among the files of a folder, where it is written.
  let split: Node?
  /// The value of the option that chooses among the configurations of a README, where it is written.
  var config: Node?
  /// Whether a command names the files, rather than an experiment.
  var isCommand = false

  static let largest = 100_000

  /// In the order in which they are read: the entries of a list as they stand, and the files of each by their names' bytes. Nil when
  /// something is wrong, which was reported.
  func decode(_ node: Node) -> [OptionFiles.Part]? {
    var (splitName, configName): (String?, String?)
    if let split, !split.isNull {
      guard let name = collector.string(split, "`split`") else { return nil }
      splitName = name
    }
    if let config, !config.isNull {
      guard let name = collector.string(config, "`config`") else { return nil }
      configName = name
    }
    let entries = node.elements ?? [node]
    guard !entries.isEmpty else {
      collector.wrongType(node, what, expected: "at least one file")
      return nil
    }
    var found: [OptionFiles.Part] = []
    var hasFolder = false
    for entry in entries {
      if entry.entries != nil {
        guard let part = dataSet(entry, splitName, configName) else { return nil }
        if case .dataSet(let set, _) = part { hasFolder = hasFolder || set.mayBeFolder }
        found.append(part)
        continue
      }
      guard let text = collector.string(entry, what) else { return nil }
      guard !RemoteDataSet.isMeant(by: text) else { return needsDigest(text, entry) }
      switch paths.resolve(text, from: (entry.origin ?? entry.span).file.folder) {
      case .success((let path, .directory)):
        hasFolder = true
        guard let files = folder(path, text, entry, splitName, configName) else { return nil }
        found += files.map { .file($0) }
      case .failure(.unreadable) where FilePattern.isPattern(text):
        guard let files = pattern(text, entry) else { return nil }
        found += files.map { .file($0) }
      default:
        guard let path = file(text, entry) else { return nil }
        found.append(.file(path))
      }
    }
    for (name, written, value) in [("split", split, splitName), ("config", config, configName)] {
      guard let written, value != nil, !hasFolder else { continue }
      collector.error(
        .conflictingOptions, "`\(name)` chooses among the files of a folder, but \(what) names files",
        at: written.span,
        label: "chooses nothing", notes: collector.originNotes(written),
        help: "leave it out, or name the folder")
      return nil
    }
    return check(found, node) ? found : nil
  }

  /// `{hf: datasets/OWNER/NAME@REVISION, sha256: …}`
  private func dataSet(_ node: Node, _ split: String?, _ config: String?) -> OptionFiles.Part? {
    guard
      let fields = collector.fields(
        node, of: what, known: ["hf", "sha256"],
        aliases: [
          "name": "hf", "dataset": "hf", "repo": "hf", "repo_id": "hf", "path": "hf", "hash": "sha256",
        ])
    else { return nil }
    guard let source = fields["hf"] else {
      collector.missingKey(
        "hf", of: what, at: node.span, help: "`{hf: \(RemoteDataSet.form), sha256: …}`; a file here is a text"
      )
      return nil
    }
    guard let text = collector.string(source, "`hf` of \(what)") else { return nil }
    guard let set = RemoteDataSet(text, split: split, config: config) else {
      collector.wrongType(source, "`hf` of \(what)", expected: RemoteDataSet.form)
      return nil
    }
    guard let written = fields["sha256"] else { return needsDigest(set.text, node) }
    guard let digest = written.scalar.flatMap({ Digest(hex: $0.text.lowercased()) }) else {
      collector.wrongType(written, "`sha256` of \(what)", expected: "a SHA-256 of 64 hexadecimal digits")
      return nil
    }
    return .dataSet(set, digest)
  }

  private func needsDigest<Result>(_ text: String, _ node: Node) -> Result? {
    guard let set = RemoteDataSet(text) else {
      collector.wrongType(node, what, expected: "`\(RemoteDataSet.scheme)\(RemoteDataSet.form)`")
      return nil
    }
    let chooser = [("config", config), ("split", split)].compactMap { name, node in
      node.flatMap(\.string).map { " --\(name) \($0)" }
    }.joined()
    collector.missingKey(
      "sha256", of: what, at: node.span,
      help: "what is downloaded is checked against its SHA-256: `{hf: \(set.text), sha256: …}`; "
        + "`\(Program.name) inspect \(RemoteDataSet.scheme)\(set.text)\(chooser)` fetches it and prints the SHA-256"
    )
    return nil
  }

  private func file(_ text: String, _ node: Node) -> String? {
    guard let found = collector.existingPath(text, node, what, paths) else { return nil }
    guard let kind = found.kind.irregularWords else { return found.path }
    collector.error(
      .notAFile, "\(what) must name a file, `\(text)` is \(kind)", at: node.span, label: kind,
      notes: collector.originNotes(node))
    return nil
  }

  private func folder(_ path: String, _ text: String, _ node: Node, _ split: String?, _ config: String?)
    -> [String]?
  {
    guard let names = names(fitting: "**", below: path, text, node) else { return nil }
    let plain = text.utf8.last == UInt8(ascii: "/") ? String(text.dropLast()) : text
    let mistakes = collector.errorCount
    let configurations = configurations(of: path, plain, names)
    guard collector.errorCount == mistakes else { return nil }
    do {
      let files = try HubLayout.files(among: names, configurations, config: config, split: split)
      return regular(files, below: path, written: plain, node)
    } catch {
      let code: DiagnosticCode =
        switch error {
        case .noData: .notAFile
        case .splits, .filesOfNoSplit, .configs: .missingKey
        case .unknownSplit, .unknownConfig: .unknownChoice
        case .formats: .wrongValue
        case .tooManyPatterns: .tooLarge
        case .noMatch: .missingFile
        case .nothingToChoose, .noConfigs: .conflictingOptions
        }
      let at =
        switch error {
        case .unknownSplit: self.split ?? node
        case .unknownConfig, .noConfigs: self.config ?? node
        default: node
        }
      collector.error(
        code, "\(what) names the folder `\(plain)`, which \(error.words)", at: at.span,
        notes: collector.originNotes(at),
        help: error.help(plain, isCommand: isCommand))
      return nil
    }
  }

  /// What the README of a folder says, where it has one; mistakes in it are reported.
  private func configurations(of folder: String, _ written: String, _ names: [String]) -> HubConfigurations? {
    let name = HubConfigurations.file
    guard names.contains(where: { UTF8Key($0) == UTF8Key(name) }),
      case .success((let path, .file)) = paths.resolve("\(folder)/\(name)", from: folder),
      let bytes = try? File.readUserFile(path, upTo: HubConfigurations.mostBytes)
    else { return nil }
    return HubConfigurations(
      readme: SourceFile(name: "\(written)/\(name)", folder: folder, bytes: bytes), collector)
  }

  private func pattern(_ text: String, _ node: Node) -> [String]? {
    // The folder that all that fits lies in.
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let first = parts.firstIndex { FilePattern.isPattern(String($0)) } ?? parts.endIndex
    let base = parts[..<first].joined(separator: "/")
    let written = first == 0 ? "." : base.isEmpty ? "/" : base
    let rest = parts[first...].joined(separator: "/")
    guard !parts[first...].contains("..") else {
      collector.error(
        .wrongValue, "\(what) names `\(text)`, in which `..` stands after a pattern", at: node.span,
        label: "leads upwards",
        notes: collector.originNotes(node), help: "begin with the folder that the files lie in")
      return nil
    }
    guard
      case .success((let folder, .directory)) = paths.resolve(
        written, from: (node.origin ?? node.span).file.folder)
    else {
      return noMatch(text, node, lookedIn: written)
    }
    guard let names = names(fitting: rest, below: folder, text, node) else { return nil }
    guard !names.isEmpty else { return noMatch(text, node, lookedIn: folder) }
    return regular(names, below: folder, written: first == 0 ? "" : base, node)
  }

  private func noMatch(_ text: String, _ node: Node, lookedIn folder: String) -> [String]? {
    collector.error(
      .missingFile, "\(what) names `\(text)`, which matches no file", at: node.span,
      label: "looked in `\(folder)`",
      notes: collector.originNotes(node),
      help:
        "`*`, `?` and `[…]` match within a name, `**` any number of folders; hidden names are matched only by a dot"
    )
    return nil
  }

  private func names(fitting pattern: String, below folder: String, _ text: String, _ node: Node) -> [String]?
  {
    do {
      return try FileSearch.names(fitting: FilePattern(pattern), below: folder)
    } catch {
      switch error {
      case .folder(let name):
        collector.error(
          .notAFile, "\(what) names `\(text)`, which matches the folder `\(name)`", at: node.span,
          label: "a directory", notes: collector.originNotes(node),
          help: "match files by their ending, as `*.jsonl`; `**` is any number of folders")
      case .tooLarge:
        collector.error(
          .tooLarge,
          "\(what) names `\(text)`: there are more than \(FileSearch.largest) files and folders in `\(folder)`",
          at: node.span, label: "too many to look at", notes: collector.originNotes(node),
          help: "name a folder further below")
      case .tooDeep(let name):
        collector.error(
          .tooDeep, "\(what) names `\(text)`, and `\(name)` is more than \(FileSearch.deepest) folders deep",
          at: node.span,
          notes: collector.originNotes(node),
          help: "check for a symbolic link that leads to a folder above it")
      case .unreadable(let name, let reason):
        collector.error(
          .missingFile,
          "\(what) names `\(text)`, but `\(name.isEmpty ? folder : name)` cannot be read: \(reason)",
          at: node.span, notes: collector.originNotes(node))
      }
      return nil
    }
  }

  /// Of names below a folder their paths, when each is a file that may be read. A link keeps its own name.
  private func regular(_ names: [String], below folder: String, written: String, _ node: Node) -> [String]? {
    guard names.count <= Self.largest else {
      collector.error(
        .tooLarge, "\(what) names \(names.count) files", at: node.span,
        label: "expected at most \(Self.largest)",
        notes: collector.originNotes(node), help: "put them together into fewer")
      return nil
    }
    for name in names {
      let text = written.isEmpty ? name : "\(written)/\(name)"
      switch paths.resolve("\(folder)/\(name)", from: folder) {
      case .success(let found):
        guard let kind = found.kind.irregularWords else { continue }
        collector.error(
          .notAFile, "\(what) must name files, `\(text)` is \(kind)", at: node.span, label: kind,
          notes: collector.originNotes(node))
      case .failure(.outside(let resolved)):
        collector.outsideProject(text, node, what, resolved: resolved, paths)
      case .failure(.unreadable(let resolved, let reason)):
        collector.error(
          .missingFile, "\(what) names `\(text)`, which cannot be read: \(reason)", at: node.span,
          label: "looked for `\(resolved)`", notes: collector.originNotes(node))
      }
      return nil
    }
    return names.map { "\(folder)/\($0)" }
  }

  /// A file that is read twice would give each row twice.
  private func check(_ found: [OptionFiles.Part], _ node: Node) -> Bool {
    guard found.count > 1 else { return true }
    var seen: Set<UTF8Key> = []
    for case .file(let path) in found where !seen.insert(UTF8Key(Path.real(path) ?? path)).inserted {
      collector.error(
        .wrongValue, "\(what) names `\(paths.relative(path))` twice", at: node.span,
        label: "one file is read once",
        notes: collector.originNotes(node), help: "leave one of the two out; a link is the file it leads to")
      return false
    }
    return true
  }
}
