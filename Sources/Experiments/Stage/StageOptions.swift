// A stage's options as it reads them: decoded, checked and complete before the stage starts.

import JSON

/// The resolved options of one node, read by their `StageOption`s: `options[Self.limit]`. Every declared option is present, so a missing
/// one or another type is a programmer error of the stage, not a user's.
public struct StageOptions: Sendable {
  public let json: JSON

  public init(_ json: JSON) { self.json = json }
}
