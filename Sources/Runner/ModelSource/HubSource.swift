// A model of a Hugging Face hub: its configuration, tokenizer and weights, or one file of its repository.

import Glibc
import JSON
import System

struct HubSource {
  let repository: String
  let revision: String
  let file: String?

  /// The variable in which tools of the hub look for its address.
  private static let endpointVariable = "HF_ENDPOINT"
  private static let tokenVariable = "HF_TOKEN"

  /// Fetches into `fetch.folder` and gives the path of the file, or of the folder that holds the model's files.
  /// - Throws: as `Download`; `InputError` when the repository holds no model in a format of folders.
  func fetch(_ fetch: Fetch) throws -> String {
    if let file {
      let path = "\(fetch.folder)/\(Path.name(file))"
      fetch.note("fetching \(file) of \(repository)")
      try download("\(repository)/resolve/\(revision)/\(file)", to: path, fetch)
      return path
    }
    let (commit, files) = try list(fetch)
    // Named by its commit: what an attempt at another one left is no beginning of this.
    let folder = "\(fetch.folder)/\(commit)"
    try File.makeDirectory(folder)
    for (index, file) in files.enumerated() {
      fetch.note("fetching \(file.name) of \(repository) (\(index + 1) of \(files.count)\(size(file.bytes)))")
      let partial = "\(fetch.folder)/\(commit).\(file.name)"
      if FileStatus.of("\(folder)/\(file.name)") != nil { continue }
      try download(
        "\(repository)/resolve/\(commit)/\(file.name)", to: partial, fetch,
        size: file.bytes.map { ($0, "the hub lists for it") })
      try File.rename(partial, to: "\(folder)/\(file.name)")
    }
    return folder
  }

  /// The commit that the revision is now, and its files that make a model: JSON and weights at the root, these in one format. Not
  /// what else a repository holds.
  private func list(_ fetch: Fetch) throws -> (commit: String, files: [(name: String, bytes: Int?)]) {
    let path = "\(fetch.folder)/listing.json"
    try File.remove(path)
    try download(
      "api/models/\(repository)/revision/\(revision)?blobs=true", to: path, fetch,
      size: (64 << 20, "a list of files may have"))
    guard let listing = try? JSON(parsing: try File.read(path)),
      let commit = listing["sha"]?.stringValue, isCommit(commit), let all = listing["siblings"]?.arrayValue
    else {
      throw RunError(.remote, "\(endpoint) does not list the files of `\(repository)` as a hub does")
    }
    let files = all.compactMap { entry -> (name: String, bytes: Int?)? in
      guard let name = entry["rfilename"]?.stringValue, isPlain(name) else { return nil }
      return (name, entry["size"]?.intValue)
    }
    guard
      let weights = HubSource.weights.first(where: { form in files.contains { isWeights($0.name, form) } })
    else {
      let names = HubSource.weights.map { "`\($0.prefix)\($0.suffix)`" }.joined(separator: " nor ")
      throw InputError(
        "`\(repository)` at \(revision) holds neither \(names); for another format name the file: "
          + "`hf:\(repository)@\(revision)/FILE.gguf`")
    }
    // Without it, `vocab.json` and `merges.txt` are the tokenizer.
    let hasTokenizerFile = files.contains { $0.name == "tokenizer.json" }
    return (
      commit,
      files.filter {
        isWeights($0.name, weights) || hasSuffix($0.name, ".json")
          || ($0.name == "merges.txt" && !hasTokenizerFile)
      }
    )
  }

  private func isCommit(_ text: String) -> Bool {
    text.utf8.count == 40
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// How the files of weights begin and end, in the order in which a model's folder is read: see `formats` of Models.
  private static let weights = [
    (prefix: "model", suffix: ".safetensors"), (prefix: "pytorch_model", suffix: ".bin"),
  ]

  /// The name of a file at the root that needs no care in a URL or a path.
  private func isPlain(_ name: String) -> Bool {
    name.utf8.first != UInt8(ascii: ".")
      && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/?#%\\".utf8.contains($0) }
  }

  private func isWeights(_ name: String, _ form: (prefix: String, suffix: String)) -> Bool {
    name.utf8.starts(with: form.prefix.utf8) && hasSuffix(name, form.suffix)
  }

  private func hasSuffix(_ name: String, _ suffix: String) -> Bool {
    name.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }

  private func size(_ bytes: Int?) -> String { bytes.map { ", \(ByteCount($0))" } ?? "" }

  private var endpoint: String { environmentValue(HubSource.endpointVariable) ?? "https://huggingface.co" }

  private func download(
    _ place: String, to path: String, _ fetch: Fetch, size: (bytes: Int, saidBy: String)? = nil
  ) throws {
    let token = try token()
    var download = Download(url: "\(endpoint)/\(HubSource.escaped(place))")
    download.header = token.map { "Authorization: Bearer \($0)" }
    download.whenRefused =
      token == nil
      ? "; a private or gated model needs a token in `\(HubSource.tokenVariable)`"
      : "; the token in `\(HubSource.tokenVariable)` was sent"
    download.size = size
    try download.fetch(to: path, fetch)
  }

  /// Without the line break that a file of it ends with.
  private func token() throws -> String? {
    guard let value = environmentValue(HubSource.tokenVariable) else { return nil }
    let token = String(
      decoding: value.utf8.reversed().drop { $0 == 0x0A || $0 == 0x0D || $0 == 0x20 }.reversed(),
      as: UTF8.self)
    if token.isEmpty { return nil }
    guard token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), token.utf8.count <= 4096 else {
      throw RunError(
        .commandLine,
        "`\(HubSource.tokenVariable)` is not a token: expected at most 4096 letters, digits and signs in one line"
      )
    }
    return token
  }

  /// With what a URL must not hold as it is; the question mark before a query stays.
  private static func escaped(_ place: String) -> String {
    let plain = "/-._~?=&@+!,()".utf8
    let digits = Array("0123456789ABCDEF".utf8)
    let bytes = place.utf8.flatMap { byte -> [UInt8] in
      let isAlphanumeric =
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
      return isAlphanumeric || plain.contains(byte)
        ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
