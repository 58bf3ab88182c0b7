// `configs:` of a data set's README: which of its files belong to which configuration and split.

import JSON
import System

/// What the YAML at the top of a README (`README.md`) says under `configs:`. All else there is not looked at.
///
/// Source: `MetadataConfigs` of `datasets/utils/metadata.py` and `sanitize_patterns` of `datasets/data_files.py`.
/// Deviation: of what a configuration says beside its name and files nothing is read, such as the `sep` of a CSV file.
package struct HubConfigurations: Sendable {
  struct Configuration: Sendable {
    var name: String
    var isDefault: Bool
    /// The folder that its files lie in; empty where it names none.
    var folder = ""
    /// Names and patterns of files by split; empty where the names of files tell.
    var splits: [(name: String, patterns: [String])] = []
  }

  /// In the order of the README.
  let configurations: [Configuration]

  static let file = "README.md"
  /// Of a README: more is not read, and the YAML at its top has to end before.
  static let mostBytes = 4 << 20
  private static let most = 10_000
  /// Of a pattern with a name.
  private static let mostMatches = 500_000

  /// Nil where the README names no configurations, or names them wrongly, which was reported.
  init?(readme file: SourceFile, _ collector: DiagnosticCollector) {
    let block: Range<Int>
    switch Self.block(of: file.bytes) {
    case .found(let found): block = found
    case .none: return nil
    case .endless:
      if file.bytes.count >= Self.mostBytes {
        collector.error(
          .tooLarge, "the YAML at the top of `\(file.name)` has more than \(Self.mostBytes) bytes",
          at: SourceSpan(file: file, start: 0, end: 3), label: "has no end",
          help: "end it with a line `---`, or name files")
      }
      return nil
    }
    // The same places, with nothing but the block in them.
    var bytes = file.bytes
    for index in bytes.indices where !block.contains(index) && bytes[index] != 0x0A { bytes[index] = 0x20 }
    let blank = SourceFile(name: file.name, folder: file.folder, bytes: bytes)
    guard let root = Document.read(blank, collector)?.root, let list = root["configs"], !list.isNull
    else { return nil }
    guard let entries = list.elements, !entries.isEmpty, entries.count <= Self.most else {
      collector.wrongType(
        list, "`configs` of `\(file.name)`", expected: "a list of 1 to \(Self.most) configurations")
      return nil
    }
    var configurations: [Configuration] = []
    var seen: Set<UTF8Key> = []
    for entry in entries {
      guard let configuration = Self.configuration(entry, file.name, collector) else { return nil }
      guard seen.insert(UTF8Key(configuration.name)).inserted else {
        collector.error(
          .wrongValue, "`configs` of `\(file.name)` has the configuration `\(configuration.name)` twice",
          at: entry.span, label: "the second")
        return nil
      }
      configurations.append(configuration)
    }
    self.configurations = configurations
  }

  // MARK: reading

  private enum Block {
    case found(Range<Int>)
    case none
    /// YAML begins, and the file ends before it does.
    case endless
  }

  /// The bytes of the lines of `configs:` in the YAML between the first line, `---`, and the next `---`.
  private static func block(of bytes: [UInt8]) -> Block {
    var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var isFirst = true
    var found: Int?
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
      let line = bytes[start..<end]
      let isFence =
        line.starts(with: "---".utf8) && line.dropFirst(3).allSatisfy { $0 == 0x20 || $0 == 0x0D }
      if isFirst, !isFence { return .none }
      if !isFirst {
        // What belongs to a key is indented, or an entry of its list.
        let isBelow = line.first.map {
          [0x20, 0x09, 0x0D, UInt8(ascii: "-"), UInt8(ascii: "#")].contains($0)
        }
        if let first = found, isFence || isBelow == false { return .found(first..<start) }
        if isFence { return .none }
        if found == nil, line.starts(with: "configs:".utf8) { found = start }
      }
      isFirst = false
      start = end + 1
    }
    return isFirst ? .none : .endless
  }

  private static func configuration(_ node: Node, _ file: String, _ collector: DiagnosticCollector)
    -> Configuration?
  {
    let what = "a configuration of `\(file)`"
    guard node.entries != nil else {
      collector.wrongType(node, what, expected: "a mapping with `config_name` and `data_files`")
      return nil
    }
    guard let name = node["config_name"]?.scalar?.text, !name.isEmpty else {
      if let written = node["config_name"] {
        collector.wrongType(written, "`config_name` of `\(file)`", expected: "a text")
      } else {
        collector.missingKey("config_name", of: what, at: node.span, help: "give it a name")
      }
      return nil
    }
    var result = Configuration(name: name, isDefault: UTF8Key(name) == UTF8Key("default"))
    if let written = node["default"] {
      result.isDefault = result.isDefault || written.scalar?.value == .bool(true)
    }
    if let written = node["data_dir"], !written.isNull {
      guard let folder = written.scalar?.text else {
        collector.wrongType(written, "`data_dir` of `\(file)`", expected: "the name of a folder")
        return nil
      }
      result.folder = plain(folder)
    }
    if let written = node["data_files"], !written.isNull {
      guard let splits = splits(written, file, collector) else { return nil }
      result.splits = splits
    }
    return result
  }

  /// Without what names the same folder.
  private static func plain(_ path: String) -> String {
    path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
  }

  /// A pattern or a list of patterns, which are `train`; a list of `{split, path}`; or a mapping from splits to patterns.
  private static func splits(_ node: Node, _ file: String, _ collector: DiagnosticCollector)
    -> [(name: String, patterns: [String])]?
  {
    let what = "`data_files` of `\(file)`"
    func patterns(_ node: Node) -> [String]? {
      let texts = (node.elements ?? [node]).map { $0.scalar?.text }
      guard !texts.isEmpty, texts.allSatisfy({ $0?.isEmpty == false }) else {
        collector.wrongType(node, what, expected: "a pattern of file names, or a list of these")
        return nil
      }
      return texts.compactMap { $0.map(plain) }
    }
    var result: [(name: String, patterns: [String])] = []
    var seen: Set<UTF8Key> = []
    if let entries = node.entries {
      for entry in entries {
        guard let found = patterns(entry.value) else { return nil }
        result.append((entry.key, found))
      }
    } else if let elements = node.elements, elements.contains(where: { $0.entries != nil }) {
      for element in elements {
        guard let name = element["split"]?.scalar?.text, !name.isEmpty, let path = element["path"] else {
          collector.wrongType(element, "an entry of \(what)", expected: "`{split: NAME, path: PATTERN}`")
          return nil
        }
        guard let found = patterns(path) else { return nil }
        guard seen.insert(UTF8Key(name)).inserted else {
          collector.error(
            .wrongValue, "\(what) has the split `\(name)` twice", at: element.span, label: "the second",
            help: "name its files in one list")
          return nil
        }
        result.append((name, found))
      }
    } else {
      guard let found = patterns(node) else { return nil }
      result.append(("train", found))
    }
    guard !result.isEmpty else {
      collector.wrongType(node, what, expected: "at least one file")
      return nil
    }
    return result
  }

  // MARK: choosing

  /// Of the names below a folder those of a configuration and split, in the order in which they are read.
  ///
  /// Source: `get_default_config_name` of `datasets/utils/metadata.py`: the only configuration, or the one that is called `default` or
  /// says `default: true`.
  package func files(among names: [String], config: String?, split: String?) throws(HubLayout.Problem)
    -> [String]
  {
    let known = configurations.map(\.name)
    let chosen: Configuration
    if let config {
      guard let named = configurations.first(where: { UTF8Key($0.name) == UTF8Key(config) }) else {
        throw .unknownConfig(config, among: known)
      }
      chosen = named
    } else {
      let defaults = configurations.count == 1 ? configurations : configurations.filter(\.isDefault)
      guard defaults.count == 1 else { throw .configs(known) }
      chosen = defaults[0]
    }
    return try files(of: chosen, among: names, split: split)
  }

  private func files(of configuration: Configuration, among names: [String], split: String?)
    throws(HubLayout.Problem) -> [String]
  {
    let folder = configuration.folder.isEmpty ? "" : configuration.folder + "/"
    guard !configuration.splits.isEmpty else {
      let below = names.filter { $0.utf8.starts(with: folder.utf8) }
      guard !below.isEmpty else { throw .noMatch(configuration.folder, names: names) }
      return try HubLayout.files(
        among: below.map { String(decoding: $0.utf8.dropFirst(folder.utf8.count), as: UTF8.self) },
        split: split
      ).map { folder + $0 }
    }
    let splits = configuration.splits
    let patterns: [String]
    if let split {
      guard let named = splits.first(where: { UTF8Key($0.name) == UTF8Key(split) }) else {
        throw .unknownSplit(split, among: splits.map(\.name))
      }
      patterns = named.patterns
    } else {
      guard splits.count == 1 else { throw .splits(splits.map(\.name)) }
      patterns = splits[0].patterns
    }
    let all = Set(names.map(UTF8Key.init))
    let wholes = patterns.map { folder + $0 }
    let open = wholes.count { !all.contains(UTF8Key($0)) }
    guard open <= Self.mostMatches / max(1, names.count) else {
      throw .tooManyPatterns(open, files: names.count)
    }
    var seen: Set<UTF8Key> = []
    var files: [String] = []
    for whole in wholes {
      var found = [whole]
      if !all.contains(UTF8Key(whole)) {
        let pattern = FilePattern(whole)
        // What a pattern matches by the way, such as the README, is no data.
        found =
          FilePattern.isPattern(whole) ? names.filter { HubLayout.isData($0) && pattern.matches($0) } : []
      }
      guard !found.isEmpty else { throw .noMatch(whole, names: names) }
      files += found.filter { seen.insert(UTF8Key($0)).inserted }
    }
    try HubLayout.requireOneFormat(files)
    return files
  }
}

extension HubLayout {
  /// Of the names below a folder those that are read: by the configurations of its README where there are any, else by the names.
  static func files(
    among names: [String], _ configurations: HubConfigurations?, config: String?, split: String?
  ) throws(Problem) -> [String] {
    if let configurations {
      return try configurations.files(among: names, config: config, split: split)
    }
    if let config { throw .noConfigs(config) }
    return try files(among: names, split: split)
  }
}
