// What a shell may complete, from the experiment that stands on the command line already.

import ArgumentParser
import Runner

enum Completion {
  static let experiment = CompletionKind.file(extensions: ["yaml", "yml"])

  /// `name=` for `--set`.
  static let parameters = CompletionKind.custom { words, _, _ in
    loaded(words).map { $0.experiment.parameters.map { "\($0.name)=" } } ?? []
  }

  /// The stages of the plan.
  static let addresses = CompletionKind.custom { words, _, _ in
    guard let nodes = loaded(words)?.plan.nodes else { return [] }
    return nodes.map(\.address)
  }

  /// Nil when no word names an experiment, or it is wrong: completing says nothing.
  private static func loaded(_ words: [String]) -> (experiment: Experiment, plan: Plan)? {
    guard let file = words.dropFirst().first(where: { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }) else {
      return nil
    }
    guard case .success(let loaded) = Planner.plan(path: file, stages: stageRegistry) else { return nil }
    return loaded
  }
}
