// `cache push` and `pull` of runs: the results that they need, and their folders.

import JSON
import System

package enum RunTransfer {
  /// Keys of the results of these runs, and of those that made what they read from other experiments; each once.
  package static func keys(of runs: [RunSummary], in store: Store) throws -> [String] {
    var keys: [String] = []
    var seen: Set<String> = []
    for run in runs {
      for node in try RunNode.read(run.path) {
        if let key = node.key, seen.insert(key).inserted { keys.append(key) }
      }
    }
    var made: Set<String> = []
    for key in keys {
      for output in try store.unverifiedRecord(key)?.outputs ?? [] { made.insert(output.digest.hex) }
    }
    let makers = try makers(in: store)
    var index = 0
    while index < keys.count {
      let inputs =
        try store.unverifiedRecord(keys[index]).map { digests($0.preimage["inputs"] ?? .null) } ?? []
      for digest in inputs where !made.contains(digest) {
        for record in makers[digest] ?? [] where seen.insert(record.key).inserted {
          keys.append(record.key)
          for output in record.outputs { made.insert(output.digest.hex) }
        }
      }
      index += 1
    }
    return keys
  }

  /// By the digest of an output, the results that have it.
  private static func makers(in store: Store) throws -> [String: [NodeRecord]] {
    var makers: [String: [NodeRecord]] = [:]
    for key in try store.recordKeys() {
      guard let record = try store.unverifiedRecord(key) else { continue }
      for output in record.outputs { makers[output.digest.hex, default: []].append(record) }
    }
    return makers
  }

  /// Of what ports hold, as a key's preimage writes it.
  private static func digests(_ value: JSON) -> [String] {
    switch value {
    case .string(let text): Digest(hex: text) == nil ? [] : [text]
    case .array(let elements): elements.flatMap(digests)
    case .object(let object): object.members.flatMap { digests($0.value) }
    default: []
    }
  }

  /// All runs below a folder `runs`, in the order in which they began.
  package static func runs(below folder: String) throws -> [RunSummary] {
    var found: [RunSummary] = []
    for name in try File.names(in: folder)
    where FileStatus.of("\(folder)/\(name)")?.isDirectory == true {
      for id in try File.names(in: "\(folder)/\(name)") {
        if let run = try RunSummary(directory: "\(folder)/\(name)/\(id)") { found.append(run) }
      }
    }
    return found.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
  }

  /// These runs, and those that computed what these found computed: they have the logs.
  /// - Parameter all: in the order in which they began.
  package static func withHistory(_ runs: [RunSummary], among all: [RunSummary]) throws -> [RunSummary] {
    var wanted: Set<String> = []
    for run in runs {
      for node in try RunNode.read(run.path) where node.state == .cached {
        if let key = node.key { wanted.insert(key) }
      }
    }
    var chosen = Set(runs.map { UTF8Key($0.path) })
    for run in all.reversed() where !wanted.isEmpty && !chosen.contains(UTF8Key(run.path)) {
      let computed = Set(try RunNode.read(run.path).filter { $0.state == .done }.compactMap(\.key))
      guard !computed.isDisjoint(with: wanted) else { continue }
      wanted.subtract(computed)
      chosen.insert(UTF8Key(run.path))
    }
    return all.filter { chosen.contains(UTF8Key($0.path)) }
  }

  /// Copies a run's folder to `runs/NAME/ID` of another place. Its events come last, so that what a cut leaves is no run.
  /// - Returns: false where it is there already.
  package static func copy(_ run: RunSummary, to runs: String) throws -> Bool {
    let folder = "\(runs)/\(run.experiment)/\(run.id)"
    if FileStatus.of("\(folder)/events.jsonl") != nil { return false }
    let events = "events.jsonl"
    let names = try Manifest.files(below: run.path, followingLinks: false).filter {
      !["lock", events].contains($0)
    }
    for name in names + [events] {
      try File.makeDirectory(Path.parent("\(folder)/\(name)"))
      _ = try File.copy(
        "\(run.path)/\(name)", to: "\(folder)/\(name)",
        expecting: try Digest.ofFile("\(run.path)/\(name)").digest, mode: 0o644)
      try File.synchronizeDirectory(Path.parent("\(folder)/\(name)"))
    }
    return true
  }

  /// What trials of sweeps measured first, beside the runs of these experiments: the lines that the other place lacks.
  package static func copyTrials(of runs: [RunSummary], to folder: String) throws {
    for place in Set(runs.map { Path.parent($0.path) }).sorted() {
      let (source, target) = ("\(place)/trials.jsonl", "\(folder)/\(Path.name(place))/trials.jsonl")
      guard FileStatus.of(source) != nil else { continue }
      let present = FileStatus.of(target) != nil ? try File.read(target) : []
      let known = Set(present.split(separator: 0x0A))
      let new = try File.read(source).split(separator: 0x0A).filter { !known.contains($0) }
      guard !new.isEmpty else { continue }
      let lines = present.split(separator: 0x0A) + new
      try File.writeDurably(
        lines.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined(), to: target)
    }
  }
}
