// From an experiment to a plan: loops unrolled, inputs bound, seeds and recipe keys derived. Runs nothing.

import JSON
import System

package enum Planner {
  /// Digest of a file that an option names. The store may remember digests; the plan itself reads the file.
  package typealias FileDigest = (_ path: String) throws -> Digest

  /// - Throws: every cycle, missing column and unreadable file, as `DiagnosticList`.
  package static func plan(
    _ experiment: Experiment, digest: @escaping FileDigest = { try Digest.ofFile($0).digest }
  ) throws(DiagnosticList) -> Plan {
    let collector = DiagnosticCollector()
    let plan = plan(experiment, collector, digest, StageAnswers())
    let list = collector.list
    guard var plan, !list.hasErrors else { throw list }
    plan.warnings = DiagnosticList(experiment.warnings + list.diagnostics).diagnostics
    return plan
  }

  /// Reads, checks and plans an experiment file; on failure everything that is wrong at once.
  /// - Parameters:
  ///   - reader: of the experiment and what it extends and includes.
  ///   - answers: gives, for the experiment as it was read, what its stages said before; nil where they are not asked.
  package static func plan(
    path: String, overrides: [String] = [], stages: StageRegistry,
    reader: @escaping SourceReader = SourceFile.read,
    digest: @escaping FileDigest = { try Digest.ofFile($0).digest },
    answers: (Experiment) -> StageAnswers? = { _ in StageAnswers() }
  ) -> Result<(experiment: Experiment, plan: Plan), DiagnosticList> {
    let collector = DiagnosticCollector()
    guard
      var experiment = ExperimentLoader(collector, stages, reader: reader).load(
        path: path, overrides: overrides)
    else {
      return .failure(collector.list)
    }
    let isGood = !collector.list.hasErrors
    experiment.warnings = isGood ? collector.list.diagnostics : []
    // Keys of an experiment that is wrong are of no use, and its files may not be there.
    let plan = plan(experiment, collector, isGood ? digest : nil, answers(experiment))
    guard var plan, !collector.list.hasErrors else { return .failure(collector.list) }
    plan.warnings = collector.list.diagnostics
    return .success((experiment, plan))
  }

  private static func plan(
    _ experiment: Experiment, _ collector: DiagnosticCollector, _ digest: FileDigest?,
    _ answers: StageAnswers?
  ) -> Plan? {
    guard let graph = PlanGraph(experiment) else {
      collector.error(
        .tooLarge, "the loops unroll to more than \(Experiment.maximumStages) stages", at: nil,
        help: "lower `times`, or use fewer cells")
      return nil
    }
    let order = graph.order(collector)
    guard !collector.list.hasErrors || digest == nil else { return nil }
    var builder = NodeBuilder(
      graph: graph, collector: collector, checker: StageChecker(experiment, collector, answers),
      digest: digest)
    for instance in order { builder.add(instance) }
    guard !collector.list.hasErrors else { return nil }
    var models = experiment.models.map(\.model)
    for index in models.indices {
      if let facts = builder.checker.facts(ofModel: index) { models[index].facts = facts }
    }
    var plan = Plan(
      experimentName: experiment.name, nodes: builder.nodes, models: models,
      metrics: experiment.metrics.map { builder.metric($0, in: 0) })
    plan.expectations = experiment.expectations.map { builder.condition($0, in: 0) }
    plan.earlyEnds = graph.earlyEnds.map { end in
      PlanEarlyEnd(
        loop: end.loop,
        conditions: end.bodies.dropLast().map { body in end.until.map { builder.condition($0, in: body) } })
    }
    return plan
  }
}

/// Makes nodes, each after what it needs.
private struct NodeBuilder {
  let graph: PlanGraph
  let collector: DiagnosticCollector
  var checker: StageChecker
  /// Nil when the experiment is already known to be wrong: then nothing is hashed.
  let digest: Planner.FileDigest?
  var nodes: [PlanNode] = []
  /// Instance number to index in `nodes`.
  var positions: [Int: Int] = [:]
  /// Columns of the rows outputs of each node, by output.
  var columns: [[UTF8Key: Columns]] = []
  /// What is known of the outputs of each node, as `StageChecker` numbers it.
  var known: [[UTF8Key: Int]] = []
  var digests: [String: Digest] = [:]
  /// Places already complained about, since every iteration finds them again.
  var reported: Set<Int> = []

  var experiment: Experiment { graph.experiment }

  mutating func add(_ number: Int) {
    let instance = graph.instances[number]
    let stage = instance.stage
    let declaration = stage.declaration
    let inputs = bindInputs(of: instance)
    let seed = NodeSeed.derive(
      seed: stage.seed ?? experiment.seed, plugIn: declaration.name,
      iterations: graph.bodies[instance.body].iterations)
    let recipe = Recipe(
      declaration: declaration, options: hashedOptions(stage), inputs: inputs.recipe, seed: seed,
      numericMode: stage.numericMode)
    var node = PlanNode(
      index: nodes.count, address: instance.address, stage: declaration.name, options: stage.options.json,
      files: stage.options.files, inputs: inputs.plan, seed: seed, numericMode: stage.numericMode,
      execution: stage.execution, recipeKey: digest == nil ? "" : recipe.key)
    node.conditions = graph.bodies[instance.body].conditions
    node.after = after(number, inputs.plan)
    for secret in stage.options.secrets where !node.environment.contains(secret.name) {
      node.environment.append(secret.name)
    }
    for case .model(let name) in node.inputs.map(\.source) {
      guard
        let server = experiment.models.first(where: { UTF8Key($0.model.name) == UTF8Key(name) })?.model.server
      else { continue }
      node.servers.append(server.identity)
      for name in [server.key].compactMap(\.self) + (server.serve?.environment ?? [])
      where !node.environment.contains(name) {
        node.environment.append(name)
      }
    }
    node.origins = stage.options.origins.map { ValueOrigin($0.option, at: $0.span) }
    positions[number] = nodes.count
    nodes.append(node)
    var outputs: [UTF8Key: Columns] = [:]
    // Columns may follow from options: of those of a stage whose options are wrong nothing is known.
    let areOptionsRight = stage.options.isComplete || !stage.options.secrets.isEmpty
    for output in declaration.outputs where output.type == .rows && inputs.areSound && areOptionsRight {
      outputs[UTF8Key(output.name)] = Columns.of(output, declaration, inputs: inputs.columns)
    }
    columns.append(outputs)
    known.append(inputs.areSound ? checker.check(stage, inputs.checked, columns: outputs) : [:])
    nodes[nodes.count - 1].rowCounts = known[known.count - 1].compactMapValues { checker.rowCount($0) }
  }

  /// What a node's inputs are to its plan, its key, its columns and the check of its stage.
  private struct BoundInputs {
    var plan: [PlanInput] = []
    var recipe: [(port: String, label: String?, input: Recipe.Input)] = []
    var columns: [UTF8Key: Columns] = [:]
    var checked: [StageChecker.Input] = []
    /// After a mistake upstream nothing is known of the columns, and nothing more is reported about them.
    var areSound: Bool
  }

  private mutating func bindInputs(of instance: PlanGraph.Instance) -> BoundInputs {
    let stage = instance.stage
    let ports = stage.declaration.inputs
    var bound = BoundInputs(
      areSound: ports.allSatisfy { port in
        !port.isRequired || stage.inputs.contains { $0.port == port.name }
      })
    for binding in stage.inputs {
      guard let place = ports.firstIndex(where: { $0.name == binding.port }) else { continue }
      switch graph.meaning(of: binding.reference, in: instance.body) {
      case .null: continue
      case .unknown: bound.areSound = false
      case .targets(let targets):
        for target in targets { bind(target, binding, place, instance, &bound) }
      }
    }
    return bound
  }

  /// Adds one artifact of the port at `place`.
  private mutating func bind(
    _ target: PlanGraph.Target, _ binding: Experiment.Binding, _ place: Int, _ instance: PlanGraph.Instance,
    _ bound: inout BoundInputs
  ) {
    let port = instance.stage.declaration.inputs[place]
    let label = port.collects ? Self.label(binding, target) : nil
    var input = PlanInput(port: port.name, type: port.type, source: .model(""), label: label)
    switch target.source {
    case .model(let index):
      if port.type != .model { bound.areSound = false }
      let model = experiment.models[index]
      input.source = .model(model.model.name)
      bound.checked.append(
        StageChecker.Input(
          port: place, number: checker.number(ofModel: index), span: binding.span,
          model: index))
      bound.recipe.append((port.name, label, .model(identity: model.identity)))
    case .instance(_, let output):
      // Absent only on a cycle, which has been reported.
      let candidates = target.candidates.compactMap { positions[$0] }
      guard let position = candidates.first, candidates.count == target.candidates.count else {
        bound.areSound = false
        return
      }
      input.source = .node(position, output: output)
      input.alternatives = Array(candidates.dropFirst())
      let number = checker.common(candidates.compactMap { known[$0][UTF8Key(output)] })
      bound.checked.append(
        StageChecker.Input(port: place, number: number ?? checker.unknown, span: binding.span, model: nil))
      bound.recipe.append(
        (port.name, label, .node(recipeKey: nodes[position].recipeKey, output: output)))
      if let columns = columns[position][UTF8Key(output)] {
        bound.columns[UTF8Key(port.name)] =
          bound.columns[UTF8Key(port.name)].map { $0.common(with: columns) } ?? columns
        check(columns, port, binding, instance, source: nodes[position].address)
      } else if port.type == .rows {
        bound.areSound = false
      }
    }
    bound.plan.append(input)
  }

  /// What a stage calls an artifact of a port that collects: never the name of a stage, so that renaming one changes nothing.
  private static func label(_ binding: Experiment.Binding, _ target: PlanGraph.Target) -> String {
    let parts = [binding.label, target.label.isEmpty ? nil : target.label].compactMap { $0 }
    return parts.isEmpty ? "1" : parts.joined(separator: "@")
  }

  /// What must be done before though it is not the first choice of any input, each once.
  private func after(_ number: Int, _ inputs: [PlanInput]) -> [Int] {
    var seen = Set(
      inputs.compactMap { if case .node(let index, _) = $0.source { index } else { nil } })
    return graph.edges(of: number).compactMap { edge in
      guard let position = positions[edge.target], seen.insert(position).inserted else { return nil }
      return position
    }
  }

  private mutating func check(
    _ columns: Columns, _ port: InputPort, _ binding: Experiment.Binding, _ instance: PlanGraph.Instance,
    source: String
  ) {
    let missing = port.columns.filter { !columns.contains($0) }
    guard !missing.isEmpty, reported.insert(binding.span.start).inserted else { return }
    let list = missing.map { "`\($0)`" }.joined(separator: ", ")
    let noun = missing.count == 1 ? "the column" : "the columns"
    let message = "input `\(port.name)` of `\(instance.stage.path)` needs \(noun) \(list)"
    if columns.isOpen {
      collector.warning(
        .unknownColumn, "\(message), which is not known of the rows that `\(source)` gives", at: binding.span,
        label: "fails unless the rows have more columns than are declared",
        help: "where a program gives them, declare it among the `columns` of the output")
    } else {
      collector.error(
        .missingColumn, "\(message), which `\(source)` does not give", at: binding.span,
        label: "rows without \(list)")
    }
  }

  private mutating func hashedOptions(_ stage: Experiment.StageEntry) -> JSON {
    guard let digest else { return stage.options.json }
    var options = stage.options.json
    for file in stage.options.files {
      do {
        let value = try file.digest { path in
          if let known = digests[path] { return known }
          let value = try digest(path)
          digests[path] = value
          return value
        }
        options = options.replacing(
          file.option.split(separator: ".")[...], with: .string("sha256:\(value.hex)"))
      } catch {
        let span = stage.options.origins.first { $0.option == file.option }?.span
        collector.error(
          .missingFile, "`\(file.option)` of `\(stage.path)` cannot be read: \(error)",
          at: span ?? stage.nameSpan)
      }
    }
    return options
  }

  /// As seen from a body.
  func metric(_ entry: Experiment.MetricEntry, in body: Int) -> PlanMetric {
    var metric = PlanMetric(name: entry.name, nodes: [], output: entry.output, metric: entry.metric)
    if case .targets(let targets) = graph.meaning(of: entry.stage, in: body) {
      for target in targets {
        let candidates = target.candidates.compactMap { positions[$0] }
        guard let first = candidates.first else { continue }
        if case .instance(_, let output) = target.source { metric.output = output }
        metric.nodes.append(first)
        if !target.cell.isEmpty { metric.cells[first] = target.cell }
        if candidates.count > 1 { metric.alternatives[first] = Array(candidates.dropFirst()) }
      }
    }
    return metric
  }

  func condition(_ condition: Experiment.Condition, in body: Int) -> PlanCondition {
    PlanCondition(
      metric: metric(condition.metric, in: body),
      tests: condition.tests.map { test in
        switch test.operand {
        case .number(let number): (test.comparison, .number(number))
        case .metric(let other): (test.comparison, .metric(metric(other, in: body)))
        }
      })
  }
}
