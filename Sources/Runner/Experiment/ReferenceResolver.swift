// What a name in `in:`, `carry:` and `needs:` means, and whether its type fits where it stands.

import JSON

struct ReferenceResolver {
  let collector: DiagnosticCollector
  let models: [Experiment.ModelEntry]
  let members: [MemberDraft]

  func scope(inside loop: Int?) -> ReferenceScope { ReferenceScope(resolver: self, loop: loop) }

  /// One name means one thing wherever it can be seen.
  func checkNames() {
    var seen: [UTF8Key: (kind: String, span: SourceSpan)] = [:]
    func add(
      _ name: String, _ kind: String, _ span: SourceSpan,
      to seen: inout [UTF8Key: (kind: String, span: SourceSpan)]
    ) {
      if let first = seen[UTF8Key(name)] {
        // Two of one kind in one mapping have been reported as a duplicate key.
        collector.error(
          "duplicate-name", "`\(name)` is both \(first.kind) and \(kind)", at: span, label: "\(kind)",
          notes: [.init("\(first.kind) of this name", at: first.span)], help: "rename one of them")
      } else {
        seen[UTF8Key(name)] = (kind, span)
      }
    }
    for model in models { add(model.model.name, "a model", model.span, to: &seen) }
    for member in members {
      if case .loop = member {
        add(member.name, "a loop", member.nameSpan, to: &seen)
      } else {
        add(member.name, "a stage", member.nameSpan, to: &seen)
      }
    }
    for case .loop(let loop) in members {
      var inner = seen
      for carry in loop.carries { add(carry.name, "a carried value", carry.nameSpan, to: &inner) }
      for stage in loop.stages { add(stage.name, "a stage of `\(loop.name)`", stage.nameSpan, to: &inner) }
    }
  }

  func loopIndex(_ name: String) -> Int? {
    members.firstIndex { if case .loop = $0 { UTF8Key($0.name) == UTF8Key(name) } else { false } }
  }

  func draft(_ reference: Reference, inside loop: Int?) -> (stage: StageDraft, output: String)? {
    switch reference {
    case .stage(let index, let output):
      if case .stage(let stage) = members[index] { return (stage, output) }
    case .sibling(let index, let output):
      if let loop, case .loop(let draft) = members[loop] { return (draft.stages[index], output) }
    case .iteration(let loop, _, let index, let output):
      if case .loop(let draft) = members[loop] { return (draft.stages[index], output) }
    case .null, .model, .carried, .invalid: break
    }
    return nil
  }

  /// Stage after stage of text: `name`, `name.output`, `loop@2.name.output`.
  struct Address {
    var head: String
    var selector: String?
    var rest: [String]

    init(_ text: String) {
      var parts = text.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
      let first = parts.removeFirst()
      if let at = first.firstIndex(of: "@") {
        head = String(first[..<at])
        selector = String(first[first.index(after: at)...])
      } else {
        head = first
      }
      rest = parts
    }
  }
}

/// The names that can be seen from one place: the top level, or the inside of a loop.
struct ReferenceScope {
  let resolver: ReferenceResolver
  let loop: Int?
  var collector: DiagnosticCollector { resolver.collector }

  private var body: LoopDraft? {
    if let loop, case .loop(let draft) = resolver.members[loop] { draft } else { nil }
  }

  // MARK: names

  /// The names that could stand here, each with what it is.
  private var visible: [(name: String, what: String, span: SourceSpan)] {
    var names: [(String, String, SourceSpan)] = []
    for carry in body?.carries ?? [] { names.append((carry.name, "carried", carry.nameSpan)) }
    for stage in body?.stages ?? [] { names.append((stage.name, "stage", stage.nameSpan)) }
    for case .stage(let stage) in resolver.members { names.append((stage.name, "stage", stage.nameSpan)) }
    for model in resolver.models { names.append((model.model.name, "model", model.span)) }
    return names
  }

  /// `user` says who refers, for messages: "input `model` of `quark.train`".
  func resolve(_ node: Node, user: String) -> Reference {
    if node.isInvalid { return .invalid }
    if node.isNull { return .null }
    guard let text = node.string else {
      collector.wrongType(node, user, expected: "a reference such as `stage` or `stage.output`")
      return .invalid
    }
    let address = ReferenceResolver.Address(text)
    if let selector = address.selector { return iteration(address, selector, text, node, user) }
    return name(address, text, node, user)
  }

  private func name(_ address: ReferenceResolver.Address, _ text: String, _ node: Node, _ user: String)
    -> Reference
  {
    let head = UTF8Key(address.head)
    if let index = body?.carries.firstIndex(where: { UTF8Key($0.name) == head }) {
      return plain(.carried(index), address, "a carried value", node)
    }
    if let index = body?.stages.firstIndex(where: { UTF8Key($0.name) == head }), let body {
      return output(of: body.stages[index], address.rest, text, node) { .sibling(index, output: $0) }
    }
    for (index, member) in resolver.members.enumerated() where UTF8Key(member.name) == head {
      switch member {
      case .stage(let stage):
        return output(of: stage, address.rest, text, node) { .stage(index, output: $0) }
      case .loop(let loop):
        let inner = address.rest.first ?? loop.stages.last?.name ?? "stage"
        collector.error(
          "unknown-reference", "\(user) refers to the loop `\(loop.name)` without an iteration",
          at: node.span,
          label: "a loop is not a stage", notes: collector.originNotes(node),
          help: index == self.loop
            ? "inside the loop write `\(inner)` alone" : "write `\(loop.name)@last.\(inner)`")
        return .invalid
      }
    }
    if let index = resolver.models.firstIndex(where: { UTF8Key($0.model.name) == head }) {
      return plain(.model(index), address, "a model", node)
    }
    unknown(address.head, node, user)
    return .invalid
  }

  private func plain(
    _ reference: Reference, _ address: ReferenceResolver.Address, _ kind: String, _ node: Node
  ) -> Reference {
    guard !address.rest.isEmpty else { return reference }
    collector.error(
      "unknown-output", "`\(address.head)` is \(kind) and has no outputs to choose from", at: node.span,
      label: "has no output `\(address.rest.joined(separator: "."))`", help: "write `\(address.head)`")
    return .invalid
  }

  private func unknown(_ name: String, _ node: Node, _ user: String) {
    let visible = visible
    var help: String?
    for case .loop(let other) in resolver.members
    where other.stages.contains(where: { UTF8Key($0.name) == UTF8Key(name) }) {
      help = "`\(name)` is a stage of the loop `\(other.name)`: write `\(other.name)@last.\(name)`"
    }
    if help == nil, let near = Suggestion.nearest(to: name, among: visible.map(\.name)),
      let found = visible.first(where: { $0.name == near })
    {
      help = "did you mean `\(near)` (\(found.what), line \(found.span.line))?"
    }
    collector.error(
      "unknown-reference", "\(user) refers to `\(name)`, which does not exist", at: node.span,
      label: loop == nil ? "not a stage or a model" : "not a stage, a model or a carried name",
      notes: collector.originNotes(node), help: help)
  }

  private func output(
    of stage: StageDraft, _ rest: [String], _ text: String, _ node: Node, _ make: (String) -> Reference
  ) -> Reference {
    guard let declaration = stage.declaration else { return .invalid }
    guard let first = declaration.outputs.first else {
      collector.error(
        "unknown-output", "stage `\(stage.path)` has no outputs", at: node.span, label: "gives nothing")
      return .invalid
    }
    guard let wanted = rest.first else { return make(first.name) }
    if rest.count == 1, declaration.outputs.contains(where: { UTF8Key($0.name) == UTF8Key(wanted) }) {
      return make(wanted)
    }
    let outputs = declaration.outputs.map(\.name)
    collector.error(
      "unknown-output",
      "stage `\(stage.path)` has no output called `\(rest.joined(separator: "."))`", at: node.span,
      label: "unknown output", notes: collector.originNotes(node),
      help: Suggestion.helpOrList(for: wanted, among: outputs, what: "the outputs are"))
    return .invalid
  }

  private func iteration(
    _ address: ReferenceResolver.Address, _ selector: String, _ text: String, _ node: Node, _ user: String
  ) -> Reference {
    guard let found = iterationTarget(address, selector, node, user) else { return .invalid }
    guard let which = found.iteration else {
      collector.notBuiltYet("a collection of all iterations as an input (`@all`)", at: node.span)
      return .invalid
    }
    return output(of: found.stage, Array(address.rest.dropFirst()), text, node) {
      .iteration(loop: found.loop, which, stage: found.index, output: $0)
    }
  }

  /// The stage that `loop@selector.stage…` names. `iteration` is nil for `@all`.
  func iterationTarget(
    _ address: ReferenceResolver.Address, _ selector: String, _ node: Node, _ user: String
  ) -> (loop: Int, iteration: Reference.Iteration?, stage: StageDraft, index: Int)? {
    guard let loopIndex = resolver.loopIndex(address.head), case .loop(let loop) = resolver.members[loopIndex]
    else {
      let loops = resolver.members.compactMap { if case .loop(let loop) = $0 { loop.name } else { nil } }
      collector.error(
        "unknown-reference", "\(user) refers to the loop `\(address.head)`, which does not exist",
        at: node.span,
        label: "not a loop", notes: collector.originNotes(node),
        help: Suggestion.helpOrList(for: address.head, among: loops, what: "the loops are"))
      return nil
    }
    guard loopIndex != self.loop else {
      collector.error(
        "unknown-reference", "\(user) refers to its own loop by iteration", at: node.span,
        label: "inside `\(loop.name)`",
        help: "a stage of the same iteration is named alone; `carry` hands values to the next iteration")
      return nil
    }
    let which: Reference.Iteration?
    switch selector {
    case "last": which = .last
    case "all": which = nil
    default:
      guard let number = Int(selector), selector.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
        collector.error(
          "unknown-reference", "`@\(selector)` names no iteration", at: node.span,
          label: "expected `@last` or a number", help: "iterations are counted from 1")
        return nil
      }
      guard (1...loop.times).contains(number) else {
        collector.error(
          "out-of-range", "the loop `\(loop.name)` has no iteration \(number)", at: node.span,
          label: "it has \(loop.times)", notes: [.init("the loop", at: loop.nameSpan)])
        return nil
      }
      which = .number(number)
    }
    let name = address.rest.first ?? ""
    guard let index = loop.stages.firstIndex(where: { UTF8Key($0.name) == UTF8Key(name) }) else {
      collector.error(
        "unknown-reference",
        name.isEmpty
          ? "\(user) names an iteration of `\(loop.name)` but no stage in it"
          : "the loop `\(loop.name)` has no stage called `\(name)`", at: node.span, label: "no such stage",
        notes: collector.originNotes(node),
        help: Suggestion.helpOrList(for: name, among: loop.stages.map(\.name), what: "its stages are"))
      return nil
    }
    return (loopIndex, which, loop.stages[index], index)
  }

  // MARK: types

  /// Nil when it is null, or unknown after a mistake.
  func type(of reference: Reference) -> ArtifactType? {
    var seen: Set<Int> = []
    var reference = reference
    while case .carried(let index) = reference {
      guard let carry = body?.carries[index], seen.insert(index).inserted else { return nil }
      let quiet = ReferenceScope(
        resolver: ReferenceResolver(
          collector: DiagnosticCollector(), models: resolver.models, members: resolver.members), loop: loop)
      let first = carry.first.map { quiet.outside.resolve($0, user: "") } ?? .invalid
      if let type = quiet.outside.type(of: first) { return type }
      reference = carry.next.map { quiet.resolve($0, user: "") } ?? .invalid
    }
    if case .model = reference { return .model }
    guard let (stage, output) = resolver.draft(reference, inside: loop) else { return nil }
    return stage.declaration?.outputs.first { UTF8Key($0.name) == UTF8Key(output) }?.type
  }

  private var outside: ReferenceScope { ReferenceScope(resolver: resolver, loop: nil) }

  // MARK: uses

  func carry(_ index: Int) -> Experiment.Carry {
    guard let draft = body?.carries[index] else { preconditionFailure("carry \(index) is not in a loop") }
    let first =
      draft.first.map { outside.resolve($0, user: "`first` of carried `\(draft.name)`") } ?? .invalid
    let next = draft.next.map { resolve($0, user: "`next` of carried `\(draft.name)`") } ?? .invalid
    if let node = draft.next, let from = outside.type(of: first), let to = type(of: next), from != to {
      collector.error(
        "type-mismatch",
        "carried `\(draft.name)` begins as \(from.words) but its `next` is \(to.words)", at: node.span,
        label: "gives \(to.words)",
        notes: draft.first.map { [.init("gives \(from.words)", at: $0.span)] } ?? [])
    }
    return Experiment.Carry(
      name: draft.name, nameSpan: draft.nameSpan, first: first,
      firstSpan: draft.first?.span ?? draft.nameSpan,
      next: next, nextSpan: draft.next?.span ?? draft.nameSpan)
  }

  /// `in:`, in the order in which the plug-in declares its ports.
  func bind(_ draft: StageDraft, _ node: Node?) -> [Experiment.Binding] {
    var entries: [MappingEntry] = []
    if let node, !node.isNull, !node.isInvalid {
      if let written = node.entries {
        entries = written
      } else {
        collector.wrongType(
          node, "`in` of stage `\(draft.path)`", expected: "a mapping of inputs to references")
        return []
      }
    }
    guard let declaration = draft.declaration else {
      // The plug-in is unknown: its references can still be wrong.
      for entry in entries { _ = resolve(entry.value, user: "input `\(entry.key)` of `\(draft.path)`") }
      return []
    }
    let ports = declaration.inputs
    for entry in entries where !ports.contains(where: { UTF8Key($0.name) == UTF8Key(entry.key) }) {
      collector.error(
        "unknown-input", "stage `\(draft.path)` has no input called `\(entry.key)`", at: entry.keySpan,
        label: "`\(declaration.name)` has no such input",
        help: Suggestion.helpOrList(for: entry.key, among: ports.map(\.name), what: "its inputs are"))
      _ = resolve(entry.value, user: "input `\(entry.key)` of `\(draft.path)`")
    }
    return ports.compactMap { port in
      guard let entry = entries.first(where: { UTF8Key($0.key) == UTF8Key(port.name) }) else {
        if port.isRequired, node?.isInvalid != true {
          collector.error(
            "missing-input", "stage `\(draft.path)` lacks the input `\(port.name)`",
            at: draft.nameSpan, label: "`\(port.name)` is missing",
            help: "`in: {\(port.name): …}` takes \(port.type.words): \(port.summary)")
        }
        return nil
      }
      return bind(entry, to: port, of: draft)
    }
  }

  private func bind(_ entry: MappingEntry, to port: InputPort, of draft: StageDraft) -> Experiment.Binding {
    let reference = resolve(entry.value, user: "input `\(port.name)` of `\(draft.path)`")
    if port.isRequired {
      var notes = collector.originNotes(entry.value)
      var isNull = reference == .null
      if case .carried(let index) = reference, let carry = body?.carries[index] {
        for node in [carry.first, carry.next] {
          guard let node, node.isNull else { continue }
          isNull = true
          notes.append(.init("`\(carry.name)` is null here", at: node.span))
        }
      }
      if isNull {
        collector.error(
          "null-input", "input `\(port.name)` of `\(draft.path)` must not be null", at: entry.value.span,
          label: "is null", notes: notes)
      }
    }
    if let type = type(of: reference), type != port.type {
      collector.error(
        "type-mismatch",
        "input `\(port.name)` of `\(draft.path)` takes \(port.type.words), found \(type.words)",
        at: entry.value.span, label: "gives \(type.words)", notes: collector.originNotes(entry.value),
        help: fittingOutput(reference, port.type))
    }
    return Experiment.Binding(port: port.name, reference: reference, span: entry.value.span)
  }

  /// Another output of the same stage may be the one that was meant.
  private func fittingOutput(_ reference: Reference, _ type: ArtifactType) -> String? {
    guard let (stage, _) = resolver.draft(reference, inside: loop),
      let output = stage.declaration?.outputs.first(where: { $0.type == type })
    else { return nil }
    return "`\(stage.name).\(output.name)` is \(type.words)"
  }

  func needs(_ draft: StageDraft, _ node: Node?) -> [Experiment.Binding] {
    guard let node, !node.isNull else { return [] }
    return (node.elements ?? [node]).compactMap { element in
      let reference = resolve(element, user: "`needs` of `\(draft.path)`")
      switch reference {
      case .stage, .sibling, .iteration:
        return Experiment.Binding(port: "needs", reference: reference, span: element.span)
      case .invalid: return nil
      case .null, .model, .carried:
        collector.wrongType(element, "`needs` of `\(draft.path)`", expected: "the name of a stage")
        return nil
      }
    }
  }
}

extension ArtifactType {
  /// In a sentence.
  var words: String {
    switch self {
    case .rows: "rows"
    case .model: "a model"
    case .metrics: "metrics"
    case .file: "a file"
    }
  }
}
