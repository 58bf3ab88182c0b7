// `evaluate`: numbers about a set of generations, by the metrics that are wanted.

import JSON
import Models
import Runner

package struct EvaluateStage: Stage {
  package init() {}

  private static let wanted = StageOption<[any Metric.Type]>(
    "metrics", .list(.choice(metrics.map { ($0.name, $0) }), count: 1...metrics.count),
    default: ["reward", "perplexity", "distinct"],
    summary: "what to measure: " + metrics.map { "`\($0.name)`, \($0.summary)" }.joined(separator: "; "))

  package static let declaration = StageDeclaration(
    name: "evaluate",
    summary: "Measures generations.",
    version: 2,
    inputs: [
      InputPort("rows", .rows, columns: ["prompt", "generations"], summary: "rows with generations")
    ] + .united(metrics.map { $0.inputs }),
    outputs: [
      OutputPort(
        "metrics", .metrics, summary: numbers(of: metrics).map { "`\($0)`" }.joined(separator: ", "))
    ],
    options: [wanted.field, TargetSource.option.field] + PromptOptions.fields,
    numerics: .ofModels(), estimate: estimate)

  package static func declaration(for options: JSON) -> StageDeclaration {
    wanted.value(in: options).map { declaration.giving("metrics", names: numbers(of: $0, options)) }
      ?? declaration
  }

  private static func numbers(of wanted: [any Metric.Type], _ options: JSON = [:]) -> [String] {
    ["generations"] + inOrder(wanted).flatMap { $0.numbers(for: options) }
  }

  /// Each once, in the order of `metrics`.
  private static func inOrder(_ wanted: [any Metric.Type]) -> [any Metric.Type] {
    metrics.filter { metric in wanted.contains { $0 == metric } }
  }

  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    let wanted = stage.options[wanted]
    for metric in inOrder(wanted) {
      for port in metric.inputs where !stage.isBound(port.name) {
        let others = wanted.filter { $0 != metric }.map { $0.name }.joined(separator: ", ")
        findings.error(
          .missingInput,
          "`metrics` asks for `\(metric.name)`, which needs the input `\(port.name)`, which is not bound",
          at: .option("metrics"), label: "needs `\(port.name)`",
          help:
            "bind it: `in: {\(port.name): \(port.type.rawValue.uppercased())}`; or list other metrics: `metrics: [\(others)]`"
        )
      }
      for column in metric.columns {
        findings.want(
          column: column.name, of: "rows", in: stage, because: "the metric `\(metric.name)`",
          help: "\(column.source); or list other metrics")
      }
      metric.init().check(stage, &findings)
    }
    if !wanted.contains(where: { $0 == PerplexityMetric.self }) { checkUnread(stage.options, &findings) }
    return findings
  }

  /// Options of a model that no metric reads.
  private static func checkUnread(_ options: StageOptions, _ findings: inout StageFindings) {
    let prompts = PromptOptions(options)
    let written = [
      ("special_tokens", prompts.specialTokens != .text), ("max_length", prompts.length.maximum != nil),
      ("targets", options[TargetSource.option] != .tokens),
      ("overflow", prompts.length.overflow != .fail), ("cut", prompts.length.hasUnusedCut),
    ]
    for (name, isWritten) in written where isWritten {
      findings.error(
        .conflictingOptions, "`\(name)` is for `perplexity`, which `metrics` does not ask for",
        at: .option(name), label: "has nothing to act on", help: "remove it, or add `perplexity` to `metrics`"
      )
    }
  }

  private static func estimate(_ input: StageEstimate.Input) -> StageEstimate {
    let estimates = input.options[wanted].compactMap { $0.init().estimate(input) }
    return StageEstimate(
      outputs: ["metrics": ArtifactSize(bytes: 1 << 10)],
      memoryBytes: estimates.compactMap(\.memoryBytes).max(),
      seconds: estimates.isEmpty
        ? Estimates.reading(input.input("rows")) : estimates.compactMap(\.seconds).reduce(0, +))
  }

  package func run(_ context: StageContext) throws {
    let wanted = Self.inOrder(context.options[Self.wanted])
    let generations = try Generations(
      context.input("rows"),
      requiring: ["prompt", "generations"] + wanted.flatMap { $0.columns.map(\.name) })
    var result = JSONObject([("generations", .int(Int64(generations.samples.count)))])
    for metric in wanted {
      for port in metric.inputs where context.inputs[port.name] == nil {
        throw InputError("`metrics` asks for \(metric.name), which needs the input `\(port.name)`")
      }
      let values = try metric.init().measure(generations, context)
      let numbers = metric.numbers(for: context.options.json)
      precondition(
        values.count == numbers.count, "\(metric.name): \(values.count) values for \(numbers)")
      for (name, value) in zip(numbers, values) { result[name] = value }
    }
    try writeMetrics(.object(result), to: context.output("metrics", .metrics))
  }
}
