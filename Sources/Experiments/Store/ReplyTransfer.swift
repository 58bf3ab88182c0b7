// The journals of a store as a whole: what there is, and entries taken over from another store.

import JSON
import System

extension ReplyJournal {
  /// What a store keeps of one server's replies.
  package struct Summary: Sendable, Equatable {
    /// The server's; the folder's name where nobody wrote it down.
    package let identity: String
    package let folder: String
    package let entries: Int
    package let bytes: Int
  }

  /// Those that replied, by identity.
  package static func summaries(inStore store: String) throws -> [Summary] {
    var summaries: [Summary] = []
    for name in try File.names(in: "\(store)/replies") {
      let folder = "\(store)/replies/\(name)"
      guard FileStatus.of(folder)?.isDirectory == true else { continue }
      let journal = ReplyJournal(folder: folder)
      try journal.refresh()
      // Who was asked and never replied left no more than its gate.
      guard journal.count > 0 else { continue }
      let bytes = try File.names(in: folder).reduce(0) { $0 + (FileStatus.of("\(folder)/\($1)")?.size ?? 0) }
      summaries.append(
        Summary(
          identity: identity(of: folder) ?? name, folder: folder, entries: journal.count, bytes: bytes))
    }
    return summaries.sorted { $0.identity.utf8.lexicographicallyPrecedes($1.identity.utf8) }
  }

  /// Whose replies a folder has; nil where nobody wrote it down.
  package static func identity(of folder: String) -> String? {
    (try? File.read("\(folder)/\(identityName)", upTo: 1 << 16)).flatMap { bytes in
      bytes.withUnsafeBytes { String(validatingUTF8: $0) }
    }
  }

  /// Removes the entries that `isKept` is not true of, and what damage has made unreadable; nobody may ask meanwhile. The rest of all
  /// files becomes one, under the name of the oldest, so that of two entries of one key the same one counts as before.
  /// - Returns: how many entries and bytes are gone.
  package static func collect(_ folder: String, keeping isKept: (Key) -> Bool) throws -> (
    entries: Int, bytes: Int
  ) {
    let names = try File.names(in: folder).filter { $0.utf8.suffix(6).elementsEqual(".jsonl".utf8) }
    guard let oldest = names.first else { return (0, 0) }
    func size() -> Int { names.reduce(0) { $0 + (FileStatus.of("\(folder)/\($1)")?.size ?? 0) } }
    let before = size()
    let rest = try DurableFile("\(folder)/\(oldest)")
    var seen: Set<Key> = []
    var dropped = 0
    try ReplyJournal(folder: folder).forEachLine { key, line in
      guard seen.insert(key).inserted, isKept(key) else {
        dropped += 1
        return
      }
      try rest.write(line)
      try rest.write([0x0A])
    }
    try rest.finish()
    for name in names.dropFirst() { try File.remove("\(folder)/\(name)") }
    return (dropped, before - size())
  }

  /// What came of taking over entries.
  package struct Taken: Sendable, Equatable {
    package var added = 0
    /// There already, with the same response.
    package var kept = 0
    /// There already, with another response: the one that was there stays.
    package var different: [Key] = []
  }

  /// Takes over what another folder has of these keys, or all of it. What is here already stays.
  /// - Parameter wanted: nil for all.
  package func takeOver(from folder: String, wanted: Set<Key>? = nil) throws -> Taken {
    try refresh()
    var taken = Taken()
    // Of two entries over there the first counts, and it is here by then.
    var seen: Set<Key> = []
    try ReplyJournal(folder: folder).forEachLine { key, line in
      guard wanted?.contains(key) != false, seen.insert(key).inserted else { return }
      guard let other = ReplyLine.entry(line) else { return }
      if let entry = try entry(key) {
        if entry.response == other.response { taken.kept += 1 } else { taken.different.append(key) }
      } else {
        try append(line: Array(line) + [0x0A], key)
        taken.added += 1
      }
    }
    try synchronize()
    return taken
  }
}
