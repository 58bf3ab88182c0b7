// What a shell may complete, from the experiment that stands on the command line already.

import ArgumentParser
import Runner

enum Completion {
  static let experiment = CompletionKind.file(extensions: ["yaml", "yml"])

  /// For `--set`: `name=value` as it is, where a shell leaves that alone.
  static let parameters = CompletionKind.custom { words, _, _ in
    (loaded(words)?.experiment.parameters ?? []).map { parameter in
      let value = parameter.value.stringValue ?? parameter.value.text()
      let isPlain = value.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
          || "_-+./".utf8.contains($0)
      }
      return "\(parameter.name)=\(isPlain ? value : "")"
    }
  }

  /// The stages of the plan.
  static let addresses = CompletionKind.custom { words, _, _ in
    guard let nodes = loaded(words)?.plan.nodes else { return [] }
    return nodes.map(\.address)
  }

  /// The models of the experiment.
  static let models = CompletionKind.custom { words, _, _ in
    loaded(words)?.plan.models.map(\.name) ?? []
  }

  /// The ids of this project's runs, the newest first, and what stands for some of them.
  static let runs = CompletionKind.custom { _, _, _ in runSelectors() }

  /// Of `logs`: a run, or a stage of the last one.
  static let runOrStage = CompletionKind.custom { _, _, _ in
    let last = (try? RunsArguments.parse([]).find("@last")).flatMap { try? RunNode.read($0.path) } ?? []
    return last.map(\.address) + runSelectors()
  }

  private static func runSelectors() -> [String] {
    let runs = (try? RunsArguments.parse([]).index().runs()) ?? []
    return ["@last", "@last~1"] + runs.reversed().map(\.id)
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
