// `expect:` and `until:`: what must hold of metrics. `{metric: reward, above: quark@1.evaluate.reward}`.

import JSON

struct ConditionDecoder {
  /// Resolves addresses, seen from where the condition stands.
  let metrics: MetricResolver
  /// Under `metrics:`; their names may stand for addresses.
  let declared: [Experiment.MetricEntry]
  private var collector: DiagnosticCollector { metrics.scope.collector }

  init(metrics: MetricResolver, declared: [Experiment.MetricEntry]) {
    self.metrics = metrics
    self.declared = declared
  }

  /// One condition, or a list of which all must hold.
  func decode(_ node: Node, _ what: String) -> [Experiment.Condition] {
    if node.isNull || node.isInvalid { return [] }
    return (node.elements ?? [node]).compactMap { condition($0, what) }
  }

  private func condition(_ node: Node, _ what: String) -> Experiment.Condition? {
    let form = "`{metric: ADDRESS, above: NUMBER}`"
    guard
      let fields = collector.fields(
        node, of: what, known: Language.condition.names, help: "write \(form)")
    else { return nil }
    guard let metric = fields["metric"] else {
      collector.missingKey("metric", of: what, at: node.span, help: "write \(form)")
      return nil
    }
    var within = 0.0
    if let tolerance = fields.entry("within") {
      if fields["equals"] == nil {
        collector.error(
          .conflictingKeys, "`within` of \(what) needs `equals`", at: tolerance.keySpan,
          label: "the tolerance of `equals`", help: "add `equals`, or remove `within`")
      }
      within =
        collector.number(tolerance.value, "`within` of \(what)", 0...Double.greatestFiniteMagnitude) ?? 0
    }
    var tests: [Experiment.Condition.Test] = []
    var isSound = true
    for (word, comparison) in Language.comparisons {
      guard let node = fields[word] else { continue }
      let comparison = comparison(within)
      if let operand = operand(node, "`\(word)` of \(what)") {
        tests.append(Experiment.Condition.Test(comparison: comparison, operand: operand))
      } else {
        isSound = false
      }
    }
    if tests.isEmpty, isSound {
      collector.missingKey(
        "above", of: what, at: node.span, help: "or one of `below`, `at_least`, `at_most`, `equals`")
    }
    guard let metric = named(metric, "`metric` of \(what)"), isSound, !tests.isEmpty else { return nil }
    return Experiment.Condition(metric: metric, tests: tests, span: node.span)
  }

  private func operand(_ node: Node, _ what: String) -> Experiment.Condition.Operand? {
    if node.isInvalid { return nil }
    guard node.string != nil else {
      return collector.number(
        node, what, -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
      ).map { .number($0) }
    }
    guard let metric = named(node, what) else { return nil }
    guard !metric.isSeries else {
      collector.error(
        .collection, "\(what) takes one number, and `\(metric.name)` may be several", at: node.span,
        label: "a collection", notes: collector.originNotes(node),
        help: "choose one: an iteration with `@last` or `@2`, a cell with `@axis=value`")
      return nil
    }
    return .metric(metric)
  }

  /// A declared metric, else an address.
  private func named(_ node: Node, _ what: String) -> Experiment.MetricEntry? {
    guard let text = collector.string(node, what) else { return nil }
    if let metric = declared.first(where: { UTF8Key($0.name) == UTF8Key(text) }) { return metric }
    let isName = !text.utf8.contains { ".@".utf8.contains($0) }
    if isName, let near = Suggestion.help(for: text, among: declared.map(\.name)) {
      collector.error(
        .unknownMetric, "\(what) names `\(text)`, which is not declared", at: node.span,
        label: "not under `metrics`", notes: collector.originNotes(node), help: near)
      return nil
    }
    return metrics.resolve(node, name: text, user: what)
  }
}
