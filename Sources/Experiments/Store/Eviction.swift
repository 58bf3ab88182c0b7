// Evicted bytes: dropped on purpose, with a mark, so that the record stays good and nobody takes them for damage.

import Glibc
import System

/// Where the bytes of an output are.
package enum Presence: Sendable, Equatable {
  case present
  /// Some of them were dropped by `cache gc`; computing the node anew brings them back.
  case evicted
  /// Some of them were damaged or removed by something else: the record is a miss.
  case gone
}

/// Bytes that something needs and that are evicted.
package struct EvictedError: ErrorWithExitCode, Sendable, CustomStringConvertible {
  package let output: StoredOutput
  package var exitCode: ExitCode { .workFound }
  package var description: String {
    "the bytes of output `\(output.port)` (\(output.digest.hex.prefix(12))) were evicted by `\(Program.name) cache gc`; `\(Program.name) export EXPERIMENT::ADDRESS DIR` recomputes them"
  }
}

extension Store {
  func evictedPath(_ digest: Digest) -> String {
    "\(root)/evicted/\(digest.hex.prefix(2))/\(digest.hex.dropFirst(2))"
  }

  package func isMarkedEvicted(_ digest: Digest) -> Bool { FileStatus.of(evictedPath(digest)) != nil }

  /// Reads an object only when its file's state is not the one last vouched for; a damaged one is set aside.
  package func presence(of digest: Digest, size: Int?) throws -> Presence {
    if try isIntact(digest, size: size) { return .present }
    return isMarkedEvicted(digest) ? .evicted : .gone
  }

  /// Of everything an output names: the manifest of a directory and its files.
  package func presence(of output: StoredOutput) throws -> Presence {
    let whole = try presence(of: output.digest, size: output.isTree ? nil : output.size)
    guard whole == .present, output.isTree else { return whole }
    guard let manifest = try manifest(output.digest) else { return .gone }
    var found = Presence.present
    for entry in manifest.entries {
      switch try presence(of: entry.digest, size: entry.size) {
      case .present: break
      case .evicted: if found == .present { found = .evicted }
      case .gone: found = .gone
      }
    }
    return found
  }

  /// Made durable before the bytes go: an object that is gone without a mark counts as damage.
  func markEvicted(_ digests: [Digest]) throws {
    var folders: Set<String> = []
    for digest in digests {
      let mark = evictedPath(digest)
      try File.makeDirectory(Path.parent(mark), isDurable: true)
      try File.writeWhole("", to: mark)
      folders.insert(Path.parent(mark))
    }
    for folder in folders.sorted() { try File.synchronizeDirectory(folder) }
  }

  func evict(_ digests: [Digest]) throws {
    try markEvicted(digests)
    for digest in digests { try removeObject(digest) }
  }

  /// An object that came back is no longer evicted.
  func removeEvictionMark(of digest: Digest) throws {
    if isMarkedEvicted(digest) { try File.remove(evictedPath(digest)) }
  }

  /// Every object an output names, the manifest of a directory first; what is not there is named nonetheless, unless it is
  /// the manifest.
  package func objects(of output: StoredOutput) throws -> [(digest: Digest, size: Int?, isManifest: Bool)] {
    guard output.isTree else { return [(output.digest, output.size, false)] }
    let path = objectPath(output.digest)
    let entries = FileStatus.of(path) == nil ? [] : Manifest(text: try File.read(path))?.entries ?? []
    return [(output.digest, nil, true)] + entries.map { ($0.digest, $0.size, false) }
  }
}
