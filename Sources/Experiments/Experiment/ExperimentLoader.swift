// From a file to an `Experiment`: the top level, then stages and loops, then what their names mean.

import JSON
import System

/// Reads and checks an experiment. `overrides` are the texts given to `--set`.
/// - Returns: the experiment, its warnings inside, or everything that is wrong with it.
package func loadExperiment(path: String, overrides: [String] = [], stages: StageRegistry)
  -> Result<Experiment, DiagnosticList>
{
  let collector = DiagnosticCollector()
  var experiment = ExperimentLoader(collector, stages).load(path: path, overrides: overrides)
  let list = collector.list
  guard experiment != nil, !list.hasErrors else { return .failure(list) }
  experiment?.warnings = list.diagnostics
  guard let experiment else { return .failure(list) }
  return .success(experiment)
}

struct ExperimentLoader {
  static let keys = Language.experiment.names.filter { !Language.files.names.contains($0) }

  let collector: DiagnosticCollector
  let registry: StageRegistry
  private let reader: SourceReader

  init(
    _ collector: DiagnosticCollector, _ registry: StageRegistry,
    reader: @escaping SourceReader = SourceFile.read
  ) {
    self.collector = collector
    self.registry = registry
    self.reader = reader
  }

  /// As much of the experiment as could be made out, so that later checks can add what they find; it is good only
  /// if nothing was reported.
  func load(path: String, overrides: [String]) -> Experiment? {
    guard let (file, project) = open(path) else { return nil }
    var paths = project
    let files = ExperimentFiles(collector: collector, paths: paths, reader: reader)
    guard var root = files.read(file, path: Path.real(path) ?? path) else { return nil }
    let parameters = Parameters(root["params"], overrides: overrides, folder: file.folder, collector)
    substitute(parameters, in: &root)
    guard let fields = collector.fields(root, of: "the experiment", known: Self.keys) else { return nil }
    paths.inputs = InputRoots(collector: collector).decode(fields["inputs"])
    let top = SourceSpan(file: file, start: 0, end: 0)
    checkVersion(fields, top)
    let models = (mapping(fields["models"], "`models`") ?? []).map {
      ModelDecoder(collector: collector, paths: paths).decode($0)
    }
    let modes = registry.numericModes
    let numericMode =
      fields["numeric"].flatMap { collector.choice($0, "`numeric`", modes) } ?? modes.first ?? ""
    let standards = standards(fields["compat"])
    let stages = StagesDecoder(
      collector: collector, registry: registry, paths: paths, standards: standards,
      defaults: executionDefaults(fields["defaults"]), numeric: (numericMode, fields["numeric"]?.span, modes))
    let body = stages.drafts(fields["stages"], parameters, at: top)
    let scope = ReferenceScope(body, models: models, collector)
    scope.checkNames()
    var experiment = Experiment(
      source: file, projectRoot: paths.root, name: name(fields, top),
      description: fields["description"].flatMap { collector.string($0, "`description`") },
      seed: (parameters.seed?.value ?? fields["seed"]).flatMap { seed($0, "`seed`") } ?? 0,
      numericMode: numericMode,
      parameters: parameters.entries.map {
        Experiment.Parameter(name: $0.key, value: $0.value.json ?? .null, span: $0.value.span)
      },
      models: models, members: stages.members(body, scope), metrics: [])
    experiment.isSeedGiven = parameters.seed != nil
    experiment.otherFiles = files.otherFiles
    experiment.compatibility = standards.compatibility == .original ? standards.span : nil
    experiment.tracking = TrackingDecoder(collector: collector).decode(fields["track"])
    experiment.describeModel = registry.describeModel
    experiment.fetchedModel = registry.fetchedModel
    experiment.fetchedData = registry.fetchedData
    decodeResults(
      fields, MetricResolver(scope: scope), parameters,
      loops: body.members.filter { $0.group?.loop != nil }.map(\.name), into: &experiment)
    if !collector.list.hasErrors { parameters.warnOfUnused() }
    return experiment
  }

  /// Names under `stages` may be axes of a matrix: they are replaced where the matrices are known.
  private func substitute(_ parameters: Parameters, in root: inout Node) {
    root.content = .mapping(
      (root.entries ?? []).map { entry in
        var entry = entry
        if !["params", "stages"].contains(entry.key) { entry.value = parameters.substitute(entry.value) }
        return entry
      })
  }

  private func standards(_ node: Node?) -> OptionStandards {
    guard let node, let word = collector.choice(node, "`compat`", Language.compatibilities),
      let compatibility = Compatibility(rawValue: word)
    else { return OptionStandards() }
    return compatibility == .fixed
      ? OptionStandards() : OptionStandards(compatibility: compatibility, span: node.origin ?? node.span)
  }

  private func executionDefaults(_ node: Node?) -> ExecutionSettings {
    let base = ExecutionSettings()
    guard let node, !node.isNull,
      let defaults = collector.fields(node, of: "`defaults`", known: Language.execution.names)
    else { return base }
    return ExecutionDecoder.decode(defaults, of: "`defaults`", over: base, collector)
  }

  /// The metrics, and what is decided by them.
  private func decodeResults(
    _ fields: Fields, _ metrics: MetricResolver, _ parameters: Parameters, loops: [String],
    into experiment: inout Experiment
  ) {
    experiment.metrics = (mapping(fields["metrics"], "`metrics`") ?? []).compactMap { metrics.resolve($0) }
    if let node = fields["expect"] {
      experiment.expectations = ConditionDecoder(metrics: metrics, declared: experiment.metrics)
        .decode(node, "`expect`")
    }
    if let node = fields["sweep"], !node.isNull {
      let decoder = SweepDecoder(
        collector: collector, parameters: parameters, metrics: experiment.metrics.map(\.name),
        loops: loops)
      experiment.sweep = decoder.decode(node)
    }
  }

  private func open(_ path: String) -> (SourceFile, ProjectPaths)? {
    do {
      let file = try reader(path)
      return (file, ProjectPaths(aboveFolder: file.folder))
    } catch {
      for diagnostic in error.diagnostics { collector.add(diagnostic) }
      return nil
    }
  }

  private func mapping(_ node: Node?, _ what: String) -> [MappingEntry]? {
    guard let node, !node.isNull, !node.isInvalid else { return nil }
    if node.entries == nil { collector.wrongType(node, what, expected: "a mapping") }
    return node.entries
  }

  private func checkVersion(_ fields: Fields, _ top: SourceSpan) {
    guard let node = fields["version"] else {
      collector.missingKey("version", of: "the experiment", at: top, help: "write `version: 1`")
      return
    }
    guard !node.isInvalid, node.scalar?.value != .int(1) else { return }
    collector.error(
      .unknownVersion, "`version` must be `1`, found \(node.found)", at: node.span,
      label: "this program reads version 1", notes: collector.originNotes(node))
  }

  private func name(_ fields: Fields, _ top: SourceSpan) -> String {
    guard let node = fields["name"] else {
      collector.missingKey(
        "name", of: "the experiment", at: top, help: "it names the folder of its runs: `name: my-experiment`")
      return ""
    }
    guard let name = collector.string(node, "`name`") else { return "" }
    let isGood =
      !name.isEmpty && name.utf8.count <= 100 && name.utf8.first != UInt8(ascii: ".")
      && name.utf8.first != UInt8(ascii: "-")
      && name.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
          || "._-".utf8.contains($0)
      }
    if !isGood {
      collector.error(
        .badName, "`\(name)` cannot be the name of an experiment", at: node.span, label: "not a name",
        help: "letters, digits, `_`, `-` and `.`; at most 100, not beginning with `.` or `-`")
    }
    return name
  }

  private func seed(_ node: Node, _ what: String) -> UInt64? {
    collector.integer(node, what, 0...Int.max).map { UInt64($0) }
  }
}
