// Taking a result out of the store: copies, never links, into a folder that was not there.

import Glibc
import System

package enum Export {
  /// A directory artifact that is all there is becomes `folder` itself; files, and outputs of which there are several,
  /// go into it under their ports' names.
  /// - Returns: the paths that were written, and their bytes.
  /// - Throws: `RunError` (2) when something is at `folder` already, `EvictedError`, `StoreError`.
  package static func copy(_ outputs: [StoredOutput], of store: Store, to folder: String) throws -> (
    paths: [String], bytes: Int
  ) {
    var paths: [String] = []
    var bytes = 0
    try File.makeWholeDirectory(folder) { temporary in
      let isWhole = outputs.count == 1 && outputs[0].isTree
      if !isWhole { try File.makeDirectory(temporary) }
      for output in outputs {
        let name = isWhole ? "" : "/\(fileName(output))"
        paths.append("\(folder)\(name)")
        bytes &+= try copy(output, of: store, to: temporary + name)
        if output.columns.keyPart != nil {
          let table = "\(output.port).columns.json"
          try File.writeWhole(output.columns.json.text(.pretty) + "\n", to: "\(temporary)/\(table)")
          paths.append("\(folder)/\(table)")
        }
      }
    }
    return (paths, bytes)
  }

  private static func fileName(_ output: StoredOutput) -> String {
    switch output.type {
    case .rows: "\(output.port).jsonl"
    case .metrics: "\(output.port).json"
    case .model, .file: output.port
    }
  }

  private static func copy(_ output: StoredOutput, of store: Store, to path: String) throws -> Int {
    try store.requirePresent(output)
    guard output.isTree else {
      return try File.copy(store.objectPath(output.digest), to: path, expecting: output.digest, mode: 0o644)
    }
    var bytes = 0
    guard let manifest = Manifest(text: try File.read(store.objectPath(output.digest))) else {
      throw StoreError(description: "the manifest of output `\(output.port)` is not readable")
    }
    try File.makeDirectory(path)
    for entry in manifest.entries {
      let target = "\(path)/\(entry.path)"
      try File.makeDirectory(Path.parent(target))
      bytes &+= try File.copy(
        store.objectPath(entry.digest), to: target, expecting: entry.digest, mode: 0o644)
    }
    return bytes
  }
}
