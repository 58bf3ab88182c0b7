// The user's model cache: fetched files by their SHA-256, shared by all projects.

import Glibc
import JSON

package struct ModelCache: Sendable {
  package let root: String
  package init(root: String) { self.root = root }

  /// `$PLUMB_MODELS`, else `plumb/models` in the user's cache folder.
  package static func standard() throws -> ModelCache {
    func variable(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    if let path = variable("PLUMB_MODELS") { return ModelCache(root: Path.absolute(path)) }
    if let path = variable("XDG_CACHE_HOME") {
      return ModelCache(root: "\(Path.absolute(path))/plumb/models")
    }
    if let home = variable("HOME") { return ModelCache(root: "\(home)/.cache/plumb/models") }
    throw RunError(
      .machine, "no place for fetched models: neither `PLUMB_MODELS`, `XDG_CACHE_HOME` nor `HOME` is set")
  }

  /// `ROOT/SHA256/NAME`, fetched unless it is there. `fetch` is given an empty folder on the same file system and returns the
  /// path of what it made there; only bytes with the right digest get the name. Two runs fetch once. A store remembers what
  /// was hashed; without one the file is hashed each time.
  package func path(
    of digest: Digest, named name: String, store: Store?, fetch: (_ folder: String) throws -> String
  ) throws -> String {
    let folder = "\(root)/\(digest.hex)"
    let path = "\(folder)/\(name)"
    if try isIntact(path, digest, store) { return path }
    try File.makeDirectory(folder)
    let lock = try File.open("\(folder)/.lock", O_RDWR | O_CREAT)
    defer { lock.closeQuietly() }
    try lock.waitForLock()
    if try isIntact(path, digest, store) { return path }
    let temporary = "\(folder)/.fetching"
    try File.removeTree(temporary)
    try File.makeDirectory(temporary)
    defer { try? File.removeTree(temporary) }
    let fetched = try fetch(temporary)
    let found = try Digest.ofFile(fetched).digest
    guard found == digest else {
      throw InputError(
        "`\(name)` was fetched with sha256 \(found.hex), expected \(digest.hex); it is not kept")
    }
    let file = try File.open(fetched, O_RDONLY)
    defer { file.closeQuietly() }
    try file.setMode(0o444)
    try file.synchronize()
    try File.rename(fetched, to: path)
    try File.synchronizeDirectory(folder)
    return path
  }

  private func isIntact(_ path: String, _ digest: Digest, _ store: Store?) throws -> Bool {
    guard FileStatus.of(path) != nil else { return false }
    let found = try store?.digestOfInput(path) ?? Digest.ofFile(path).digest
    if found == digest { return true }
    store?.onWarning("`\(path)` was damaged and is fetched again")
    try File.remove(path)
    return false
  }
}
