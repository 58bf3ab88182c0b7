// A model as a command line names it: a path, a result, or a remote model.

import ArgumentParser
import Runner
import System

/// Where it lies here; a remote one is fetched.
struct ModelPlace {
  let path: String
  /// The digest of one that was fetched now.
  private(set) var fetched: Digest?

  init(_ model: String, _ parameters: ParameterArguments, storage: StoreArguments) throws {
    if let source = try remoteSource(model) {
      let (digest, path) = try ModelSource.fetch(source) { standardError(TerminalText.escaped($0) + "\n") }
      (self.path, fetched) = (path, digest)
    } else if let result = modelResult(model) {
      path = try StoredResult.modelPath(result, parameters, storage: storage)
    } else {
      path = model
    }
  }
}

/// What a model on the command line is fetched from; nil for one that is here.
/// - Throws: `ValidationError` for a scheme with something else behind it than it takes.
func remoteSource(_ model: String) throws -> RemoteSource? {
  guard let scheme = RemoteSource.scheme(of: model) else { return nil }
  guard let source = RemoteSource(model, scheme) else {
    throw ValidationError("expected \(scheme.rawValue):\(scheme.form), found \(model)")
  }
  return source
}
