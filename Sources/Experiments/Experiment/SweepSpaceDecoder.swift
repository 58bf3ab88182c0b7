// `params`, `tied` and `constraints` of a sweep: what is varied, over what, and under which conditions.

import JSON
import Search

struct SweepSpaceDecoder {
  let collector: DiagnosticCollector
  let parameters: Parameters
  /// Of the sweep.
  let span: SourceSpan
  let isGrid: Bool

  private static let distributions = ["values", "uniform", "log_uniform", "integers", "log_integers"]

  func decode(_ fields: Fields) -> Space? {
    let before = collector.errorCount
    var found: [Parameter] = []
    var spans: [String: SourceSpan] = [:]
    if let node = fields["params"] {
      guard let entries = node.entries, !entries.isEmpty else {
        collector.wrongType(node, "`params` of `sweep`", expected: "a mapping from parameters to values")
        return nil
      }
      for entry in entries {
        spans[entry.key] = entry.keySpan
        guard let declared = declared(entry.key, at: entry.keySpan),
          let distribution = distribution(entry, declared)
        else { continue }
        found.append(Parameter(entry.key, distribution, where: condition(entry)))
      }
    }
    if let node = fields["tied"] {
      for group in node.elements ?? [] {
        let (names, rows) = rows(
          group, "a group of `tied`", each: "a row of `tied`", first: "the first row",
          rule: "every row gives the same parameters")
        for name in names { spans[name] = group.span }
        if !rows.isEmpty { found.append(Parameter(tied: rows)) }
      }
      if node.elements == nil {
        collector.wrongType(
          node, "`tied` of `sweep`", expected: "a list of groups",
          help: "`tied: [[{lr: 1e-5, steps: 200}, {lr: 1e-4, steps: 20}]]`")
      }
    }
    if fields["params"] == nil, fields["tied"] == nil {
      collector.missingKey(
        "params", of: "`sweep`", at: span, help: "what is varied: `params: {lr: [1e-5, 2e-5]}`")
    }
    let constraints = constraints(fields["constraints"])
    guard collector.errorCount == before else { return nil }
    do {
      return try Space(found, constraints: constraints.map(\.constraint))
    } catch {
      let place =
        error.parameter.flatMap { spans[$0] }
        ?? constraints.first { UTF8Key($0.constraint.description) == UTF8Key(error.constraint ?? "") }?.span
      collector.error(.badSweep, "`sweep`: \(error.description)", at: place ?? span, label: "found here")
      return nil
    }
  }

  func declared(_ name: String, at span: SourceSpan) -> Node? {
    if let node = parameters.value(of: name) { return node }
    collector.error(
      .unknownParameter, "there is no parameter called `\(name)`", at: span, label: "not under `params`",
      help: Suggestion.helpOrList(for: name, among: parameters.names, what: "the parameters are")
        ?? "declare it under `params:` first")
    return nil
  }

  // MARK: distributions

  private func distribution(_ entry: MappingEntry, _ declared: Node) -> Distribution? {
    let what = "`\(entry.key)` of `sweep`"
    if entry.value.elements != nil { return values(entry.value, declared, what).map { .values($0) } }
    guard let entries = entry.value.entries else {
      collector.wrongType(
        entry.value, what, expected: "a list of values or a distribution",
        help: "for example `[1e-5, 2e-5]` or `{log_uniform: [1e-6, 1e-4]}`")
      return nil
    }
    guard
      let fields = collector.fields(
        entry.value, of: what, known: Self.distributions + ["step", "when"],
        help: "a list of values, or a mapping with one of \(DiagnosticCollector.list(Self.distributions))")
    else { return nil }
    let named = entries.filter { entry in Self.distributions.contains { UTF8Key($0) == UTF8Key(entry.key) } }
    guard named.count == 1, let chosen = named.first else {
      if entries.allSatisfy({ entry in
        (Self.distributions + ["step", "when"]).contains { UTF8Key($0) == UTF8Key(entry.key) }
      }) {
        collector.error(
          .unknownChoice,
          "\(what) names \(named.isEmpty ? "no distribution" : "\(named.count) distributions")",
          at: entry.value.span,
          label: "expected one of \(DiagnosticCollector.list(Self.distributions))")
      }
      return nil
    }
    if chosen.key == "values" {
      if let step = fields.entry("step") {
        collector.error(
          .conflictingKeys, "`step` of \(what) has no meaning beside `values`", at: step.keySpan,
          label: "not used",
          help: "remove it")
      }
      guard chosen.value.elements != nil else {
        collector.wrongType(chosen.value, "`values` of \(what)", expected: "a list with at least one value")
        return nil
      }
      return values(chosen.value, declared, what).map { .values($0) }
    }
    guard Self.kind(declared) == "a number" else {
      collector.error(
        .wrongType, "\(what) is a distribution of numbers, and the parameter is \(declared.found)",
        at: chosen.keySpan, label: "not a number", notes: [.init("the parameter", at: declared.span)])
      return nil
    }
    guard !isGrid || fields["step"] != nil || ["integers", "log_integers"].contains(chosen.key) else {
      collector.error(
        .conflictingKeys, "\(what) is a distribution, and a grid has only values", at: entry.value.span,
        label: "not a list", help: "list the values, add a `step`, or use `method: random`")
      return nil
    }
    return numbers(chosen, step: fields["step"], what)
  }

  private func numbers(_ entry: MappingEntry, step: Node?, _ what: String) -> Distribution? {
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
    let isLog = entry.key.utf8.starts(with: "log_".utf8)
    if entry.key.utf8.elementsEqual("integers".utf8) || entry.key.utf8.elementsEqual("log_integers".utf8) {
      let numbers = ends.map { collector.integer($0, what, (isLog ? 1 : Int.min)...Int.max) }
      let width = step.map { collector.integer($0, "`step` of \(what)", 1...Int.max) ?? 1 } ?? 1
      return ordered(numbers[0], numbers[1]).map { .integers($0, $1, step: width, isLogarithmic: isLog) }
    }
    let most = Double.greatestFiniteMagnitude
    let numbers = ends.map {
      collector.number($0, "`\(entry.key)` of \(what)", (isLog ? 0 : -most)...most, exclusiveMinimum: isLog)
    }
    let width = step.flatMap { collector.number($0, "`step` of \(what)", 0...most, exclusiveMinimum: true) }
    return ordered(numbers[0], numbers[1]).map {
      isLog ? .logUniform($0, $1, step: width) : .uniform($0, $1, step: width)
    }
  }

  /// `when: {optimizer: rmsprop}`, or a list of values.
  private func condition(_ entry: MappingEntry) -> Parameter.Condition? {
    guard let node = entry.value.entries == nil ? nil : entry.value["when"] else { return nil }
    let what = "`when` of `\(entry.key)` of `sweep`"
    guard let entries = node.entries, entries.count == 1 else {
      collector.wrongType(
        node, what, expected: "a mapping from one parameter to its values",
        help: "`when: {optimizer: rmsprop}`: it exists where the parameter before it has this value")
      return nil
    }
    let values = (entries[0].value.elements ?? [entries[0].value]).compactMap(\.json)
    return Parameter.Condition(entries[0].key, among: values)
  }

  // MARK: values

  /// A list of values of the kind that the parameter has.
  private func values(_ node: Node, _ declared: Node?, _ what: String) -> [JSON]? {
    guard let elements = node.elements else { return nil }
    guard !elements.isEmpty else {
      collector.wrongType(node, what, expected: "a list with at least one value")
      return nil
    }
    return elements.compactMap { value($0, declared, what) }
  }

  func value(_ node: Node, _ declared: Node?, _ what: String) -> JSON? {
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

  // MARK: rows

  /// A list of mappings from the same parameters to values, in the order of the first.
  func rows(_ node: Node, _ what: String, each: String, first: String, rule: String) -> (
    names: [String], rows: [JSONObject]
  ) {
    guard let elements = node.elements, let entries = elements.first?.entries, !entries.isEmpty else {
      collector.wrongType(node, what, expected: "a list of mappings from parameters to values")
      return ([], [])
    }
    let names = entries.filter { declared($0.key, at: $0.keySpan) != nil }.map(\.key)
    let rows = elements.compactMap { element -> JSONObject? in
      guard let row = element.entries else {
        collector.wrongType(element, each, expected: "a mapping from parameters to values")
        return nil
      }
      for entry in row where !entries.contains(where: { UTF8Key($0.key) == UTF8Key(entry.key) }) {
        collector.error(
          .unknownKey, "\(first) gives no `\(entry.key)`", at: entry.keySpan, label: "only in this one",
          notes: [.init(first, at: elements[0].span)], help: rule)
      }
      return JSONObject(
        names.compactMap { name -> JSONObject.Member? in
          guard let node = element[name] else {
            collector.missingKey(name, of: each, at: element.span, help: rule)
            return nil
          }
          return value(node, parameters.value(of: name), "`\(name)` of \(each)").map { (name, $0) }
        })
    }
    return (names, rows)
  }

  /// Texts such as `warmup < steps`.
  private func constraints(_ node: Node?) -> [(constraint: Constraint, span: SourceSpan)] {
    guard let node else { return [] }
    return (node.elements ?? [node]).compactMap { element -> (constraint: Constraint, span: SourceSpan)? in
      guard let text = collector.string(element, "a constraint of `sweep`") else { return nil }
      do {
        return (try Constraint(reading: text), element.span)
      } catch {
        collector.error(
          .badSweep, "`sweep`: \(error)", at: element.span, label: "not a constraint")
        return nil
      }
    }
  }
}
