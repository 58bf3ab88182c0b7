// A Hugging Face hub: what a repository holds at a revision, and its files.

import Glibc
import HTTP
import JSON
import System

struct Hub {
  enum Kind: String { case models, datasets }

  struct File {
    /// Inside the repository.
    let name: String
    let bytes: Int?
    /// Of a large file, where the hub says it.
    let digest: Digest?
  }

  /// The variable in which tools of the hub look for its address.
  private static let endpointVariable = "HF_ENDPOINT"
  private static let tokenVariable = "HF_TOKEN"
  private static let largestListing = 64 << 20

  let kind: Kind
  let repository: String

  var endpoint: String { environmentValue(Hub.endpointVariable) ?? "https://huggingface.co" }

  /// The commit that the revision is now, and its files but those whose names begin with a dot.
  /// - Throws: as `Download`; `RunError` (7) for an answer that is no list of files inside the repository.
  func list(_ revision: String, _ fetch: Fetch) throws -> (commit: String, files: [File]) {
    let path = "\(fetch.folder)/listing.json"
    try System.File.remove(path)
    try download(
      "api/\(kind.rawValue)/\(repository)/revision/\(revision)", query: "blobs=true", to: path, fetch,
      size: Download.Size(bytes: Hub.largestListing, saidBy: "a list of files may have", isExact: false))
    guard let listing = try? JSON(parsing: try System.File.read(path)),
      let commit = listing["sha"]?.stringValue,
      Hub.isCommit(commit), let entries = listing["siblings"]?.arrayValue
    else {
      throw RunError(.remote, "\(endpoint) does not list the files of `\(repository)` as a hub does")
    }
    let files = try entries.compactMap { entry -> File? in
      guard let name = entry["rfilename"]?.stringValue else { return nil }
      let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      guard parts.allSatisfy({ !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) })
      else {
        throw RunError(
          .remote, "\(endpoint) lists `\(name)` as a file of `\(repository)`, which is no path inside it")
      }
      if parts.contains(where: { $0.first == UInt8(ascii: ".") }) { return nil }
      return File(
        name: name, bytes: entry["size"]?.intValue,
        digest: entry["lfs"]?["sha256"]?.stringValue.flatMap(Digest.init(hex:)))
    }
    return (commit, files)
  }

  static func isCommit(_ text: String) -> Bool {
    text.utf8.count == 40
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// Fetches files of a commit below a folder, each under its name there. What an earlier attempt fetched of them stays.
  func fetch(_ files: [File], of commit: String, below folder: String, _ fetch: Fetch) throws {
    try System.File.makeDirectory(folder)
    for (index, file) in files.enumerated() {
      let path = "\(folder)/\(file.name)"
      if FileStatus.of(path) != nil { continue }
      let size = file.bytes.map { ", \(ByteCount($0))" } ?? ""
      fetch.note("fetching \(file.name) of \(repository) (\(index + 1) of \(files.count)\(size))")
      // Named by its commit: what an attempt at another one left is no beginning of this.
      let partial = "\(fetch.folder)/\(commit).\(Digest.of(text: file.name).hex)"
      try self.fetch(file, of: commit, to: partial, fetch)
      try System.File.makeDirectory(Path.parent(path))
      try System.File.rename(partial, to: path)
    }
  }

  private func fetch(_ file: File, of commit: String, to path: String, _ fetch: Fetch) throws {
    try download(
      "\(prefix)\(repository)/resolve/\(commit)/\(file.name)", to: path, fetch,
      size: file.bytes.map { Download.Size(bytes: $0, saidBy: "the hub lists for it", isExact: true) })
    guard let digest = file.digest else { return }
    let found = try Digest.ofFile(path).digest
    guard found == digest else {
      try System.File.remove(path)
      throw RunError(
        .remote,
        "`\(file.name)` of `\(repository)` was fetched with sha256 \(found.hex), but the hub lists \(digest.hex); it is not kept; run again"
      )
    }
  }

  /// One file at a revision that need not be a commit.
  func fetch(_ name: String, at revision: String, to path: String, _ fetch: Fetch) throws {
    try download("\(prefix)\(repository)/resolve/\(revision)/\(name)", to: path, fetch)
  }

  private var prefix: String { kind == .datasets ? "datasets/" : "" }

  private func download(
    _ place: String, query: String? = nil, to path: String, _ fetch: Fetch, size: Download.Size? = nil
  ) throws {
    let token = try token()
    var download = try Download(
      from:
        "\(endpoint)/\(PercentEncoding.encoded(place, keeping: "/=&@+!,()"))\(query.map { "?\($0)" } ?? "")")
    download.headers = token.map { [("Authorization", "Bearer \($0)")] } ?? []
    let what = kind == .datasets ? "data set" : "model"
    download.whenRefused =
      token == nil
      ? "; a private or gated \(what) needs a token in `\(Hub.tokenVariable)`"
      : "; the token in `\(Hub.tokenVariable)` was sent"
    download.size = size
    try download.fetch(to: path, fetch)
  }

  /// Without the line break that a file of it ends with.
  private func token() throws -> String? {
    guard let value = environmentValue(Hub.tokenVariable) else { return nil }
    let token = String(
      decoding: value.utf8.reversed().drop { $0 == 0x0A || $0 == 0x0D || $0 == 0x20 }.reversed(),
      as: UTF8.self)
    if token.isEmpty { return nil }
    guard token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), token.utf8.count <= 4096 else {
      throw RunError(
        .commandLine,
        "`\(Hub.tokenVariable)` is not a token: expected at most 4096 letters, digits and signs in one line"
      )
    }
    return token
  }
}
