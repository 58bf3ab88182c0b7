// Paths written in an experiment: where they start, and that they stay inside the project.

import Glibc
import System

/// The root of the project that a folder belongs to, symbolic links resolved.
package func projectRoot(of folder: String) -> String {
  ProjectPaths(aboveFolder: Path.real(folder) ?? folder).root
}

/// The project: the nearest folder above the experiment that holds `.plumb`, else `.git`, else its own.
package struct ProjectPaths: Sendable {
  /// Absolute, symbolic links resolved.
  package let root: String
  /// Folders outside in which what is read may lie (`inputs:`); absolute, symbolic links resolved.
  var inputs: [String] = []

  /// `folder` is absolute, symbolic links resolved.
  package init(aboveFolder folder: String) {
    root = Self.nearest(".plumb", above: folder) ?? Self.nearest(".git", above: folder) ?? folder
  }

  enum Problem: Error, Equatable {
    case outside(resolved: String)
    case unreadable(resolved: String, reason: String)
  }

  enum Kind: Equatable {
    case file
    case directory
    /// What is no file that can be read to its end; with its article.
    case other(String)

    /// With its article; nil of a file.
    var irregularWords: String? {
      switch self {
      case .file: nil
      case .directory: "a directory"
      case .other(let words): words
      }
    }
  }

  /// The absolute path, symbolic links resolved, of something that exists, and what it is.
  func resolve(_ path: String, from folder: String) -> Result<(path: String, kind: Kind), Problem> {
    let joined = Self.normalized(path.utf8.first == 0x2F ? path : "\(folder)/\(path)")
    // The system would read a path only up to it.
    if path.utf8.contains(0) {
      return .failure(.unreadable(resolved: joined, reason: "a path cannot hold a NUL"))
    }
    guard let resolved = Path.real(joined) else {
      let reason = String(cString: strerror(errno)).lowercased()
      // What does not exist is judged by the nearest folder above it that does.
      var ancestor = joined
      while Path.real(ancestor) == nil, ancestor != "/" { ancestor = Self.parent(ancestor) }
      let existing = Path.real(ancestor) ?? "/"
      let isInside = contains(joined) || contains(existing)
      return .failure(isInside ? .unreadable(resolved: joined, reason: reason) : .outside(resolved: joined))
    }
    guard contains(resolved) else { return .failure(.outside(resolved: resolved)) }
    guard let status = FileStatus.of(resolved) else {
      return .failure(
        .unreadable(resolved: resolved, reason: String(cString: strerror(errno)).lowercased()))
    }
    let isDirectory = status.isDirectory
    guard access(resolved, isDirectory ? R_OK | X_OK : R_OK) == 0 else {
      return .failure(
        .unreadable(resolved: resolved, reason: String(cString: strerror(errno)).lowercased()))
    }
    let kind = isDirectory ? .directory : status.irregularKind.map { Kind.other($0) } ?? .file
    return .success((resolved, kind))
  }

  /// The path seen from the project's root, or from the root under `inputs:` that it lies in, which may be elsewhere on
  /// another machine; the path itself when it is outside of all.
  func relative(_ path: String) -> String {
    if let inside = Self.rest(of: path, below: root) { return inside }
    for (index, input) in inputs.enumerated() {
      if let inside = Self.rest(of: path, below: input) { return "inputs[\(index)]/\(inside)" }
    }
    return path
  }

  private func contains(_ path: String) -> Bool {
    ([root] + inputs).contains { path == $0 || Self.rest(of: path, below: $0) != nil }
  }

  private static func rest(of path: String, below folder: String) -> String? {
    let prefix = folder == "/" ? "/" : folder + "/"
    return path.utf8.starts(with: prefix.utf8)
      ? String(decoding: path.utf8.dropFirst(prefix.utf8.count), as: UTF8.self) : nil
  }

  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  static func tildeHelp(_ text: String) -> String? {
    text.utf8.first == UInt8(ascii: "~") ? "`~` is not expanded: write the full path" : nil
  }

  static func parent(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: 0x2F), slash > path.startIndex else { return "/" }
    return String(path[..<slash])
  }

  /// Without `.`, `..` and double slashes, by the text alone.
  static func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  private static func nearest(_ marker: String, above folder: String) -> String? {
    var folder = folder
    while true {
      if access(folder == "/" ? "/\(marker)" : "\(folder)/\(marker)", F_OK) == 0 { return folder }
      if folder == "/" { return nil }
      folder = parent(folder)
    }
  }
}
