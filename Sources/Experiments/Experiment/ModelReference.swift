// A model as an experiment names it.

import JSON

/// A model named under `models:`.
package struct ModelReference: Sendable, Equatable {
  package enum Source: Sendable, Equatable {
    /// Absolute path of a directory or a GGUF file; with `parts` also of a file of weights.
    case path(String)
    case remote(RemoteSource)
    /// A model that an experiment, or one run of it, made: the absolute path of either, and the address in it.
    case run(file: String, address: String)
    case server(ServerModel)
  }
  package var name: String
  package var source: Source
  /// Of a path: what lies elsewhere.
  package var parts: ModelParts?
  /// Hex; required for remote sources.
  package var sha256: String?
  /// What its header says, where it lies here and a stage reads it; see `StageRegistry.describeModel`.
  package var facts = JSON.object(JSONObject())
  /// Of a server: what sets each member of its `keyPart`.
  package var origins: [ValueOrigin] = []
  /// Nil of one whose weights are here.
  package var server: ServerModel? {
    if case .server(let server) = source { server } else { nil }
  }

  package init(name: String, source: Source, parts: ModelParts? = nil, sha256: String?) {
    self.name = name
    self.source = source
    self.parts = parts
    self.sha256 = sha256
  }
}
