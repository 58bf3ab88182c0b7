// The user's model cache: models and data that were fetched, by their SHA-256, shared by all projects.

import Glibc
import JSON
import System

package struct ModelCache: Sendable {
  /// What is kept, which decides how a folder's digest is made.
  package enum Content: Sendable {
    /// A file, or a folder by its manifest.
    case model
    /// A folder of data files, by their contents alone.
    case data

    func digest(of path: String, file digest: (String) throws -> Digest) throws -> Digest {
      switch self {
      case .model: return try Manifest.digest(of: path, file: digest)
      case .data:
        let names = try Manifest.files(below: path, followingLinks: false)
        return OptionFiles.digest(of: try names.map { try digest("\(path)/\($0)") })
      }
    }
  }

  package let root: String
  package init(root: String) { self.root = root }

  /// `$PLUMB_MODELS`, else `plumb/models` in the user's cache folder.
  package static func standard() throws -> ModelCache {
    if let path = environmentValue("PLUMB_MODELS") { return ModelCache(root: Path.absolute(path)) }
    if let path = environmentValue("XDG_CACHE_HOME") {
      return ModelCache(root: "\(Path.absolute(path))/plumb/models")
    }
    if let home = environmentValue("HOME") { return ModelCache(root: "\(home)/.cache/plumb/models") }
    throw RunError(
      .machine, "no place for fetched models: neither `PLUMB_MODELS`, `XDG_CACHE_HOME` nor `HOME` is set")
  }

  /// `ROOT/SHA256/NAME`, a file or a folder of files, fetched unless it is there. `fetch` gives the path of what it made below
  /// its folder; only bytes with the right digest get the name. Two runs fetch once, and what an attempt that failed had
  /// fetched is there for the next. A store remembers what was hashed; without one it is hashed each time.
  package func path(
    of digest: Digest, named name: String, _ content: Content = .model, store: Store?,
    signals: SignalDescriptor? = nil,
    note: @escaping (String) -> Void = { _ in }, fetch: (Fetch) throws -> String
  ) throws -> String {
    let folder = "\(root)/\(digest.hex)"
    let path = "\(folder)/\(name)"
    if try isIntact(path, digest, content, store) { return path }
    return try locked(folder, signals, note) { place in
      if try isIntact(path, digest, content, store) { return path }
      let fetched = try fetch(place)
      let found = try content.digest(of: fetched) { try Digest.ofFile($0).digest }
      guard found == digest else {
        try File.removeTree(place.folder)
        throw InputError(
          "`\(name)` was fetched with sha256 \(found.hex), expected \(digest.hex); it is not kept")
      }
      try install(fetched, as: path)
      try File.removeTree(place.folder)
      return path
    }
  }

  /// Fetches what may have any digest, and keeps it under the one that it has.
  /// - Parameter source: what names the place that it is fetched from.
  package func digest(
    of source: String, named name: String, _ content: Content = .model, note: @escaping (String) -> Void,
    fetch: (Fetch) throws -> String
  ) throws -> Digest {
    let place = Digest.of(text: source).hex
    return try locked("\(root)/unknown-\(place)", nil, note) { place in
      let fetched = try fetch(place)
      let digest = try content.digest(of: fetched) { try Digest.ofFile($0).digest }
      let path = self.path(of: digest, named: name)
      try locked(Path.parent(path), nil, note) { own in
        if try !isIntact(path, digest, content, nil) { try install(fetched, as: path) }
        try File.removeTree(own.folder)
      }
      try File.removeTree(Path.parent(place.folder))
      return digest
    }
  }

  /// Where it lies once it was fetched.
  package func path(of digest: Digest, named name: String) -> String { "\(root)/\(digest.hex)/\(name)" }

  private func locked<Result>(
    _ folder: String, _ signals: SignalDescriptor?, _ note: @escaping (String) -> Void,
    _ body: (Fetch) throws -> Result
  ) throws -> Result {
    try File.makeDirectory(folder)
    let lock = try File.open("\(folder)/.lock", O_RDWR | O_CREAT)
    defer { lock.closeQuietly() }
    try lock.waitForLock()
    let temporary = "\(folder)/.fetching"
    try File.makeDirectory(temporary)
    return try body(Fetch(folder: temporary, signals: signals, note: note))
  }

  /// Read-only and durable under its name.
  private func install(_ fetched: String, as path: String) throws {
    let isFolder = try FileStatus.orThrow(fetched).isDirectory
    let files =
      isFolder
      ? try Manifest.files(below: fetched, followingLinks: false).map { "\(fetched)/\($0)" } : [fetched]
    for name in files {
      let file = try File.openToRead(name)
      defer { file.closeQuietly() }
      try file.setMode(0o444)
      try file.synchronize()
    }
    if isFolder {
      for folder in Set(files.map(Path.parent)).sorted() { try File.synchronizeDirectory(folder) }
    }
    try File.rename(fetched, to: path)
    try File.synchronizeDirectory(Path.parent(path))
  }

  private func isIntact(_ path: String, _ digest: Digest, _ content: Content, _ store: Store?) throws -> Bool
  {
    guard FileStatus.of(path) != nil else { return false }
    let found = try content.digest(of: path) { try store?.digestOfInput($0) ?? Digest.ofFile($0).digest }
    if found == digest { return true }
    store?.onWarning("`\(path)` was damaged and is fetched again")
    try File.removeTree(path)
    return false
  }
}
