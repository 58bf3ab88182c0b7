// Which files of a folder are its data, and which of them belong to a split: by the rules of the Hugging Face hub.

import JSON

/// Of names alone, so that a folder here and a repository that is not here are read alike.
package struct HubLayout {
  package enum Problem: Error, Equatable {
    case noData(names: [String])
    case splits([String])
    case unknownSplit(String, among: [String])
    case filesOfNoSplit(split: String, example: String)
    case formats([String])
    /// A file or pattern that nothing fits.
    case noMatch(String, names: [String])
    /// A split of what is no folder.
    case nothingToChoose(String)
    /// Configurations of which none is the default.
    case configs([String])
    case unknownConfig(String, among: [String])
    /// A configuration where the README names none.
    case noConfigs(String)
    /// Of a split in a README.
    case tooManyPatterns(Int, files: Int)

    /// Follows the name of the folder: "which …".
    package var words: String {
      switch self {
      case .noData(let names):
        if names.isEmpty {
          "is empty"
        } else if let script = HubLayout.script(among: names) {
          "holds no data files, but a script that loads them from elsewhere: `\(script)`"
        } else {
          "holds no data files, but \(HubLayout.list(names))"
        }
      case .splits(let names): "has the splits \(HubLayout.list(names))"
      case .unknownSplit(let name, let names): "has no split `\(name)`, but \(HubLayout.list(names))"
      case .filesOfNoSplit(let split, let example):
        "has the split `\(split)` and files of no split, such as `\(example)`"
      case .formats(let endings): "has files of several formats: \(HubLayout.list(endings))"
      case .noMatch(let wanted, let names):
        names.isEmpty ? "is empty" : "has no file `\(wanted)`, but \(HubLayout.list(names))"
      case .nothingToChoose(let wanted): "is not asked for a folder: `split` chooses nothing of `\(wanted)`"
      case .configs(let names): "has the configurations \(HubLayout.list(names))"
      case .unknownConfig(let name, let names):
        "has no configuration `\(name)`, but \(HubLayout.list(names))"
      case .tooManyPatterns(let count, let files):
        "has \(count) patterns for one split in its README.md, and \(files) files that each may match"
      case .noConfigs(let name):
        "names no configurations in a README.md: `config` chooses nothing with `\(name)`"
      }
    }

    /// - Parameters:
    ///   - folder: how the folder is written.
    ///   - isCommand: whether a command names it, rather than an experiment.
    package func help(_ folder: String, isCommand: Bool = false) -> String {
      func option(_ name: String, _ value: String) -> String {
        isCommand ? "`--\(name) \(value)`" : "`\(name): \(value)`"
      }
      return switch self {
      case .noData(let names) where HubLayout.script(among: names) != nil:
        "scripts are not run; the hub keeps such a data set as Parquet in its branch `refs/convert/parquet`: name the commit of that"
      case .noData:
        "the names of data files end in \(HubLayout.list(HubLayout.formats.flatMap { $0 })); behind all but the first "
          + "\(HubLayout.list(HubLayout.compressions)) may stand"
      case .splits(let names): "add \(option("split", names[0])), or name files: `\(folder)/…`"
      case .unknownSplit(let name, let names):
        Suggestion.nearest(to: name, among: names).map { "did you mean `\($0)`?" }
          ?? "write one of them, or name files: `\(folder)/…`"
      case .filesOfNoSplit(let split, _): "add \(option("split", split)), or name files: `\(folder)/…`"
      case .formats(let endings): "name the files of one format: `\(folder)/**/*\(endings[0])`"
      case .noMatch(let wanted, let names):
        Suggestion.nearest(to: wanted, among: names).map { "did you mean `\($0)`?" }
          ?? "name a file, a folder or a pattern: `\(folder)/…`"
      case .nothingToChoose: "leave `split` out"
      case .configs(let names): "add \(option("config", names[0])), or name files: `\(folder)/…`"
      case .unknownConfig(let name, let names):
        Suggestion.nearest(to: name, among: names).map { "did you mean `\($0)`?" } ?? "write one of them"
      case .tooManyPatterns: "name a pattern: `\(folder)/…`"
      case .noConfigs: "leave `config` out"
      }
    }
  }

  /// How the names of data files end; those of one line are of one format.
  static let formats = [
    [".parquet"], [".jsonl", ".json", ".ndjson"], [".csv"], [".tsv"], [".txt"],
  ]

  /// What may follow such an ending, but Parquet's: the file is compressed as a whole.
  static let compressions = [".gz", ".zst"]

  /// Source: `FILES_TO_IGNORE` of `datasets/data_files.py`.
  private static let ignored = [
    "config.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json",
    // Of a model: where its folder is named by mistake, they are not read as data.
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "generation_config.json",
  ]

  /// Source: `SPLIT_KEYWORDS` of the same file.
  private static let keywords = [
    ("train", ["train", "training"]), ("validation", ["validation", "valid", "dev", "val"]),
    ("test", ["test", "testing", "eval", "evaluation"]),
  ]

  /// Of the names below a folder those that are read, in their order: all, or those of a split.
  ///
  /// Source: `_get_data_files_patterns` of `datasets/data_files.py`: files `data/SPLIT-00000-of-00001…`, else folders that are called
  /// after a split, else files that are, else all of them, which are `train`.
  /// Deviation: where the splits are not all that there is, one must be chosen. A `.txt` is a data file only where nothing else is.
  package static func files(among names: [String], split: String?) throws(Problem) -> [String] {
    var data = names.filter { format(of: $0) != nil && !isIgnored($0) }
    if let other = data.first(where: { format(of: $0) != formats.count - 1 }), !other.isEmpty {
      data.removeAll { format(of: $0) == formats.count - 1 }
    }
    guard !data.isEmpty else { throw .noData(names: names) }
    let splits = self.splits(of: data)
    let chosen: [String]
    if let split {
      guard let found = splits.first(where: { UTF8Key($0.name) == UTF8Key(split) }) else {
        throw .unknownSplit(split, among: splits.map(\.name))
      }
      chosen = found.files
    } else {
      guard splits.count == 1 else { throw .splits(splits.map(\.name)) }
      chosen = splits[0].files
      let isChosen = Set(chosen.map(UTF8Key.init))
      if let other = data.first(where: { !isChosen.contains(UTF8Key($0)) }) {
        throw .filesOfNoSplit(split: splits[0].name, example: other)
      }
    }
    try requireOneFormat(chosen)
    return chosen
  }

  static func requireOneFormat(_ files: [String]) throws(Problem) {
    let found = Set(files.compactMap(format)).sorted()
    guard found.count <= 1 else { throw .formats(found.map { formats[$0][0] }) }
  }

  static func isData(_ name: String) -> Bool { format(of: name) != nil && !isIgnored(name) }

  /// Of the names at the top a Python script, which is what older data sets are.
  private static func script(among names: [String]) -> String? {
    names.first { ends($0[...], ".py") && !$0.utf8.contains(UInt8(ascii: "/")) }
  }

  private static func splits(of data: [String]) -> [(name: String, files: [String])] {
    let digits = String(repeating: "[0-9]", count: 5)
    let sharded = FilePattern("data/*-\(digits)-of-\(digits)*.*")
    let shards = data.filter(sharded.matches)
    if !shards.isEmpty {
      var splits: [(name: String, files: [String])] = []
      for file in shards {
        let name = shardedSplit(file)
        if let index = splits.firstIndex(where: { UTF8Key($0.name) == UTF8Key(name) }) {
          splits[index].files.append(file)
        } else {
          splits.append((name, [file]))
        }
      }
      let usual = keywords.compactMap { word, _ in splits.first { UTF8Key($0.name) == UTF8Key(word) } }
      return usual + splits.filter { split in !keywords.contains { UTF8Key($0.0) == UTF8Key(split.name) } }
    }
    let paths = data.map { (name: $0, parts: FilePattern.parts(of: $0)) }
    let separator = "[-._ 0-9]"
    let forms: [(String) -> [String]] = [
      {
        [
          "**/\($0)/**", "**/\($0)\(separator)*/**", "**/*\(separator)\($0)/**",
          "**/*\(separator)\($0)\(separator)*/**",
        ]
      },
      { ["**/\($0)\(separator)*", "**/*\(separator)\($0)\(separator)*"] },
    ]
    for form in forms {
      let splits = keywords.compactMap { name, words -> (name: String, files: [String])? in
        let patterns = words.map { word in
          (word: Array(word.utf8), patterns: form(word).map(FilePattern.init))
        }
        let files = paths.filter { path in
          patterns.contains { word, patterns in
            // A pattern takes some hundred times as long as to look for its word.
            contains(path.name, word) && patterns.contains { $0.matches(path.parts) }
          }
        }.map(\.name)
        return files.isEmpty ? nil : (name, files)
      }
      if !splits.isEmpty { return splits }
    }
    return [(keywords[0].0, data)]
  }

  /// `data/train-00000-of-00001.parquet`: `train`.
  private static func shardedSplit(_ file: String) -> String {
    let name = Array(file.utf8.drop { $0 != UInt8(ascii: "/") }.dropFirst())
    let end = name.indices.first { index in
      name[index] == UInt8(ascii: "-") && name.count - index >= 16
        && name[(index + 1)..<(index + 6)].allSatisfy { (0x30...0x39).contains($0) }
        && name[(index + 6)..<(index + 10)].elementsEqual("-of-".utf8)
    }
    return String(decoding: name[..<(end ?? name.endIndex)], as: UTF8.self)
  }

  /// Position in `formats`.
  private static func format(of name: String) -> Int? {
    if let format = plainFormat(of: name[...]) { return format }
    guard let compression = compressions.first(where: { ends(name[...], $0) }) else { return nil }
    return plainFormat(of: name.dropLast(compression.count)).flatMap { $0 == 0 ? nil : $0 }
  }

  private static func plainFormat(of name: Substring) -> Int? {
    formats.firstIndex { $0.contains { name.utf8.count > $0.utf8.count && ends(name, $0) } }
  }

  private static func isIgnored(_ name: String) -> Bool {
    let parts = name.utf8.split(separator: UInt8(ascii: "/"))
    return ignored.contains { parts.last?.elementsEqual($0.utf8) == true }
      || parts.contains { $0.first == UInt8(ascii: ".") }
      || parts.dropLast().contains { $0.starts(with: "__".utf8) }
  }

  private static func contains(_ name: String, _ word: [UInt8]) -> Bool {
    var name = name
    return name.withUTF8 { name in
      name.count >= word.count
        && (0...(name.count - word.count)).contains { start in
          name[start] == word[0] && name[start..<(start + word.count)].elementsEqual(word)
        }
    }
  }

  private static func ends(_ name: Substring, _ ending: String) -> Bool {
    name.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8)
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(8).map { "`\($0)`" }.joined(separator: ", ")
    return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
  }
}
