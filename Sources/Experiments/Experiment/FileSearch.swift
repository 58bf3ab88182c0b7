// What lies below a folder and fits a pattern of names.

import System

struct FileSearch {
  /// Seen below the folder, so that a search ends.
  static let largest = 1_000_000
  static let deepest = 32

  enum Problem: Error {
    /// The pattern's last part fits a folder; relative to where the search began.
    case folder(String)
    case tooLarge
    case tooDeep(String)
    case unreadable(String, reason: String)
  }

  private let root: String
  private let pattern: FilePattern
  private var found: [String] = []
  private var seen = 0

  /// Paths below `root` of what fits and is no folder, sorted by their bytes. Links are what they lead to.
  static func names(fitting pattern: FilePattern, below root: String) throws(Problem) -> [String] {
    var search = FileSearch(root: root, pattern: pattern)
    try search.visit("", pattern.start, depth: 0)
    return search.found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private init(root: String, pattern: FilePattern) {
    self.root = root
    self.pattern = pattern
  }

  private mutating func visit(_ folder: String, _ states: FilePattern.States, depth: Int) throws(Problem) {
    guard depth <= Self.deepest else { throw .tooDeep(folder) }
    let names: [String]
    do { names = try File.names(in: folder.isEmpty ? root : "\(root)/\(folder)") } catch {
      throw .unreadable(folder, reason: "\(error)")
    }
    for name in names {
      seen += 1
      guard seen <= Self.largest else { throw .tooLarge }
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      let next = pattern.step(states, over: Array(name.unicodeScalars))
      guard !next.isEmpty else { continue }
      guard FileStatus.of("\(root)/\(path)")?.isDirectory == true else {
        if pattern.accepts(next) { found.append(path) }
        continue
      }
      // Where `**` passes the folder, what is in it is meant.
      if pattern.accepts(next), !next.contains(where: { pattern.passesFolders(at: $0) }) {
        throw .folder(path)
      }
      if pattern.continues(next) { try visit(path, next, depth: depth + 1) }
    }
  }
}

extension FilePattern {
  fileprivate func passesFolders(at state: Int) -> Bool {
    state < segments.count && segments[state] == .folders
  }
}
