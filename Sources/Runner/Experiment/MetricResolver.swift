// `metrics:`: names for numbers that stages give. `quark@last.evaluate.reward`, `quark@all.evaluate.reward`, `evaluate.reward`.

import JSON

struct MetricResolver {
  let collector: DiagnosticCollector
  let resolver: ReferenceResolver

  func resolve(_ entry: MappingEntry) -> Experiment.MetricEntry? {
    collector.checkName(entry, "a metric")
    let user = "metric `\(entry.key)`"
    let node = entry.value
    guard let text = collector.string(node, user) else { return nil }
    let address = ReferenceResolver.Address(text)
    if let selector = address.selector {
      guard let found = resolver.scope(inside: nil).iterationTarget(address, selector, node, user) else {
        return nil
      }
      return finish(
        entry, found.stage, Array(address.rest.dropFirst()), text, isSeries: found.iteration == nil
      ) {
        .iteration(loop: found.loop, found.iteration ?? .last, stage: found.index, output: $0)
      }
    }
    for (index, member) in resolver.members.enumerated() where UTF8Key(member.name) == UTF8Key(address.head) {
      if case .stage(let stage) = member {
        return finish(entry, stage, address.rest, text, isSeries: false) { .stage(index, output: $0) }
      }
    }
    // Says what is wrong with the name, and what is near.
    if case .invalid = resolver.scope(inside: nil).resolve(node, user: user) { return nil }
    collector.error(
      "unknown-metric", "\(user) names no stage that gives metrics", at: node.span, label: "not a stage")
    return nil
  }

  private func finish(
    _ entry: MappingEntry, _ stage: StageDraft, _ rest: [String], _ text: String, isSeries: Bool,
    _ make: (String) -> Reference
  ) -> Experiment.MetricEntry? {
    guard let declaration = stage.declaration else { return nil }
    let outputs = declaration.outputs.filter { $0.type == .metrics }
    guard let first = outputs.first else {
      collector.error(
        "unknown-metric", "stage `\(stage.path)` gives no metrics", at: entry.value.span,
        label: "`\(declaration.name)` gives "
          + (declaration.outputs.isEmpty
            ? "nothing" : declaration.outputs.map(\.type.words).joined(separator: ", ")))
      return nil
    }
    var rest = rest
    var output = first.name
    if rest.count > 1, let named = outputs.first(where: { UTF8Key($0.name) == UTF8Key(rest[0]) }) {
      output = named.name
      rest.removeFirst()
    }
    let metric = rest.joined(separator: ".")
    guard !metric.isEmpty else {
      collector.error(
        "unknown-metric", "metric `\(entry.key)` names a stage but no number in its metrics",
        at: entry.value.span, label: "the name of a number is missing", help: "write `\(text).NAME`")
      return nil
    }
    return Experiment.MetricEntry(
      name: entry.key, stage: make(output), isSeries: isSeries, output: output, metric: metric,
      span: entry.value.span)
  }
}
