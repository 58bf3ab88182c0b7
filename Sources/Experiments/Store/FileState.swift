// What is kept of a file that an option names, to say later how it changed; its content is not kept.

import Glibc
import JSON
import System

package struct FileState: Sendable, Equatable {
  /// Dotted path of the option.
  package var option: String
  package var path: String
  package var size: Int
  /// Line feeds; nil of a file too large to be counted.
  package var lines: Int?
  /// Hex; nil in old records.
  package var sha256: String?

  /// A larger file is not read again for its lines.
  private static let largest = 256 << 20

  /// Nil when it cannot be read.
  /// - Parameter name: what it is called where it was fetched from; without it, its path.
  package init?(option: String, path: String, named name: String? = nil, digest: Digest? = nil) {
    guard let status = FileStatus.of(path), status.isRegularFile else { return nil }
    self.option = option
    self.path = name ?? path
    size = status.size
    sha256 = digest?.hex
    guard status.size <= FileState.largest, let file = try? File.open(path, O_RDONLY) else { return }
    defer { file.closeQuietly() }
    var count = 0
    guard (try? file.readBlocks { block in count += block.count { $0 == 0x0A } }) != nil else { return }
    lines = count
  }

  package var json: JSON {
    [
      "option": .string(option), "path": .string(path), "size": .int(Int64(size)),
      "lines": lines.map { .int(Int64($0)) } ?? .null, "sha256": sha256.map { .string($0) } ?? .null,
    ]
  }

  package init?(json: JSON) {
    guard let option = json["option"]?.stringValue, let path = json["path"]?.stringValue,
      let size = json["size"]?.intValue
    else { return nil }
    self.option = option
    self.path = path
    self.size = size
    lines = json["lines"]?.intValue
    sha256 = json["sha256"]?.stringValue
  }
}

/// The files that an option names, as they were and as they are.
package struct FileChange: Sendable, Equatable {
  package let old: [FileState]
  package let new: [FileState]

  package init(old: [FileState], new: [FileState]) {
    self.old = old
    self.new = new
  }

  /// `data/tldr.jsonl: +1 row`, `programs/length.py changed`; another file under the same option: both names. Of several files how many
  /// changed, and the one where it is one.
  package var text: String {
    if old.count <= 1, let new = new.first, self.new.count == 1 { return Self.text(old.first, new) }
    let changes = pairs
    if let changes, changes.count == 1 { return Self.text(changes[0].old, changes[0].new) }
    if let changes, !changes.isEmpty { return "\(changes.count) of \(new.count) files changed" }
    return old.isEmpty || old.count == new.count ? "other files" : "\(old.count) files -> \(new.count) files"
  }

  /// In the words of `plan --why`.
  package var details: String? {
    guard let changes = pairs, changes.count == 1, let (old, new) = changes.first,
      old.size != new.size || old.lines != new.lines
    else { return nil }
    let lines = old.lines.flatMap { before in new.lines.map { ", \(before) -> \($0) lines" } } ?? ""
    return "\(FileChange.name(new.path)): \(old.size) -> \(new.size) bytes\(lines)"
  }

  /// The files that are not what they were; nil where they are not under the same names.
  private var pairs: [(old: FileState, new: FileState)]? {
    guard old.count == new.count else { return nil }
    if old.count == 1 { return [(old[0], new[0])] }
    guard zip(old, new).allSatisfy({ UTF8Key($0.path) == UTF8Key($1.path) }) else { return nil }
    return zip(old, new).filter { $0 != $1 }.map { ($0, $1) }
  }

  private static func text(_ old: FileState?, _ new: FileState) -> String {
    let name = FileChange.name(new.path)
    guard let old else { return "\(name) changed" }
    if UTF8Key(old.path) != UTF8Key(new.path) { return "\(FileChange.name(old.path)) -> \(name)" }
    guard name.hasSuffix(".jsonl"), let before = old.lines, let after = new.lines, before != after else {
      return "\(name) changed"
    }
    let count = after - before
    return "\(name): \(count > 0 ? "+" : "")\(count) row\(count.magnitude == 1 ? "" : "s")"
  }

  /// As seen from the folder of work.
  private static func name(_ path: String) -> String {
    let here = Path.absolute(".") + "/"
    return path.utf8.starts(with: here.utf8)
      ? String(decoding: path.utf8.dropFirst(here.utf8.count), as: UTF8.self) : path
  }
}
