// The plug-ins a program knows: an explicit list, in the order in which they are shown.

import JSON

package struct StageRegistry: Sendable {
  /// In the order given.
  package let stages: [any Stage.Type]

  /// - Precondition: no two stages have the same name.
  package init(_ stages: [any Stage.Type]) {
    var seen: Set<UTF8Key> = []
    for stage in stages {
      let name = stage.declaration.name
      precondition(seen.insert(UTF8Key(name)).inserted, "two stages are called `\(name)`")
    }
    self.stages = stages
  }

  package func stage(named name: String) -> (any Stage.Type)? {
    stages.first { UTF8Key($0.declaration.name) == UTF8Key(name) }
  }

  package var names: [String] { stages.map { $0.declaration.name } }
}
