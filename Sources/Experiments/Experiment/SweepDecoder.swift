// `sweep:`: read and checked against the parameters, the metrics and the loops it names.

import JSON
import Search

struct SweepDecoder {
  let collector: DiagnosticCollector
  let parameters: Parameters
  let metrics: [String]
  /// At the top of the experiment.
  let loops: [String]

  private static let methods = ["grid", "list", "random", "latin_hypercube", "tpe"]
  /// Keys that say what the trials are: those of a method that has them, beside `method` itself.
  private static let defining = ["params", "tied", "constraints", "seed", "lag", "metric", "early_terminate"]

  func decode(_ node: Node) -> Sweep? {
    guard let fields = collector.fields(node, of: "`sweep`", known: Language.sweep.names) else { return nil }
    let before = collector.errorCount
    let method =
      fields["method"].map { collector.choice($0, "`method` of `sweep`", Self.methods) ?? "grid" } ?? "grid"
    let decoder = SweepSpaceDecoder(
      collector: collector, parameters: parameters, span: node.span, isGrid: method == "grid")
    var names: [String] = []
    var rows: [JSONObject] = []
    var space: Space?
    if method == "list" {
      (names, rows) = list(fields, at: node.span, decoder)
      space = Space()
    } else {
      space = decoder.decode(fields)
      names = (fields["params"]?.entries ?? []).map(\.key)
      for group in fields["tied"]?.elements ?? [] {
        names += (group.elements?.first?.entries ?? []).map(\.key)
      }
    }
    let trials = method == "list" ? nil : trials(fields, method, at: node.span)
    let chosen: SearchMethod =
      switch method {
      case "list": .list(rows)
      case "random": .random
      case "latin_hypercube": .latinHypercube(trials: trials ?? 1)
      case "tpe": .tpe(TPE())
      default: .grid
      }
    var sweep = Sweep(
      method: chosen, space: space ?? Space(), names: names, trials: trials,
      definition: definition(fields, method), span: node.span)
    if let node = fields["seed"] {
      sweep.seed = collector.integer(node, "`seed` of `sweep`", 0...Int.max) ?? 0
    }
    if let node = fields["lag"] {
      sweep.lag = collector.integer(node, "`lag` of `sweep`", Language.lag) ?? 4
    }
    if let node = fields["on_failure"] {
      sweep.failures =
        collector.choice(node, "`on_failure` of `sweep`", Sweep.Failures.allCases.map(\.rawValue))
        .flatMap(Sweep.Failures.init(rawValue:)) ?? .count
    }
    metric(fields, &sweep, isNeeded: method == "tpe" || fields["early_terminate"].map { !$0.isNull } ?? false)
    if let node = fields["repeat"] { sweep.repeats = repeats(node, sweep) }
    if let node = fields["early_terminate"], !node.isNull {
      sweep.earlyEnd = earlyEnd(node, sweep, isTPE: method == "tpe")
    }
    guard collector.errorCount == before, space != nil else { return nil }
    checkTrials(sweep)
    return collector.errorCount == before ? sweep : nil
  }

  /// That there are trials: what a grid or a design refuses is known only with the whole sweep.
  private func checkTrials(_ sweep: Sweep) {
    do {
      var sequence = try sweep.sequence()
      _ = try sequence.next()
    } catch {
      collector.error(.badSweep, "`sweep`: \(error.description)", at: sweep.span, label: "no trials")
    }
  }

  private func trials(_ fields: Fields, _ method: String, at span: SourceSpan) -> Int? {
    guard method != "grid" else {
      if let entry = fields.entry("trials") {
        collector.error(
          .conflictingKeys, "`trials` of `sweep` has no meaning with `method: grid`", at: entry.keySpan,
          label: "a grid has as many as there are combinations", help: "remove it, or use `method: random`")
      }
      return nil
    }
    guard let node = fields["trials"] else {
      collector.missingKey("trials", of: "`sweep`", at: span, help: "how many to run")
      return nil
    }
    return collector.integer(node, "`trials` of `sweep`", Language.trials)
  }

  private func definition(_ fields: Fields, _ method: String) -> JSON {
    var members: [JSONObject.Member] = [("method", .string(method))]
    for key in Self.defining + (["list", "latin_hypercube"].contains(method) ? ["trials"] : []) {
      guard let node = fields[key], let json = node.json else { continue }
      // The order of parameters is the order of a grid.
      members.append(
        (
          key,
          key == "params" ? .array([json, .array((json.objectValue?.keys ?? []).map { .string($0) })]) : json
        ))
    }
    return .object(JSONObject(members))
  }

  // MARK: a list

  /// `trials:` holds the trials themselves.
  private func list(_ fields: Fields, at span: SourceSpan, _ decoder: SweepSpaceDecoder) -> (
    names: [String], rows: [JSONObject]
  ) {
    for key in ["params", "tied", "constraints"] {
      guard let entry = fields.entry(key) else { continue }
      collector.error(
        .conflictingKeys, "`\(key)` of `sweep` has no meaning with `method: list`", at: entry.keySpan,
        label: "each trial gives its own values", help: "write `trials: [{lr: 1e-5}, {lr: 2e-5}]` alone")
    }
    guard let node = fields["trials"] else {
      collector.missingKey(
        "trials", of: "`sweep`", at: span, help: "`trials: [{lr: 1e-5}, {lr: 2e-5}]`")
      return ([], [])
    }
    return decoder.rows(
      node, "`trials` of `sweep`", each: "a trial of `sweep`", first: "the first trial",
      rule: "every trial gives the same parameters")
  }

  // MARK: the rest

  private func metric(_ fields: Fields, _ sweep: inout Sweep, isNeeded: Bool) {
    guard let node = fields["metric"] else {
      if isNeeded {
        collector.missingKey(
          "metric", of: "`sweep`", at: sweep.span, help: "`metric: {name: reward, goal: maximize}`")
      }
      return
    }
    var nameNode: Node? = node
    if node.entries != nil {
      guard
        let inner = collector.fields(node, of: "`metric` of `sweep`", known: ["name", "goal"])
      else { return }
      nameNode = inner["name"]
      if nameNode == nil { collector.missingKey("name", of: "`metric` of `sweep`", at: node.span) }
      sweep.goal = inner["goal"].flatMap {
        collector.choice($0, "`goal` of `sweep`", Goal.allCases.map(\.rawValue))
      }.flatMap(Goal.init(rawValue:))
      if isNeeded, inner["goal"] == nil {
        collector.missingKey(
          "goal", of: "`metric` of `sweep`", at: node.span, help: "`maximize` or `minimize`")
      }
    } else if isNeeded {
      collector.missingKey(
        "goal", of: "`metric` of `sweep`", at: node.span, help: "write `{name: …, goal: maximize}`")
    }
    guard let nameNode, let name = collector.string(nameNode, "`metric` of `sweep`") else { return }
    guard metrics.contains(where: { UTF8Key($0) == UTF8Key(name) }) else {
      collector.error(
        .unknownMetric, "`metric` of `sweep` names `\(name)`, which is not declared", at: nameNode.span,
        label: "not under `metrics`", notes: collector.originNotes(nameNode),
        help: Suggestion.helpOrList(for: name, among: metrics, what: "the metrics are")
          ?? "declare it: `metrics: {\(name): …}`")
      return
    }
    sweep.metric = name
  }

  private func repeats(_ node: Node, _ sweep: Sweep) -> [(name: String, values: [JSON])] {
    let decoder = SweepSpaceDecoder(
      collector: collector, parameters: parameters, span: node.span, isGrid: false)
    guard let entries = node.entries else {
      collector.wrongType(
        node, "`repeat` of `sweep`", expected: "a mapping such as `{seed: [1, 2, 3]}`")
      return []
    }
    return entries.compactMap { entry in
      let what = "`\(entry.key)` of `repeat`"
      let isSeed = UTF8Key(entry.key) == UTF8Key("seed") && parameters.value(of: "seed") == nil
      let declared = isSeed ? nil : decoder.declared(entry.key, at: entry.keySpan)
      guard isSeed || declared != nil else { return nil }
      if sweep.names.contains(where: { UTF8Key($0) == UTF8Key(entry.key) }) {
        collector.error(
          .conflictingKeys, "`\(entry.key)` is varied and repeated", at: entry.keySpan,
          label: "only one is possible", help: "remove it from one of the two")
        return nil
      }
      guard let elements = entry.value.elements, !elements.isEmpty else {
        collector.wrongType(entry.value, what, expected: "a list with at least one value")
        return nil
      }
      if isSeed { for element in elements { _ = collector.integer(element, what, 0...Int.max) } }
      return (entry.key, elements.compactMap { decoder.value($0, declared, what) })
    }
  }

  private func earlyEnd(_ node: Node, _ sweep: Sweep, isTPE: Bool) -> Sweep.EarlyEnd? {
    let what = "`early_terminate` of `sweep`"
    let kinds = Sweep.EarlyEnd.Kind.allCases.map(\.rawValue)
    var end = Sweep.EarlyEnd(kind: .halving, loop: loops.first ?? "")
    var named: Node?
    if node.entries != nil {
      guard let fields = collector.fields(node, of: what, known: Language.earlyEnd.names) else { return nil }
      guard let kindNode = fields["kind"] else {
        collector.missingKey("kind", of: what, at: node.span, help: "`kind: halving`")
        return nil
      }
      guard let kind = collector.choice(kindNode, "`kind` of \(what)", kinds) else { return nil }
      end.kind = Sweep.EarlyEnd.Kind(rawValue: kind) ?? .halving
      named = fields["loop"]
      let own =
        ["least"]
        + (end.kind == .median ? ["trials"] : end.kind == .halving ? ["factor", "cohort"] : ["factor"])
      for entry in fields.entries
      where ["factor", "cohort", "trials"].contains(entry.key) && !own.contains(entry.key) {
        collector.error(
          .conflictingKeys, "`\(entry.key)` of \(what) has no meaning with `kind: \(kind)`",
          at: entry.keySpan,
          label: "not used", help: "its settings are `loop`, \(DiagnosticCollector.list(own))")
      }
      func integer(_ key: String, _ range: ClosedRange<Int>, _ standard: Int) -> Int {
        fields[key].flatMap { collector.integer($0, "`\(key)` of \(what)", range) } ?? standard
      }
      end.least = integer("least", Language.leastIterations, end.least)
      end.factor = integer("factor", Language.factor, end.factor)
      end.cohort = integer("cohort", Language.cohort, end.factor * end.factor)
      end.leastTrials = integer("trials", Language.cohort, end.leastTrials)
    } else {
      guard let kind = collector.choice(node, what, kinds) else { return nil }
      end.kind = Sweep.EarlyEnd.Kind(rawValue: kind) ?? .halving
    }
    if let named {
      guard let name = collector.string(named, "`loop` of \(what)") else { return nil }
      guard loops.contains(where: { UTF8Key($0) == UTF8Key(name) }) else {
        collector.error(
          .unknownReference, "\(what) names the loop `\(name)`, which does not exist", at: named.span,
          label: "not a loop", help: Suggestion.helpOrList(for: name, among: loops, what: "the loops are"))
        return nil
      }
      end.loop = name
    } else if loops.count != 1 {
      collector.error(
        .missingKey, "\(what) must name the loop whose iterations it compares", at: node.span,
        label: loops.isEmpty ? "the experiment has no loop" : "there are \(loops.count) loops",
        help: loops.isEmpty ? nil : "write `{kind: \(end.kind.rawValue), loop: \(loops[0])}`")
      return nil
    }
    if isTPE, end.kind == .asha {
      collector.error(
        .conflictingKeys,
        "\(what) is `asha`, whose decisions depend on which trial came first, and `tpe` suggests from them",
        at: node.span, label: "not with `tpe`",
        help: "use `halving` or `median`, which follow from the metrics alone")
    }
    if isTPE, end.kind == .halving, sweep.lag < end.cohort {
      collector.error(
        .conflictingKeys, "\(what) decides \(end.cohort) trials together, and `lag` is \(sweep.lag)",
        at: node.span,
        label: "a trial would wait for one of its own cohort",
        help: "write `lag: \(end.cohort)`, or a smaller `cohort`")
    }
    return end
  }
}
