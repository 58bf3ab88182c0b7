// The manifest of a directory artifact: its files by path, size and digest. Its own digest names the directory.

import Glibc
import JSON
import System

package struct Manifest: Sendable, Equatable {
  package struct Entry: Sendable, Equatable {
    /// Relative, with `/`; never empty, absolute or with `..`.
    package let path: String
    package let size: Int
    package let digest: Digest
  }

  /// Sorted by the bytes of their paths.
  package let entries: [Entry]

  package init(_ entries: [Entry]) {
    self.entries = entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  package var totalSize: Int { entries.reduce(0) { $0 &+ $1.size } }

  /// Equal directories give equal text.
  package var text: String {
    let files = entries.map { entry -> JSON in
      ["path": .string(entry.path), "sha256": .string(entry.digest.hex), "size": .int(Int64(entry.size))]
    }
    return (["files": .array(files), "format": 1] as JSON).text(.canonical)
  }

  package var digest: Digest { Digest.of(text: text) }

  package init?(text: [UInt8]) {
    guard let json = try? JSON(parsing: text), let files = json["files"]?.arrayValue else { return nil }
    let entries = files.compactMap { file -> Entry? in
      guard let path = file["path"]?.stringValue, Manifest.isInside(path),
        let digest = file["sha256"]?.stringValue.flatMap(Digest.init(hex:)), let size = file["size"]?.intValue
      else { return nil }
      return Entry(path: path, size: size, digest: digest)
    }
    guard entries.count == files.count else { return nil }
    self.init(entries)
  }

  /// What names a file or a folder of files: its own digest, or its manifest's.
  package static func digest(of path: String, file digest: (String) throws -> Digest) throws -> Digest {
    guard try FileStatus.orThrow(path).isDirectory else { return try digest(path) }
    return try Manifest(
      files(below: path, followingLinks: true).map { relative in
        let file = "\(path)/\(relative)"
        return Entry(path: relative, size: try FileStatus.orThrow(file).size, digest: try digest(file))
      }
    ).digest
  }

  private static func isInside(_ path: String) -> Bool {
    let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return parts.allSatisfy { part in
      !part.isEmpty && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
    }
  }

  /// The regular files below a directory, sorted by the bytes of their relative paths. Names that begin with a dot are
  /// no part of an artifact. Links are followed only where `followingLinks` says so: in a user's model folder, which
  /// hubs fill with links, and not in what a stage wrote.
  package static func files(below root: String, followingLinks: Bool) throws -> [String] {
    var found: [String] = []
    func visit(_ relative: String, depth: Int) throws {
      guard depth <= 16 else {
        throw InputError(
          "`\(root)/\(relative)` is more than 16 folders deep; check for a symbolic link that forms a cycle")
      }
      for name in try File.names(in: relative.isEmpty ? root : "\(root)/\(relative)")
      where name.utf8.first != UInt8(ascii: ".") {
        let path = relative.isEmpty ? name : "\(relative)/\(name)"
        var raw = stat()
        let status = followingLinks ? stat("\(root)/\(path)", &raw) : lstat("\(root)/\(path)", &raw)
        guard status == 0 else { throw unreachable("\(root)/\(path)", errno) }
        switch FileStatus(raw).irregularKind {
        case nil: found.append(path)
        case _ where raw.st_mode & S_IFMT == S_IFDIR: try visit(path, depth: depth + 1)
        case let kind?: throw InputError("`\(root)/\(path)` is \(kind); expected files and folders")
        }
      }
    }
    try visit("", depth: 0)
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Of an entry that a folder lists: where it cannot be looked at, it is the link that is wrong, not the folder.
  private static func unreachable(_ path: String, _ code: Int32) -> any Error {
    switch code {
    case ENOENT: InputError("the link `\(path)` points to nothing; remove it, or restore its target")
    case ELOOP: InputError("the link `\(path)` points back to itself; remove it")
    default: SystemError("read", path, code: code)
    }
  }
}
