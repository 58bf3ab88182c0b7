// `metrics:`: names for numbers that stages report. `quark@last.evaluate.reward`, `quark@all.evaluate.reward`,
// `score@rm=a.mean`, `evaluate.reward`; inside a loop also `before.reward`, of metrics that it carries.

import JSON

struct MetricResolver {
  /// The place from which addresses are seen.
  let scope: ReferenceScope
  private var collector: DiagnosticCollector { scope.collector }

  init(scope: ReferenceScope) { self.scope = scope }

  func resolve(_ entry: MappingEntry) -> Experiment.MetricEntry? {
    collector.checkName(entry, "a metric")
    return resolve(entry.value, name: entry.key, user: "metric `\(entry.key)`")
  }

  /// `user` says who refers, for messages.
  func resolve(_ node: Node, name: String, user: String) -> Experiment.MetricEntry? {
    guard let text = collector.string(node, user) else { return nil }
    if let carried = scope.carried(text) {
      return metric(ofCarried: carried, text, node, name: name, user: user)
    }
    switch scope.find(text, node, user: user) {
    case nil: return nil
    case .stages(let target)?: return finish(target, text, node, name: name, user: user)
    case .model?, .carried?:
      collector.error(
        .unknownMetric, "\(user) names no stage that gives metrics", at: node.span, label: "not a stage")
      return nil
    }
  }

  /// What the iteration before handed on, or what the first began with.
  private func metric(
    ofCarried carried: (up: Int, index: Int, rest: [String]), _ text: String, _ node: Node, name: String,
    user: String
  ) -> Experiment.MetricEntry? {
    let type = scope.quiet.leaving(carried.up).typeCarried(carried.index, depth: 0)
    // Without a type its own mistake has been reported, or it is always null.
    guard type == nil || type == .metrics else {
      collector.error(
        .unknownMetric, "\(user) names no stage that gives metrics", at: node.span,
        label: "carries \(type?.words ?? "nothing")", notes: collector.originNotes(node),
        help: "carry metrics: `{first: null, next: STAGE.metrics}`")
      return nil
    }
    guard !carried.rest.isEmpty else { return lacksNumber(text, node, user) }
    let metric = carried.rest.joined(separator: ".")
    for (path, output) in scope.quiet.leaving(carried.up).outputsCarried(carried.index, depth: 0) {
      guard reports(metric, output, of: path, node, user) else { return nil }
    }
    return Experiment.MetricEntry(
      name: name, stage: .carried(up: carried.up, index: carried.index), isSeries: false, output: "",
      metric: metric, span: node.span)
  }

  /// Whether a stage reports a number of this name, as far as it declares its names.
  private func reports(
    _ metric: String, _ output: OutputPort?, of path: String, _ node: Node, _ user: String
  ) -> Bool {
    guard let names = output?.names, !metric.isEmpty else { return true }
    let first = metric.split(separator: ".", omittingEmptySubsequences: false).first.map(String.init)
    if names.contains(where: { [metric, first].contains($0) }) { return true }
    collector.error(
      .unknownMetric, "\(user) names `\(metric)`, which stage `\(path)` does not report", at: node.span,
      label: "no such number", notes: collector.originNotes(node),
      help: Suggestion.helpOrList(for: metric, among: names, what: "it reports"))
    return false
  }

  private func lacksNumber(_ text: String, _ node: Node, _ user: String) -> Experiment.MetricEntry? {
    collector.error(
      .unknownMetric, "\(user) names a stage but no number in its metrics", at: node.span,
      label: "the name of a number is missing", help: "write `\(text).NAME`")
    return nil
  }

  private func finish(
    _ target: ReferenceScope.Target, _ text: String, _ node: Node, name: String, user: String
  ) -> Experiment.MetricEntry? {
    var found: (output: String, metric: String)?
    for stage in target.stages {
      guard let declaration = stage.declaration else { return nil }
      let outputs = declaration.outputs.filter { $0.type == .metrics }
      guard let first = outputs.first else {
        collector.error(
          .unknownMetric, "stage `\(stage.path)` gives no metrics", at: node.span,
          label: "`\(declaration.name)` gives "
            + (declaration.outputs.isEmpty
              ? "nothing" : declaration.outputs.map(\.type.words).joined(separator: ", ")))
        return nil
      }
      var rest = target.rest
      var output = first.name
      if rest.count > 1, let named = outputs.first(where: { UTF8Key($0.name) == UTF8Key(rest[0]) }) {
        output = named.name
        rest.removeFirst()
      }
      let metric = rest.joined(separator: ".")
      let port = outputs.first { UTF8Key($0.name) == UTF8Key(output) }
      guard reports(metric, port, of: stage.path, node, user) else { return nil }
      found = (output, metric)
    }
    guard let found, !found.metric.isEmpty else { return lacksNumber(text, node, user) }
    return Experiment.MetricEntry(
      name: name, stage: .stages(target.path, output: found.output), isSeries: target.collects,
      output: found.output, metric: found.metric, span: node.span)
  }
}
