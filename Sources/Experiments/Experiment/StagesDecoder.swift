// `stages:`: stages, groups, loops and matrices as they nest. First the names and plug-ins of all (drafts), then, when
// every name is known, the rest.

import JSON

struct StagesDecoder {
  let collector: DiagnosticCollector
  let registry: StageRegistry
  let paths: ProjectPaths
  let standards: OptionStandards
  let defaults: ExecutionSettings
  /// The experiment's mode, and where it is written.
  let numeric: (mode: String, span: SourceSpan?, known: [String])
  let budget = Budget()

  /// Stages read so far; matrices inside matrices multiply.
  final class Budget {
    var stages = 0
    var entries = 0
  }

  static let maximumTimes = 10_000
  static let stageKeys = Language.stage.names
  static let groupKeys = Language.group.names
  static let loopKeys = Language.loop.names

  // MARK: names

  func drafts(_ node: Node?, _ parameters: Parameters, at top: SourceSpan) -> BodyDraft {
    guard let node else {
      collector.missingKey("stages", of: "the experiment", at: top)
      return BodyDraft([])
    }
    return BodyDraft(members(node, "`stages`", prefix: "", parameters))
  }

  /// Null entries and whole entries that a parameter gives are looked through; what is deeper waits until it is known
  /// which axes are around it.
  private func members(_ node: Node, _ what: String, prefix: String, _ parameters: Parameters)
    -> [MemberDraft]
  {
    let node = node.scalar == nil ? node : parameters.substitute(node)
    guard let entries = node.entries, !entries.isEmpty else {
      collector.wrongType(node, what, expected: "a mapping with at least one stage")
      return []
    }
    return entries.map { entry in
      collector.checkName(entry, "a stage")
      var entry = entry
      if entry.value.scalar != nil { entry.value = parameters.substitute(entry.value) }
      if entry.value["matrix"] != nil { return .matrix(matrix(entry, prefix: prefix, parameters)) }
      return member(entry, prefix: prefix, parameters)
    }
  }

  private func member(_ entry: MappingEntry, prefix: String, _ parameters: Parameters) -> MemberDraft {
    if entry.value["loop"] != nil || entry.value["stages"] != nil {
      return .group(group(entry, prefix: prefix, parameters))
    }
    return .stage(stage(entry, prefix: prefix, parameters))
  }

  private func stage(_ entry: MappingEntry, prefix: String, _ parameters: Parameters) -> StageDraft {
    var draft = StageDraft(name: entry.key, nameSpan: entry.keySpan, path: prefix + entry.key)
    budget.stages += 1
    guard budget.stages <= Experiment.maximumStages else {
      collector.error(
        .tooLarge, "the experiment has more than \(Experiment.maximumStages) stages", at: entry.keySpan,
        label: "the limit is passed here", help: "use fewer cells")
      return draft
    }
    let what = "stage `\(draft.path)`"
    // `draw:` alone is the plug-in of that name with nothing said.
    if entry.value.isNull {
      draft.fields = Fields(entries: [], span: entry.keySpan)
    } else {
      draft.fields = collector.fields(
        parameters.substitute(entry.value), of: what, known: Self.stageKeys,
        hints: ["times": "`times` belongs under `loop:`", "carry": "`carry` belongs under `loop:`"])
    }
    guard let fields = draft.fields else { return draft }
    if let uses = fields["uses"] {
      if let name = collector.string(uses, "`uses` of \(what)") {
        draft.declaration = registry.stage(named: name)?.declaration
        if draft.declaration == nil { unknownPlugIn(name, at: uses.span, isImplied: false) }
      }
    } else {
      draft.declaration = registry.stage(named: entry.key)?.declaration
      if draft.declaration == nil { unknownPlugIn(entry.key, at: entry.keySpan, isImplied: true) }
    }
    // Ports may follow from the options, and other stages name ports.
    if let declaration = draft.declaration, let plugIn = registry.stage(named: declaration.name) {
      var decoder = OptionDecoder(collector, paths, standards)
      let options = decoder.decode(
        fields["with"], declaration.options, ports: declaration.inputs.map(\.name), of: draft.path,
        at: draft.nameSpan)
      draft.declaration = plugIn.declaration(for: options.json)
      draft.plugIn = plugIn
      draft.options = options
    }
    return draft
  }

  private func unknownPlugIn(_ name: String, at span: SourceSpan, isImplied: Bool) {
    let help = Suggestion.helpOrList(for: name, among: registry.names, what: "the plug-ins are")
    collector.error(
      .unknownPlugIn,
      isImplied
        ? "stage `\(name)` has no `uses`, and no plug-in is called `\(name)`"
        : "no plug-in is called `\(name)`", at: span, label: "not a plug-in", help: help)
  }

  private func group(_ entry: MappingEntry, prefix: String, _ parameters: Parameters) -> GroupDraft {
    let path = prefix + entry.key
    let what = "\(entry.value["loop"] == nil ? "group" : "loop") `\(path)`"
    var draft = GroupDraft(
      name: entry.key, nameSpan: entry.keySpan, path: path,
      loop: entry.value["loop"].map { _ in LoopDraft() },
      body: BodyDraft([]))
    guard let fields = collector.fields(entry.value, of: what, known: Self.groupKeys) else { return draft }
    draft.description = fields["description"].flatMap {
      collector.string(parameters.substitute($0), "`description` of \(what)")
    }
    var carries: [CarryDraft] = []
    if let node = fields["loop"],
      let inner = collector.fields(
        parameters.substitute(node), of: "`loop` of `\(path)`", known: Self.loopKeys)
    {
      var loop = LoopDraft(until: inner["until"])
      if let times = inner["times"] {
        loop.times = collector.integer(times, "`times` of \(what)", 1...Self.maximumTimes) ?? 1
      } else {
        collector.missingKey("times", of: "`loop` of `\(path)`", at: node.span)
      }
      if let carry = inner["carry"], !carry.isNull { carries = self.carries(carry, what: what) }
      draft.loop = loop
    }
    guard let node = fields["stages"] else {
      collector.missingKey("stages", of: what, at: entry.keySpan)
      return draft
    }
    draft.body = BodyDraft(
      members(node, "`stages` of \(what)", prefix: path + ".", parameters), carries: carries)
    return draft
  }

  private func carries(_ node: Node, what: String) -> [CarryDraft] {
    guard let entries = node.entries else {
      collector.wrongType(node, "`carry` of \(what)", expected: "a mapping")
      return []
    }
    return entries.map { entry in
      collector.checkName(entry, "a carried value")
      var draft = CarryDraft(name: entry.key, nameSpan: entry.keySpan)
      let name = "carried `\(entry.key)`"
      if let fields = collector.fields(
        entry.value, of: name, known: Language.carry.names, help: "write `{first: …, next: …}`")
      {
        draft.first = fields["first"]
        draft.next = fields["next"]
        if draft.first == nil {
          collector.missingKey(
            "first", of: name, at: entry.keySpan, help: "its value in iteration 1; `null` for none")
        }
        if draft.next == nil {
          collector.missingKey(
            "next", of: name, at: entry.keySpan, help: "what an iteration passes to the next")
        }
      }
      return draft
    }
  }

  private func matrix(_ entry: MappingEntry, prefix: String, _ parameters: Parameters) -> MatrixDraft {
    var rest = entry
    rest.value.content = .mapping(
      (entry.value.entries ?? []).filter { UTF8Key($0.key) != UTF8Key("matrix") })
    var draft = MatrixDraft(name: entry.key, nameSpan: entry.keySpan, axes: [], cells: [])
    let decoder = MatrixDecoder(collector: collector, parameters: parameters)
    if let node = entry.value["matrix"],
      let axes = decoder.decode(node, of: "`\(prefix + entry.key)`")
    {
      draft.axes = axes.names
      draft.cells = axes.cells.map { cell in
        let values = zip(axes.names, cell).map { name, value in
          MappingEntry(key: name, keySpan: value.nameSpan, value: value.node)
        }
        return MatrixDraft.Cell(
          labels: cell.map(\.label), member: member(rest, prefix: prefix, parameters.adding(values)))
      }
    } else {
      // Kept by name, so that references to it are not reported too.
      let nothing = StageDraft(name: entry.key, nameSpan: entry.keySpan, path: prefix + entry.key)
      draft.cells = [MatrixDraft.Cell(labels: [], member: .stage(nothing))]
    }
    if let first = draft.cells.first,
      let other = draft.cells.first(where: { !Self.hasShape($0.member, of: first.member) })
    {
      collector.error(
        .matrixShape,
        "the cells of `\(prefix + entry.key)` are not alike: `\(other.labels.joined(separator: ","))` has other stages than `\(first.labels.joined(separator: ","))`",
        at: entry.keySpan, label: "every cell must hold the same names",
        help: "let the axes change values, and keep the names under `stages:`")
      draft.cells = [first]
    }
    return draft
  }

  private static func hasShape(_ a: MemberDraft, of b: MemberDraft) -> Bool {
    switch (a, b) {
    case (.stage, .stage): true
    case (.matrix(let a), .matrix(let b)):
      a.axes.map { UTF8Key($0) } == b.axes.map { UTF8Key($0) }
        && hasShape(a.cells[0].member, of: b.cells[0].member)
    case (.group(let a), .group(let b)):
      (a.loop == nil) == (b.loop == nil)
        && a.body.members.map { UTF8Key($0.name) } == b.body.members.map { UTF8Key($0.name) }
        && a.body.carries.map { UTF8Key($0.name) } == b.body.carries.map { UTF8Key($0.name) }
        && zip(a.body.members, b.body.members).allSatisfy { hasShape($0, of: $1) }
    default: false
    }
  }

  // MARK: what the names mean

  func members(_ body: BodyDraft, _ scope: ReferenceScope) -> [Experiment.Member] {
    body.members.enumerated().map { member($1, at: $0, scope) }
  }

  private func member(_ draft: MemberDraft, at index: Int, _ scope: ReferenceScope) -> Experiment.Member {
    switch draft {
    case .stage(let stage): return .stage(entry(stage, scope))
    case .matrix(let matrix):
      return .matrix(
        Experiment.MatrixEntry(
          name: matrix.name, axes: matrix.axes,
          cells: matrix.cells.map { cell in
            Experiment.MatrixEntry.Cell(labels: cell.labels, member: member(cell.member, at: index, scope))
          }))
    case .group(let group):
      let inner = scope.entering(group, at: index)
      var entry = Experiment.GroupEntry(
        name: group.name, nameSpan: group.nameSpan, members: members(group.body, inner),
        description: group.description)
      if let loop = group.loop {
        let conditions = ConditionDecoder(metrics: MetricResolver(scope: inner), declared: [])
        entry.loop = Experiment.Loop(
          times: loop.times, carries: group.body.carries.indices.map { inner.carry($0) },
          until: loop.until.map { conditions.decode($0, "`until` of loop `\(group.path)`") } ?? [])
      }
      return .group(entry)
    }
  }

  /// Only stages whose rows are independent can be cut into shards; a default for all does not reach the others.
  private func execution(_ fields: Fields, of what: String, rowsAreIndependent: Bool) -> ExecutionSettings {
    var settings = ExecutionDecoder.decode(fields, of: what, over: defaults, collector)
    guard !rowsAreIndependent else { return settings }
    if let node = fields["shards"], settings.shards > 1 {
      collector.error(
        .notShardable, "\(what) cannot be split into shards: its rows are not independent", at: node.span,
        label: "only 1 is possible here")
    }
    settings.shards = 1
    settings.origins.removeAll { $0.option == "shards" }
    return settings
  }

  /// The stage's own mode or the experiment's, which it must be able to compute in.
  private func numericMode(_ fields: Fields, of what: String, _ draft: StageDraft) -> String {
    let own = fields["numeric"]
    var mode = numeric.mode
    if let own {
      guard let word = collector.choice(own, "`numeric` of \(what)", numeric.known) else { return mode }
      mode = word
    }
    guard let declaration = draft.declaration, let modes = declaration.numerics?.modes, !modes.contains(mode)
    else { return mode }
    let possible = DiagnosticCollector.list(modes)
    collector.error(
      .numericMode, "\(what) cannot compute in `\(mode)`", at: own?.span ?? draft.nameSpan,
      label: "`\(declaration.name)` computes in \(possible)",
      notes: own == nil ? [.init("the mode comes from here", at: numeric.span)] : [],
      help: own == nil ? "give it a `numeric` of its own" : nil)
    return mode
  }

  private func entry(_ draft: StageDraft, _ scope: ReferenceScope) -> Experiment.StageEntry {
    let what = "stage `\(draft.path)`"
    let fields = draft.fields ?? Fields(entries: [], span: draft.nameSpan)
    let declaration =
      draft.declaration
      ?? StageDeclaration(name: "", summary: "", version: 0, inputs: [], outputs: [], options: [])
    let options = draft.options ?? DecodedOptions(json: .object(JSONObject()))
    budget.entries += 1
    return Experiment.StageEntry(
      number: budget.entries, name: draft.name, nameSpan: draft.nameSpan, path: draft.path,
      declaration: declaration,
      plugIn: draft.plugIn, inputs: scope.bind(draft, fields["in"]),
      needs: scope.needs(draft, fields["needs"]), options: options,
      seed: fields["seed"].flatMap { collector.integer($0, "`seed` of \(what)", 0...Int.max) }
        .map { UInt64($0) },
      numericMode: numericMode(fields, of: what, draft),
      execution: execution(
        fields, of: what, rowsAreIndependent: draft.declaration?.rowsAreIndependent ?? true),
      description: fields["description"].flatMap { collector.string($0, "`description` of \(what)") })
  }
}
