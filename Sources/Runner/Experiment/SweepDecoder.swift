// `sweep:`: read and checked against the parameters, the metrics and the loops it names.

import JSON

struct SweepDecoder {
  let collector: DiagnosticCollector
  let parameters: Parameters
  let metrics: [String]
  /// At the top of the experiment.
  let loops: [String]

  private static let distributions = ["uniform", "log_uniform", "integers"]

  func decode(_ node: Node) -> Sweep? {
    guard let fields = collector.fields(node, of: "`sweep`", known: Language.sweep.names) else { return nil }
    let before = collector.errorCount
    var sweep = Sweep(method: .grid, parameters: [], span: node.span)
    if let node = fields["method"] {
      sweep.method =
        collector.choice(node, "`method` of `sweep`", Sweep.Method.allCases.map(\.rawValue))
        .flatMap(Sweep.Method.init(rawValue:)) ?? .grid
    }
    if sweep.method == .list { list(fields, &sweep) } else { ranges(fields, &sweep) }
    metric(fields, &sweep)
    if let node = fields["repeat"] { sweep.repeats = repeats(node, sweep) }
    if let node = fields["early_terminate"], !node.isNull {
      sweep.earlyTermination = termination(node, sweep)
    }
    return collector.errorCount == before ? sweep : nil
  }

  // MARK: parameters

  private func ranges(_ fields: Fields, _ sweep: inout Sweep) {
    guard let node = fields["params"] else {
      collector.missingKey(
        "params", of: "`sweep`", at: sweep.span, help: "what is varied: `params: {lr: [1e-5, 2e-5]}`")
      return
    }
    guard let entries = node.entries, !entries.isEmpty else {
      collector.wrongType(node, "`params` of `sweep`", expected: "a mapping from parameters to values")
      return
    }
    for entry in entries {
      guard let declared = declared(entry.key, at: entry.keySpan),
        let range = range(entry, declared, sweep.method)
      else { continue }
      sweep.parameters.append(Sweep.Parameter(name: entry.key, range: range, span: entry.keySpan))
    }
    if [.random, .tpe].contains(sweep.method) {
      if let trials = fields["trials"] {
        sweep.trials = collector.integer(trials, "`trials` of `sweep`", Language.trials)
      } else {
        collector.missingKey("trials", of: "`sweep`", at: sweep.span, help: "how many to run")
      }
    } else if let trials = fields.entry("trials") {
      collector.error(
        .conflictingKeys, "`trials` of `sweep` has no meaning with `method: grid`", at: trials.keySpan,
        label: "a grid has as many as there are combinations", help: "remove it, or use `method: random`")
    }
  }

  private func declared(_ name: String, at span: SourceSpan) -> Node? {
    if let node = parameters.value(of: name) { return node }
    collector.error(
      .unknownParameter, "there is no parameter called `\(name)`", at: span, label: "not under `params`",
      help: Suggestion.helpOrList(for: name, among: parameters.names, what: "the parameters are")
        ?? "declare it under `params:` first")
    return nil
  }

  private func range(_ entry: MappingEntry, _ declared: Node, _ method: Sweep.Method) -> Sweep.Range? {
    let what = "`\(entry.key)` of `sweep`"
    if let values = values(entry.value, declared, what) { return .values(values) }
    guard let entries = entry.value.entries else {
      if entry.value.elements == nil {
        collector.wrongType(
          entry.value, what, expected: "a list of values or a distribution",
          help: "for example `[1e-5, 2e-5]` or `{log_uniform: [1e-6, 1e-4]}`")
      }
      return nil
    }
    guard entries.count == 1, Self.distributions.contains(where: { UTF8Key($0) == UTF8Key(entries[0].key) })
    else {
      collector.error(
        .unknownChoice, "\(what) names no distribution", at: entry.value.span,
        label: "expected one of \(DiagnosticCollector.list(Self.distributions))",
        help: entries.first.flatMap { Suggestion.help(for: $0.key, among: Self.distributions) })
      return nil
    }
    guard method != .grid else {
      collector.error(
        .conflictingKeys, "\(what) is a distribution, and a grid has only values", at: entry.value.span,
        label: "not a list", help: "list the values, or use `method: random`")
      return nil
    }
    return distribution(entries[0], declared, what)
  }

  private func distribution(_ entry: MappingEntry, _ declared: Node, _ what: String) -> Sweep.Range? {
    guard Self.kind(declared) == "a number" else {
      collector.error(
        .wrongType, "\(what) is a distribution of numbers, and the parameter is \(declared.found)",
        at: entry.keySpan, label: "not a number", notes: [.init("the parameter", at: declared.span)])
      return nil
    }
    guard let ends = entry.value.elements, ends.count == 2 else {
      collector.wrongType(entry.value, "`\(entry.key)` of \(what)", expected: "`[least, most]`")
      return nil
    }
    func ordered<T: Comparable>(_ least: T?, _ most: T?) -> (T, T)? {
      guard let least, let most else { return nil }
      guard least < most else {
        collector.error(
          .outOfRange, "`\(entry.key)` of \(what) has nothing between its ends", at: entry.value.span,
          label: "expected the smaller number first")
        return nil
      }
      return (least, most)
    }
    if UTF8Key(entry.key) == UTF8Key("integers") {
      let numbers = ends.map { collector.integer($0, what, Int.min...Int.max) }
      return ordered(numbers[0], numbers[1]).map { .integers($0, $1) }
    }
    let isLog = UTF8Key(entry.key) == UTF8Key("log_uniform")
    let most = Double.greatestFiniteMagnitude
    let numbers = ends.map {
      collector.number($0, "`\(entry.key)` of \(what)", (isLog ? 0 : -most)...most, exclusiveMinimum: isLog)
    }
    return ordered(numbers[0], numbers[1]).map { isLog ? .logUniform($0, $1) : .uniform($0, $1) }
  }

  /// A list of values of the kind that the parameter has; nil for what is no list.
  private func values(_ node: Node, _ declared: Node?, _ what: String) -> [JSON]? {
    guard let elements = node.elements else { return nil }
    guard !elements.isEmpty else {
      collector.wrongType(node, what, expected: "a list with at least one value")
      return []
    }
    return elements.compactMap { value($0, declared, what) }
  }

  private func value(_ node: Node, _ declared: Node?, _ what: String) -> JSON? {
    if let declared, !declared.isNull, !node.isInvalid, !declared.isInvalid,
      Self.kind(node) != Self.kind(declared)
    {
      collector.error(
        .wrongType, "\(what) must be \(Self.kind(declared)) like the parameter, found \(node.found)",
        at: node.span, label: "expected \(Self.kind(declared))",
        notes: collector.originNotes(node) + [.init("the parameter", at: declared.span)])
      return nil
    }
    return node.json
  }

  private static func kind(_ node: Node) -> String {
    switch node.content {
    case .invalid: "nothing"
    case .sequence: "a list"
    case .mapping: "a mapping"
    case .scalar(let scalar):
      switch scalar.value {
      case .null: "null"
      case .bool: "`true` or `false`"
      case .int, .largeInteger, .double: "a number"
      case .string: "a string"
      }
    }
  }

  /// `trials:` holds the trials themselves.
  private func list(_ fields: Fields, _ sweep: inout Sweep) {
    if let entry = fields.entry("params") {
      collector.error(
        .conflictingKeys, "`params` of `sweep` has no meaning with `method: list`", at: entry.keySpan,
        label: "each trial gives its own values", help: "write `trials: [{lr: 1e-5}, {lr: 2e-5}]` alone")
    }
    guard let node = fields["trials"] else {
      collector.missingKey(
        "trials", of: "`sweep`", at: sweep.span, help: "`trials: [{lr: 1e-5}, {lr: 2e-5}]`")
      return
    }
    guard let trials = node.elements, let first = trials.first?.entries, !first.isEmpty else {
      collector.wrongType(
        node, "`trials` of `sweep`", expected: "a list of mappings from parameters to values")
      return
    }
    for entry in first where declared(entry.key, at: entry.keySpan) != nil {
      sweep.parameters.append(Sweep.Parameter(name: entry.key, range: .values([]), span: entry.keySpan))
    }
    for trial in trials {
      guard let entries = trial.entries else {
        collector.wrongType(trial, "a trial of `sweep`", expected: "a mapping from parameters to values")
        continue
      }
      for entry in entries where !first.contains(where: { UTF8Key($0.key) == UTF8Key(entry.key) }) {
        collector.error(
          .unknownKey, "the first trial gives no `\(entry.key)`", at: entry.keySpan,
          label: "only in this trial", notes: [.init("the first trial", at: trials[0].span)],
          help: "every trial gives the same parameters")
      }
      var row: [JSON] = []
      for parameter in sweep.parameters {
        if let node = trial[parameter.name] {
          let what = "`\(parameter.name)` of a trial"
          if let json = value(node, parameters.value(of: parameter.name), what) { row.append(json) }
        } else {
          collector.missingKey(
            parameter.name, of: "a trial of `sweep`", at: trial.span,
            help: "every trial gives the same parameters")
        }
      }
      sweep.list.append(row)
    }
  }

  // MARK: the rest

  private func metric(_ fields: Fields, _ sweep: inout Sweep) {
    let isNeeded = sweep.method == .tpe || fields["early_terminate"].map { !$0.isNull } ?? false
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
        collector.choice($0, "`goal` of `sweep`", Sweep.Goal.allCases.map(\.rawValue))
      }.flatMap(Sweep.Goal.init(rawValue:))
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
    guard let entries = node.entries else {
      collector.wrongType(
        node, "`repeat` of `sweep`", expected: "a mapping such as `{seed: [1, 2, 3]}`")
      return []
    }
    return entries.compactMap { entry in
      let what = "`\(entry.key)` of `repeat`"
      let isSeed = UTF8Key(entry.key) == UTF8Key("seed") && parameters.value(of: "seed") == nil
      let declared = isSeed ? nil : declared(entry.key, at: entry.keySpan)
      guard isSeed || declared != nil else { return nil }
      if let twice = sweep.parameters.first(where: { UTF8Key($0.name) == UTF8Key(entry.key) }) {
        collector.error(
          .conflictingKeys, "`\(entry.key)` is varied and repeated", at: entry.keySpan,
          label: "only one is possible",
          notes: [.init("varied here", at: twice.span)])
        return nil
      }
      guard let elements = entry.value.elements, !elements.isEmpty else {
        collector.wrongType(entry.value, what, expected: "a list with at least one value")
        return nil
      }
      if isSeed { for element in elements { _ = collector.integer(element, what, 0...Int.max) } }
      return (entry.key, elements.compactMap { value($0, declared, what) })
    }
  }

  private func termination(_ node: Node, _ sweep: Sweep) -> Sweep.EarlyTermination? {
    let what = "`early_terminate` of `sweep`"
    var result = Sweep.EarlyTermination(loop: loops.first ?? "", least: 1, factor: 3)
    var named: Node?
    if node.entries != nil {
      guard
        let fields = collector.fields(node, of: what, known: ["kind", "loop", "least", "factor"])
      else { return nil }
      if let kind = fields["kind"] {
        _ = collector.choice(kind, "`kind` of \(what)", ["asha"])
      } else {
        collector.missingKey("kind", of: what, at: node.span, help: "`kind: asha`")
      }
      named = fields["loop"]
      if let node = fields["least"] {
        result.least = collector.integer(node, "`least` of \(what)", Language.leastIterations) ?? 1
      }
      if let node = fields["factor"] {
        result.factor = collector.integer(node, "`factor` of \(what)", Language.factor) ?? 3
      }
    } else if collector.choice(node, what, ["asha"]) == nil {
      return nil
    }
    if let named {
      guard let name = collector.string(named, "`loop` of \(what)") else { return nil }
      guard loops.contains(where: { UTF8Key($0) == UTF8Key(name) }) else {
        collector.error(
          .unknownReference, "\(what) names the loop `\(name)`, which does not exist", at: named.span,
          label: "not a loop", help: Suggestion.helpOrList(for: name, among: loops, what: "the loops are"))
        return nil
      }
      result.loop = name
    } else if loops.count != 1 {
      collector.error(
        .missingKey, "\(what) must name the loop whose iterations it compares", at: node.span,
        label: loops.isEmpty ? "the experiment has no loop" : "there are \(loops.count) loops",
        help: loops.isEmpty ? nil : "write `{kind: asha, loop: \(loops[0])}`")
      return nil
    }
    return result
  }
}
