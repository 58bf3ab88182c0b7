// Data sets of a hub in the model cache: fetched once, known by the digest of their files.

import JSON
import System

/// A data set that was fetched.
package struct FetchedData: Sendable {
  /// Absolute, in the order in which they are read.
  package let paths: [String]
  /// What each is called in the repository.
  package let names: [String]
  /// Nil where the same files were fetched from elsewhere.
  package let commit: String?
}

package struct DataSetSource: Sendable {
  package let cache: ModelCache

  package init(_ cache: ModelCache) { self.cache = cache }

  /// `$PLUMB_MODELS` and its like.
  package static func standard() throws -> DataSetSource { DataSetSource(try .standard()) }

  private static let folder = "data"
  private static let origin = "source.json"

  /// What lies in the cache under a digest; nil when nothing does. It is not hashed again.
  package func fetched(_ set: RemoteDataSet, _ digest: Digest) -> FetchedData? {
    guard let paths = paths(of: digest) else { return nil }
    let folder = self.folder(digest) + "/"
    let commit = Hub.isCommit(set.revision) ? set.revision : commit(of: set, digest)
    return FetchedData(
      paths: paths,
      names: paths.map { String(decoding: $0.utf8.dropFirst(folder.utf8.count), as: UTF8.self) },
      commit: commit)
  }

  package func paths(of digest: Digest) -> [String]? {
    let folder = folder(digest)
    guard FileStatus.of(folder)?.isDirectory == true,
      let names = try? Manifest.files(below: folder, followingLinks: false), !names.isEmpty
    else { return nil }
    return names.map { "\(folder)/\($0)" }
  }

  /// Fetched first unless it is there. `note` gets a line a person waiting wants to read.
  /// - Throws: as `Download`; `InputError` for other files than the digest says, and where the repository has none that are meant.
  package func local(
    _ set: RemoteDataSet, _ digest: Digest, store: Store?, signals: SignalDescriptor? = nil,
    note: @escaping (String) -> Void
  ) throws -> FetchedData {
    var commit: String?
    do {
      _ = try cache.path(
        of: digest, named: Self.folder, .data, store: store, signals: signals, note: note
      ) { fetch in
        let (folder, found) = try self.fetch(set, fetch)
        commit = found
        return folder
      }
    } catch let error as InputError {
      let moved =
        commit.map {
          Hub.isCommit(set.revision) ? "" : "; `\(set.revision)` is the commit \($0) now: it may have moved"
        } ?? ""
      throw InputError("`\(RemoteDataSet.scheme)\(set.text)`: \(error.description)\(moved)")
    }
    if let commit { try write(commit, of: set, digest) }
    guard let data = fetched(set, digest) else {
      throw RunError(.machine, "`\(folder(digest))` was removed while it was used; run again")
    }
    return data
  }

  /// Fetches a data set of which the digest is not known.
  package func fetch(_ set: RemoteDataSet, note: @escaping (String) -> Void) throws -> (
    digest: Digest, data: FetchedData
  ) {
    var commit = ""
    let text = set.text + (set.split.map { " split \($0)" } ?? "")
    do {
      let digest = try cache.digest(of: text, named: Self.folder, .data, note: note) { fetch in
        let (folder, found) = try self.fetch(set, fetch)
        commit = found
        return folder
      }
      try write(commit, of: set, digest)
      guard let data = fetched(set, digest) else {
        throw RunError(.machine, "`\(folder(digest))` was removed while it was used; run again")
      }
      return (digest, data)
    } catch let error as InputError {
      throw InputError("`\(RemoteDataSet.scheme)\(set.text)`: \(error.description)")
    }
  }

  /// The folder with the files that are meant, and the commit that they are of.
  private func fetch(_ set: RemoteDataSet, _ fetch: Fetch) throws -> (folder: String, commit: String) {
    let hub = Hub(kind: .datasets, repository: set.repository)
    let (commit, files) = try hub.list(set.revision, fetch)
    let names: [String]
    do { names = try set.chosen(among: files.map(\.name)) } catch {
      throw InputError("the data set \(error.words); \(error.help("\(RemoteDataSet.scheme)\(set.text)"))")
    }
    guard names.count <= FilesDecoder.largest else {
      throw InputError("\(names.count) files are meant; expected at most \(FilesDecoder.largest)")
    }
    fetch.note("`\(RemoteDataSet.scheme)\(set.text)` is the commit \(commit)")
    var listed: [UTF8Key: Hub.File] = [:]
    for file in files { listed[UTF8Key(file.name)] = file }
    // Another choice of files of this commit is another folder.
    let folder = "\(fetch.folder)/\(Digest.of(text: ([commit] + names).joined(separator: "\n")).hex)"
    try hub.fetch(names.compactMap { listed[UTF8Key($0)] }, of: commit, below: folder, fetch)
    return (folder, commit)
  }

  private func folder(_ digest: Digest) -> String { "\(cache.root)/\(digest.hex)/\(Self.folder)" }

  // MARK: where it came from

  private func write(_ commit: String, of set: RemoteDataSet, _ digest: Digest) throws {
    let origin: JSON = [
      "repository": .string(set.repository), "revision": .string(set.revision), "commit": .string(commit),
    ]
    try File.writeDurably(origin.text() + "\n", to: "\(cache.root)/\(digest.hex)/\(Self.origin)")
  }

  private func commit(of set: RemoteDataSet, _ digest: Digest) -> String? {
    guard let text = try? File.read("\(cache.root)/\(digest.hex)/\(Self.origin)"),
      let json = try? JSON(parsing: text),
      json["repository"]?.stringValue.map(UTF8Key.init) == UTF8Key(set.repository),
      json["revision"]?.stringValue.map(UTF8Key.init) == UTF8Key(set.revision)
    else { return nil }
    return json["commit"]?.stringValue
  }
}
