// `--where lr=1e-4`, `--where 'after>0.5'`: which runs are meant, by a parameter, a metric or the state.

import JSON
import System

/// A name that is known, a relation, and a value of YAML. A name may have an equals sign in it, as the cells of a matrix have.
package struct RunCondition {
  private enum Relation: String, CaseIterable {
    case atMost = "<="
    case atLeast = ">="
    case unequal = "!="
    case equal = "="
    case less = "<"
    case greater = ">"
  }

  private static let state = "state"

  private let name: String
  private let relation: Relation
  private let value: JSON

  /// - Throws: `RunError` (2) for a name that none of the runs has, or a text without a relation.
  package init(_ text: String, among runs: [RunSummary]) throws {
    let names =
      RunNames.all(runs.map(\.parameters)) + RunNames.all(runs.map(\.metrics)) + [Self.state]
    var best: (name: String, relation: Relation, rest: String)?
    for name in names where text.utf8.starts(with: name.utf8) && name.utf8.count > best?.name.utf8.count ?? -1
    {
      let rest = String(text.utf8.dropFirst(name.utf8.count)) ?? ""
      guard let relation = Relation.allCases.first(where: { rest.utf8.starts(with: $0.rawValue.utf8) })
      else { continue }
      best = (name, relation, String(rest.utf8.dropFirst(relation.rawValue.utf8.count)) ?? "")
    }
    guard let best else {
      let signs = Set("<>=!".utf8)
      guard let end = text.utf8.firstIndex(where: signs.contains), end > text.startIndex else {
        throw RunError(
          .commandLine, "`--where \(text)` has no relation; write `lr=1e-4`, `after>0.5` or `state=done`")
      }
      try RunNames.check([String(text[..<end])], among: names, "parameter or metric")
      throw RunError(.bug, "`--where \(text)` names what is known and is not understood")
    }
    (name, relation) = (best.name, best.relation)
    let source = SourceFile(name: "--where", folder: "", bytes: Array(best.rest.utf8))
    switch Document.json(of: source) {
    case .success(let json): value = json
    case .failure(let list): throw RunError(.commandLine, DiagnosticRenderer().render(list))
    }
  }

  /// A number is compared as a number, of a series the last; what a run does not have meets no condition.
  package func holds(for run: RunSummary) -> Bool {
    // Never `nil` for a JSON, which would be a null.
    let isState = run.parameters[name] == nil && run.metrics[name] == nil && name == Self.state
    let state = isState ? Optional(JSON.string(run.state.rawValue)) : nil
    guard
      let found = run.parameters[name] ?? run.metrics[name].map({ $0.arrayValue?.last ?? $0 }) ?? state
    else { return false }
    if let a = found.doubleValue, let b = value.doubleValue {
      return switch relation {
      case .atMost: a <= b
      case .atLeast: a >= b
      case .unequal: a != b
      case .equal: a == b
      case .less: a < b
      case .greater: a > b
      }
    }
    switch relation {
    case .equal: return found == value
    case .unequal: return found != value
    case .atMost, .atLeast, .less, .greater: return false
    }
  }
}
