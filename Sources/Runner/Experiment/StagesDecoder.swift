// `stages:` and loops. First the names and plug-ins of all (drafts), then, when every name is known, the rest.

import JSON

/// A stage whose plug-in is known and whose fields have been checked, not yet decoded.
struct StageDraft {
  var name: String
  var nameSpan: SourceSpan
  /// `quark.train`
  var path: String
  /// Nil after a mistake that has been reported.
  var declaration: StageDeclaration?
  var fields: Fields?
}

enum MemberDraft {
  case stage(StageDraft)
  case loop(LoopDraft)

  var name: String {
    switch self {
    case .stage(let stage): stage.name
    case .loop(let loop): loop.name
    }
  }
  var nameSpan: SourceSpan {
    switch self {
    case .stage(let stage): stage.nameSpan
    case .loop(let loop): loop.nameSpan
    }
  }
}

struct LoopDraft {
  var name: String
  var nameSpan: SourceSpan
  var times: Int
  var carries: [CarryDraft]
  var stages: [StageDraft]
  var description: String?
}

struct CarryDraft {
  var name: String
  var nameSpan: SourceSpan
  var first: Node?
  var next: Node?
}

struct StagesDecoder {
  let collector: DiagnosticCollector
  let registry: StageRegistry
  let paths: ProjectPaths
  let defaults: ExecutionSettings

  static let maximumTimes = 10_000
  static let stageKeys = Language.stage.names
  static let notBuilt = ["matrix", "extends", "when", "until", "include", "sweep"]

  func drafts(_ node: Node?, at top: SourceSpan) -> [MemberDraft] {
    guard let node else {
      collector.missingKey("stages", of: "the experiment", at: top)
      return []
    }
    guard let entries = stageEntries(node, "`stages`") else { return [] }
    return entries.map { entry in
      collector.checkName(entry, "a stage")
      return entry.value["loop"] == nil ? .stage(stage(entry, path: entry.key)) : .loop(loop(entry))
    }
  }

  private func stageEntries(_ node: Node, _ what: String) -> [MappingEntry]? {
    guard let entries = node.entries, !entries.isEmpty else {
      collector.wrongType(node, what, expected: "a mapping with at least one stage")
      return nil
    }
    return entries
  }

  private func stage(_ entry: MappingEntry, path: String) -> StageDraft {
    var draft = StageDraft(name: entry.key, nameSpan: entry.keySpan, path: path)
    let what = "stage `\(path)`"
    // `draw:` alone is the plug-in of that name with nothing said.
    if entry.value.isNull {
      draft.fields = Fields(entries: [], span: entry.keySpan)
    } else {
      draft.fields = collector.fields(
        entry.value, of: what, known: Self.stageKeys, notBuilt: Self.notBuilt)
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
    return draft
  }

  private func unknownPlugIn(_ name: String, at span: SourceSpan, isImplied: Bool) {
    let help = Suggestion.helpOrList(for: name, among: registry.names, what: "the plug-ins are")
    collector.error(
      "unknown-plug-in",
      isImplied
        ? "stage `\(name)` has no `uses`, and no plug-in is called `\(name)`"
        : "no plug-in is called `\(name)`", at: span, label: "not a plug-in", help: help)
  }

  private func loop(_ entry: MappingEntry) -> LoopDraft {
    let what = "loop `\(entry.key)`"
    var draft = LoopDraft(
      name: entry.key, nameSpan: entry.keySpan, times: 1, carries: [], stages: [], description: nil)
    guard
      let fields = collector.fields(
        entry.value, of: what, known: ["loop", "stages", "description"], notBuilt: Self.notBuilt)
    else { return draft }
    draft.description = fields["description"].flatMap { collector.string($0, "`description` of \(what)") }
    if let node = fields["loop"],
      let inner = collector.fields(
        node, of: "`loop` of `\(entry.key)`", known: ["times", "carry"], notBuilt: ["until"])
    {
      if let times = inner["times"] {
        draft.times = collector.integer(times, "`times` of \(what)", 1...Self.maximumTimes) ?? 1
      } else {
        collector.missingKey("times", of: what, at: node.span)
      }
      if let carry = inner["carry"], !carry.isNull { draft.carries = carries(carry, what: what) }
    }
    guard let node = fields["stages"] else {
      collector.missingKey("stages", of: what, at: entry.keySpan)
      return draft
    }
    for inner in stageEntries(node, "`stages` of \(what)") ?? [] {
      collector.checkName(inner, "a stage")
      if inner.value["loop"] != nil {
        collector.notBuiltYet("a loop inside a loop", at: inner.keySpan)
      }
      // Kept by name even when refused, so that references to it are not reported too.
      draft.stages.append(
        inner.value["loop"] == nil
          ? stage(inner, path: "\(entry.key).\(inner.key)")
          : StageDraft(name: inner.key, nameSpan: inner.keySpan, path: "\(entry.key).\(inner.key)"))
    }
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
        entry.value, of: name, known: ["first", "next"], help: "write `{first: …, next: …}`")
      {
        draft.first = fields["first"]
        draft.next = fields["next"]
        if draft.first == nil {
          collector.missingKey(
            "first", of: name, at: entry.keySpan, help: "its value in iteration 1; `null` for none")
        }
        if draft.next == nil {
          collector.missingKey(
            "next", of: name, at: entry.keySpan, help: "what an iteration hands to the next")
        }
      }
      return draft
    }
  }

  func members(_ drafts: [MemberDraft], _ resolver: ReferenceResolver) -> [Experiment.Member] {
    drafts.enumerated().map { index, draft in
      switch draft {
      case .stage(let stage): return .stage(entry(stage, resolver.scope(inside: nil)))
      case .loop(let loop):
        let scope = resolver.scope(inside: index)
        return .loop(
          Experiment.LoopEntry(
            name: loop.name, nameSpan: loop.nameSpan, times: loop.times,
            carries: loop.carries.indices.map { scope.carry($0) },
            stages: loop.stages.map { entry($0, scope) }, description: loop.description))
      }
    }
  }

  /// Only stages whose rows are independent can be cut into shards; a default for all does not reach the others.
  private func execution(_ fields: Fields, of what: String, rowsAreIndependent: Bool) -> ExecutionSettings {
    var settings = ExecutionDecoder(collector: collector).decode(fields, of: what, over: defaults)
    guard !rowsAreIndependent else { return settings }
    if let node = fields["shards"], settings.shards > 1 {
      collector.error(
        "not-shardable", "\(what) cannot be cut into shards: its rows are not independent", at: node.span,
        label: "only 1 is possible here")
    }
    settings.shards = 1
    return settings
  }

  private func entry(_ draft: StageDraft, _ scope: ReferenceScope) -> Experiment.StageEntry {
    let what = "stage `\(draft.path)`"
    let fields = draft.fields ?? Fields(entries: [], span: draft.nameSpan)
    let declaration =
      draft.declaration
      ?? StageDeclaration(name: "", summary: "", version: 0, inputs: [], outputs: [], options: [])
    var options = DecodedOptions(json: .object(JSONObject()))
    if draft.declaration != nil {
      var decoder = OptionDecoder(collector, paths)
      options = decoder.decode(fields["with"], declaration.options, of: draft.path, at: draft.nameSpan)
    }
    return Experiment.StageEntry(
      name: draft.name, nameSpan: draft.nameSpan, path: draft.path, declaration: declaration,
      inputs: scope.bind(draft, fields["in"]), needs: scope.needs(draft, fields["needs"]), options: options,
      seed: fields["seed"].flatMap { collector.integer($0, "`seed` of \(what)", 0...Int.max) }
        .map { UInt64($0) },
      execution: execution(
        fields, of: what, rowsAreIndependent: draft.declaration?.rowsAreIndependent ?? true),
      description: fields["description"].flatMap { collector.string($0, "`description` of \(what)") })
  }
}
