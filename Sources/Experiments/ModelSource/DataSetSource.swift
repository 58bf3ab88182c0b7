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
  /// In bytes.
  private static let mostOfReadme = 64 << 20

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

  /// A data set of which the digest is not known: what lies in the cache of its commit, or what is fetched. A revision that is no commit
  /// is asked for each time.
  package func fetch(_ set: RemoteDataSet, note: @escaping (String) -> Void) throws -> (
    digest: Digest, data: FetchedData
  ) {
    if Hub.isCommit(set.revision), let digest = fetched(set, of: set.revision),
      let data = fetched(set, digest)
    {
      return (digest, data)
    }
    var commit = ""
    let text =
      set.text + (set.config.map { " config \($0)" } ?? "") + (set.split.map { " split \($0)" } ?? "")
    do {
      let digest = try cache.digest(of: text, named: Self.folder, .data, note: note) { fetch in
        let (folder, found) = try self.fetch(set, fetch, reusing: true)
        commit = found
        return folder
      }
      try write(commit, of: set, digest)
      guard let data = fetched(set, digest) else {
        throw RunError(.machine, "`\(folder(digest))` was removed while it was used; run again")
      }
      return (digest, data)
    } catch let error as AlreadyFetched {
      guard let data = fetched(set, error.digest) else {
        throw RunError(.machine, "`\(folder(error.digest))` was removed while it was used; run again")
      }
      return (error.digest, data)
    } catch let error as InputError {
      throw InputError("`\(RemoteDataSet.scheme)\(set.text)`: \(error.description)")
    }
  }

  /// The folder with the files that are meant, and the commit that they are of.
  /// - Throws: `AlreadyFetched`, if `reusing`, for what lies in the cache.
  private func fetch(_ set: RemoteDataSet, _ fetch: Fetch, reusing: Bool = false) throws -> (
    folder: String, commit: String
  ) {
    let hub = Hub(kind: .datasets, repository: set.repository)
    let (commit, files) = try hub.list(set.revision, fetch)
    if reusing, let digest = fetched(set, of: commit) {
      try File.removeTree(Path.parent(fetch.folder))
      throw AlreadyFetched(digest: digest)
    }
    let configurations = try configurations(of: set, files, commit, hub, fetch)
    let names: [String]
    do { names = try set.chosen(among: files.map(\.name), configurations) } catch {
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

  /// What the repository's README says of them, where they follow from it.
  /// - Throws: as `Download`; `InputError` with the place of what is wrong.
  private func configurations(
    of set: RemoteDataSet, _ files: [Hub.File], _ commit: String, _ hub: Hub, _ fetch: Fetch
  ) throws -> HubConfigurations? {
    guard set.files == nil,
      let readme = files.first(where: { UTF8Key($0.name) == UTF8Key(HubConfigurations.file) })
    else { return nil }
    if let bytes = readme.bytes, bytes > Self.mostOfReadme {
      throw InputError(
        "`\(readme.name)` has \(ByteCount(bytes)); at most \(ByteCount(Self.mostOfReadme)) are fetched; name files of the data set"
      )
    }
    let folder = "\(fetch.folder)/readme.\(commit)"
    try hub.fetch([readme], of: commit, below: folder, fetch)
    let file = SourceFile(
      name: readme.name, folder: folder,
      bytes: try File.readUserFile("\(folder)/\(readme.name)", upTo: HubConfigurations.mostBytes))
    let collector = DiagnosticCollector()
    let found = HubConfigurations(readme: file, collector)
    if let problem = collector.list.diagnostics.first(where: { $0.severity == .error }) {
      throw InputError(problem.line)
    }
    return found
  }

  private func folder(_ digest: Digest) -> String { "\(cache.root)/\(digest.hex)/\(Self.folder)" }

  // MARK: where it came from

  private func write(_ commit: String, of set: RemoteDataSet, _ digest: Digest) throws {
    func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
    let origin: JSON = [
      "repository": .string(set.repository), "revision": .string(set.revision), "commit": .string(commit),
      "files": text(set.files), "config": text(set.config), "split": text(set.split),
    ]
    try File.writeDurably(origin.text() + "\n", to: "\(cache.root)/\(digest.hex)/\(Self.origin)")
  }

  private func origin(of digest: Digest) -> JSON? {
    (try? File.read("\(cache.root)/\(digest.hex)/\(Self.origin)")).flatMap { try? JSON(parsing: $0) }
  }

  /// The digest under which the files that are meant lie in the cache, fetched from this commit.
  private func fetched(_ set: RemoteDataSet, of commit: String) -> Digest? {
    let wanted: [(String, String?)] = [
      ("repository", set.repository), ("commit", commit), ("files", set.files), ("config", set.config),
      ("split", set.split),
    ]
    let digests = ((try? File.names(in: cache.root)) ?? []).sorted().lazy.compactMap(Digest.init(hex:))
    return digests.first { digest in
      guard let origin = origin(of: digest), paths(of: digest) != nil else { return false }
      return wanted.allSatisfy { name, value in
        origin[name] != nil && origin[name]?.stringValue.map(UTF8Key.init) == value.map(UTF8Key.init)
      }
    }
  }

  private func commit(of set: RemoteDataSet, _ digest: Digest) -> String? {
    guard let json = origin(of: digest),
      json["repository"]?.stringValue.map(UTF8Key.init) == UTF8Key(set.repository),
      json["revision"]?.stringValue.map(UTF8Key.init) == UTF8Key(set.revision)
    else { return nil }
    return json["commit"]?.stringValue
  }
}

/// What was to be fetched lies in the cache.
private struct AlreadyFetched: Error {
  let digest: Digest
}
