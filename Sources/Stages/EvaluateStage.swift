// `evaluate`: numbers about a set of generations, by the metrics that are wanted.

import Experiments
import JSON
import Models

package struct EvaluateStage: Stage {
  package init() {}

  private static let wanted = StageOption<[any Metric]>(
    "metrics", .list(.either(words, mappings), count: 1...100),
    default: ["reward", "perplexity", "distinct"],
    summary:
      "what to measure, by name or, with options of its own, as a mapping with `kind`. Of each mean `X` there are also `X_se`, `X_low` and `X_high`: its standard error and interval. By name: "
      + simple.map { "`\($0.name)`, \($0.summary)" }.joined(separator: "; "))

  /// Those whose options all have defaults.
  private static let simple = metrics.filter { $0.options.allSatisfy { $0.defaultValue != nil } }

  private static let words = OptionValueType.mapped(.choice(simple.map { ($0.name, $0) })) {
    metric -> any Metric in
    let defaults = metric.options.map { ($0.name, $0.defaultValue ?? .null) }
    return metric.init(StageOptions(.object(JSONObject(defaults))))
  }

  private static let mappings = OptionValueType<any Metric>.variant(
    metrics.map { metric in
      OptionCase(metric.name, metric.options, summary: metric.summary) { metric.init($0) }
    })

  package static let declaration = StageDeclaration(
    name: "evaluate",
    summary: "Measures generations.",
    version: 3,
    inputs: [
      InputPort("rows", .rows, columns: ["prompt", "generations"], summary: "rows with generations")
    ] + .united(metrics.map { $0.inputs }),
    outputs: [
      OutputPort(
        "metrics", .metrics, summary: "`generations`, how many there are, and the numbers of each metric")
    ],
    options: [wanted.field, IntervalOption.option.field, TargetSource.option.field.originally("text")]
      + PromptOptions.fields,
    numerics: .ofModels(), estimate: estimate)

  package static func declaration(for options: JSON) -> StageDeclaration {
    wanted.value(in: options).map { declaration.giving("metrics", names: numbers(of: $0, options)) }
      ?? declaration
  }

  private static func numbers(of wanted: [any Metric], _ options: JSON) -> [String] {
    ["generations"] + inOrder(wanted, options).flatMap { $0.numbers(for: options) }
  }

  /// Each once, in the order of `metrics`, those of one kind as they are written.
  private static func inOrder(_ wanted: [any Metric], _ options: JSON) -> [any Metric] {
    var seen: Set<String> = []
    return metrics.flatMap { kind in
      wanted.filter { metric in
        type(of: metric) == kind && seen.insert(metric.numbers(for: options).joined(separator: " ")).inserted
      }
    }
  }

  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    let wanted = stage.options[wanted]
    for (index, metric) in wanted.enumerated() {
      let kind = type(of: metric)
      for port in kind.inputs where !stage.isBound(port.name) {
        let others = wanted.map { type(of: $0).name }.filter { $0 != kind.name }.joined(separator: ", ")
        findings.error(
          .missingInput,
          "`metrics` asks for `\(kind.name)`, which needs the input `\(port.name)`, which is not bound",
          at: .option("metrics.\(index)"), label: "needs `\(port.name)`",
          help:
            "bind it: `in: {\(port.name): \(port.type.rawValue.uppercased())}`; or list other metrics: `metrics: [\(others)]`"
        )
      }
      for column in metric.columns {
        findings.want(
          column: column.name, of: "rows", in: stage, because: "the metric `\(kind.name)`",
          help: "\(column.source); or list other metrics")
      }
      metric.check(stage, at: "metrics.\(index)", &findings)
    }
    checkNames(wanted, stage.options.json, &findings)
    let models = wanted.flatMap { type(of: $0).languageModels }.reduce(into: [String]()) { models, model in
      if !models.contains(model) { models.append(model) }
    }
    if !wanted.contains(where: { $0 is OverlapMetric }) {
      findings.checkOverlap(of: stage.artifacts("rows"), readBy: models.flatMap { stage.artifacts($0) })
    }
    if models.isEmpty { checkUnread(stage, &findings) } else { check(models, stage, &findings) }
    return findings
  }

  /// Models that read the rows.
  private static func check(_ models: [String], _ stage: StageCheck, _ findings: inout StageFindings) {
    for model in models {
      let demand = ServerDemand(
        prompts: models.count == 1 ? PromptOptions(stage.options) : PromptOptions())
      if model == "judge",
        findings.want(server: demand, at: model, [.chat, .completions, .messages], in: stage)
      {
        continue
      }
      findings.want(.language, at: model, in: stage)
      // What is wrong with the rows is said once.
      findings.want(
        chat: stage.options[ChatOption.option], model: model, rows: model == models.first ? "rows" : nil,
        in: stage)
    }
    findings.want(PromptOptions(stage.options).length, promptsAt: "rows", readBy: models, in: stage)
  }

  /// Two entries that are not the same cannot give numbers of one name.
  private static func checkNames(_ wanted: [any Metric], _ options: JSON, _ findings: inout StageFindings) {
    let entries = options["metrics"]?.arrayValue ?? []
    var owners: [String: Int] = [:]
    for (index, metric) in wanted.enumerated() {
      let numbers = metric.numbers(for: options)
      let taken = numbers.first { name in
        owners[name].map { entries[$0] != entries[index] || type(of: wanted[$0]) != type(of: metric) }
          ?? false
      }
      if let taken {
        findings.error(
          .wrongValue, "two entries of `metrics` give a number `\(taken)`", at: .option("metrics.\(index)"),
          label: "the second one", help: "measure one of them in a stage of its own")
      }
      for name in numbers { owners[name] = owners[name] ?? index }
    }
  }

  /// Options of a model that no metric reads.
  private static func checkUnread(_ stage: StageCheck, _ findings: inout StageFindings) {
    let readers = metrics.filter { !$0.languageModels.isEmpty }.map { "`\($0.name)`" }.joined(separator: ", ")
    let names = ["special_tokens", "max_length", "targets", "overflow", "cut"]
    for name in names where stage.isWritten(name) {
      findings.error(
        .conflictingOptions,
        "`\(name)` is for metrics that read with a model, and `metrics` asks for none of them",
        at: .option(name), label: "has nothing to act on",
        help: "remove it, or add one to `metrics`: \(readers)"
      )
    }
  }

  private static func estimate(_ input: StageEstimate.Input) -> StageEstimate {
    let estimates = input.options[wanted].compactMap { $0.estimate(input) }
    var estimate = StageEstimate(
      outputs: ["metrics": ArtifactSize(bytes: 1 << 10)],
      memoryBytes: estimates.compactMap(\.memoryBytes).max(),
      seconds: estimates.isEmpty
        ? Estimates.reading(input.input("rows")) : estimates.compactMap(\.seconds).reduce(0, +))
    // No two metrics ask one judge.
    estimate.asking = estimates.lazy.compactMap(\.asking).first
    return estimate
  }

  package func run(_ context: StageContext) throws {
    let wanted = Self.inOrder(context.options[Self.wanted], context.options.json)
    let generations = try Generations(
      context.input("rows"),
      requiring: ["prompt", "generations"] + wanted.flatMap { $0.columns.map(\.name) })
    var result = JSONObject([("generations", .int(Int64(generations.samples.count)))])
    for metric in wanted {
      let kind = type(of: metric)
      for port in kind.inputs where context.inputs[port.name] == nil {
        throw InputError("`metrics` asks for \(kind.name), which needs the input `\(port.name)`")
      }
      let values = try metric.measure(generations, context)
      let numbers = metric.numbers(for: context.options.json)
      precondition(
        values.count == numbers.count, "\(kind.name): \(values.count) values for \(numbers)")
      for (name, value) in zip(numbers, values) { result[name] = value }
    }
    for (name, value) in result.members {
      guard let mean = value.doubleValue, let error = result["\(name)_se"]?.doubleValue else { continue }
      context.measure(name, mean: mean, standardError: error)
    }
    try writeMetrics(.object(result), to: context.output("metrics", .metrics))
  }
}
