// A model whose files lie in several places, as one folder: of which files it consists, its digest, and the folder of links.

import Glibc
import System

/// It is the folder that someone would put together by hand, and has its digest: all downstream sees a folder.
package struct AssembledModel: Sendable, Equatable {
  package struct Link: Sendable, Equatable {
    /// In the folder.
    package let name: String
    /// Absolute.
    package let path: String
  }

  /// Sorted by name.
  package let links: [Link]

  private static let configFiles = ["config.json", "generation_config.json"]
  private static let tokenizerFiles = [
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "chat_template.jinja", "vocab.json", "vocab.txt", "merges.txt", "tokenizer.model",
  ]

  /// Together they are a tokenizer where there is no `tokenizer.json`.
  private static let vocabularyFiles = ["vocab.json", "merges.txt"]

  /// A file of weights gets the name that it has in a model's folder. A folder that is given for a part gives all files of that
  /// part that it has, and the model's own are left out; a file gives itself alone.
  /// - Throws: `InputError`, `SystemError`.
  package init(of path: String, with parts: ModelParts) throws {
    var links: [Link]
    if try FileStatus.orThrow(path).isDirectory {
      links = try Manifest.files(below: path, followingLinks: true).map {
        Link(name: $0, path: "\(path)/\($0)")
      }
    } else {
      links = [Link(name: try Self.weightsName(path), path: path)]
    }
    for (part, names) in [(parts.config, Self.configFiles), (parts.tokenizer, Self.tokenizerFiles)] {
      guard let part else { continue }
      let isFolder = try FileStatus.orThrow(part).isDirectory
      links.removeAll {
        names.contains($0.name) && (isFolder || names == Self.tokenizerFiles || $0.name == names[0])
      }
      guard isFolder else {
        links.append(Link(name: names[0], path: part))
        continue
      }
      let found = names.filter { FileStatus.of("\(part)/\($0)") != nil }
      let isComplete =
        found.contains(names[0])
        || (names == Self.tokenizerFiles && Self.vocabularyFiles.allSatisfy(found.contains))
      guard isComplete else {
        let others =
          names == Self.tokenizerFiles
          ? " and no \(Self.vocabularyFiles.map { "`\($0)`" }.joined(separator: " with "))" : ""
        throw InputError("`\(part)` has no `\(names[0])`\(others)")
      }
      links += found.map { Link(name: $0, path: "\(part)/\($0)") }
    }
    guard links.contains(where: { $0.name == Self.configFiles[0] }) else {
      throw InputError("`\(path)` has no `\(Self.configFiles[0])`; name one with `config`")
    }
    self.links = links.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  private static func weightsName(_ path: String) throws -> String {
    let name = Path.name(path)
    func ends(_ suffix: String) -> Bool { name.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) }
    if ends(".safetensors") { return "model.safetensors" }
    guard ends(".bin") || ends(".pt") || ends(".pth") else {
      throw InputError(
        "`\(path)` is a file that holds its own configuration, or no weights; `config` and `tokenizer` go with a folder or a file of weights (`.safetensors`, `.bin`, `.pt`)"
      )
    }
    return "pytorch_model.bin"
  }

  /// That of a folder with these files.
  package func digest(file digest: (String) throws -> Digest) throws -> Digest {
    try Manifest(
      links.map { link in
        Manifest.Entry(
          path: link.name, size: try FileStatus.orThrow(link.path).size, digest: try digest(link.path))
      }
    ).digest
  }

  /// A folder of links below `root`, named by what it links to and made unless it is there. It appears whole.
  /// - Throws: `SystemError`.
  package func folder(below root: String) throws -> String {
    let text = links.map { "\($0.name)\0\($0.path)\0" }.joined()
    let path = "\(root)/assembled-\(Digest.of(text: text).hex)"
    if isWhole(path) { return path }
    try File.makeDirectory(root)
    let temporary = "\(root)/.assembling.\(TemporaryName.make())"
    for link in links {
      let place = "\(temporary)/\(link.name)"
      try File.makeDirectory(Path.parent(place))
      try File.makeSymbolicLink(at: place, to: link.path)
    }
    // What is there is damaged, or another process has just made it.
    if !isWhole(path) {
      try File.removeTree(path)
      do { try File.rename(temporary, to: path) } catch {
        guard isWhole(path) else { throw error }
      }
    }
    try File.removeTree(temporary)
    return path
  }

  private func isWhole(_ path: String) -> Bool {
    let isLinked = links.allSatisfy { link in
      var target = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlink("\(path)/\(link.name)", &target, target.count)
      return count >= 0
        && target.prefix(count).map { UInt8(bitPattern: $0) }.elementsEqual(link.path.utf8)
    }
    let names = try? Manifest.files(below: path, followingLinks: true)
    return isLinked && names?.count == links.count
  }
}
