// What `in:`, `carry:` and `needs:` name, and whether its type fits where it stands.

import JSON

/// A reference with what is known about it before anything is unrolled.
struct ResolvedReference {
  var reference: Reference
  /// Nil when it is null, or unknown after a mistake.
  var type: ArtifactType?
  var stages: [StageDraft] = []
  /// Whether it may be several artifacts.
  var collects = false
  /// An address that means one of them.
  var example = ""

  static let invalid = ResolvedReference(reference: .invalid)
}

extension ReferenceScope {
  func resolve(_ node: Node, user: String) -> ResolvedReference {
    if node.isInvalid { return .invalid }
    if node.isNull { return ResolvedReference(reference: .null) }
    guard let text = node.string else {
      collector.wrongType(node, user, expected: "a reference such as `stage` or `stage.output`")
      return .invalid
    }
    switch find(text, node, user: user) {
    case nil: return .invalid
    case .model(let index)?: return ResolvedReference(reference: .model(index), type: .model)
    case .carried(let up, let index)?:
      return ResolvedReference(
        reference: .carried(up: up, index: index), type: quiet.leaving(up).typeCarried(index, depth: 0))
    case .stages(let target)?: return output(of: target, node)
    }
  }

  private func output(of target: Target, _ node: Node) -> ResolvedReference {
    var name: String?
    var type: ArtifactType?
    for stage in target.stages {
      guard let output = output(target.rest, of: stage, node) else { return .invalid }
      if let type, type != output.type {
        collector.error(
          .typeMismatch, "the cells of `\(stage.path)` give \(type.words) and \(output.type.words)",
          at: node.span, label: "not one type", notes: [.init("the matrix", at: stage.nameSpan)])
        return .invalid
      }
      type = output.type
      name = output.name
    }
    guard let name else { return .invalid }
    return ResolvedReference(
      reference: .stages(target.path, output: name), type: type, stages: target.stages,
      collects: target.collects, example: ([target.example] + target.rest).joined(separator: "."))
  }

  private func output(_ rest: [String], of stage: StageDraft, _ node: Node) -> OutputPort? {
    guard let outputs = stage.declaration?.outputs else { return nil }
    guard let first = outputs.first else {
      collector.error(
        .unknownOutput, "stage `\(stage.path)` has no outputs", at: node.span, label: "gives nothing")
      return nil
    }
    guard let wanted = rest.first else { return first }
    if rest.count == 1, let output = outputs.first(where: { UTF8Key($0.name) == UTF8Key(wanted) }) {
      return output
    }
    collector.error(
      .unknownOutput,
      "stage `\(stage.path)` has no output called `\(rest.joined(separator: "."))`", at: node.span,
      label: "unknown output", notes: collector.originNotes(node),
      help: Suggestion.helpOrList(for: wanted, among: outputs.map(\.name), what: "the outputs are"))
    return nil
  }

  /// The type of a name that the innermost loop carries: of its `first`, else of its `next`.
  func typeCarried(_ index: Int, depth: Int) -> ArtifactType? {
    let carries = innermost.body.carries
    guard carries.indices.contains(index), depth < carries.count + levels.count else { return nil }
    for (node, scope) in [(carries[index].first, leaving(1)), (carries[index].next, self)] {
      guard let text = node?.string, let node else { continue }
      switch scope.find(text, node, user: "") {
      case nil: continue
      case .model?: return .model
      case .carried(let up, let inner)?:
        if let type = scope.leaving(up).typeCarried(inner, depth: depth + 1) { return type }
      case .stages(let target)?: if let type = scope.output(of: target, node).type { return type }
      }
    }
    return nil
  }

  /// What the stages give that a carried name stands for, one after the other.
  func outputsCarried(_ index: Int, depth: Int) -> [(path: String, output: OutputPort)] {
    let carries = innermost.body.carries
    guard carries.indices.contains(index), depth < carries.count + levels.count else { return [] }
    var found: [(path: String, output: OutputPort)] = []
    for (node, scope) in [(carries[index].first, leaving(1)), (carries[index].next, self)] {
      guard let text = node?.string, let node else { continue }
      switch scope.find(text, node, user: "") {
      case nil, .model?: continue
      case .carried(let up, let inner)?:
        // The loop's own name would lead back here.
        if up > 0 { found += scope.leaving(up).outputsCarried(inner, depth: depth + 1) }
      case .stages(let target)?:
        for stage in target.stages {
          if let output = scope.output(target.rest, of: stage, node) { found.append((stage.path, output)) }
        }
      }
    }
    return found
  }

  // MARK: carry

  /// A name that the innermost loop carries.
  func carry(_ index: Int) -> Experiment.Carry {
    let draft = innermost.body.carries[index]
    let first = carried(draft.first, in: leaving(1), "`first` of carried `\(draft.name)`")
    let next = carried(draft.next, in: self, "`next` of carried `\(draft.name)`")
    if let node = draft.next, let from = first.type, let to = next.type, from != to {
      collector.error(
        .typeMismatch,
        "carried `\(draft.name)` begins as \(from.words) but its `next` is \(to.words)", at: node.span,
        label: "gives \(to.words)",
        notes: draft.first.map { [.init("gives \(from.words)", at: $0.span)] } ?? [])
    }
    return Experiment.Carry(
      name: draft.name, nameSpan: draft.nameSpan, first: first.reference,
      firstSpan: draft.first?.span ?? draft.nameSpan,
      next: next.reference, nextSpan: draft.next?.span ?? draft.nameSpan)
  }

  private func carried(_ node: Node?, in scope: ReferenceScope, _ user: String) -> ResolvedReference {
    guard let node else { return .invalid }
    let resolved = scope.resolve(node, user: user)
    guard resolved.collects else { return resolved }
    reportCollection(node, user, "takes one artifact", help: "choose one, such as `\(resolved.example)`")
    return .invalid
  }

  private func reportCollection(_ node: Node, _ user: String, _ what: String, help: String) {
    collector.error(
      .collection, "\(user) \(what), and `\(node.string ?? "")` may be several", at: node.span,
      label: "a collection", notes: collector.originNotes(node),
      help: help)
  }

  // MARK: in

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
      collector.recordMisspelt(entry.key, among: ports.map(\.name), of: "`in` of `\(draft.path)`")
      collector.error(
        .unknownInput, "stage `\(draft.path)` has no input called `\(entry.key)`", at: entry.keySpan,
        label: "`\(declaration.name)` has no such input",
        help: Suggestion.helpOrList(for: entry.key, among: ports.map(\.name), what: "its inputs are"))
      _ = resolve(entry.value, user: "input `\(entry.key)` of `\(draft.path)`")
    }
    return ports.flatMap { port -> [Experiment.Binding] in
      guard let entry = entries.first(where: { UTF8Key($0.key) == UTF8Key(port.name) }) else {
        if port.isRequired, node?.isInvalid != true,
          !collector.isMisspelt(port.name, of: "`in` of `\(draft.path)`")
        {
          collector.error(
            .missingInput, "stage `\(draft.path)` lacks the input `\(port.name)`",
            at: draft.nameSpan, label: "`\(port.name)` is missing",
            help: "`in: {\(port.name): …}` takes \(port.type.words): \(port.summary)")
        }
        return []
      }
      return port.collects
        ? collect(entry.value, into: port, of: draft) : [bind(entry.value, to: port, of: draft, label: nil)]
    }
  }

  /// One reference, a list of them, or a mapping of labels to them.
  private func collect(_ node: Node, into port: InputPort, of draft: StageDraft) -> [Experiment.Binding] {
    if port.isRequired, node.elements?.isEmpty ?? node.entries?.isEmpty ?? false {
      collector.error(
        .missingInput, "input `\(port.name)` of `\(draft.path)` is empty", at: node.span,
        label: "names nothing to read")
    }
    if let elements = node.elements {
      return elements.enumerated().map { bind($1, to: port, of: draft, label: String($0 + 1)) }
    }
    if let entries = node.entries {
      return entries.map { bind($0.value, to: port, of: draft, label: $0.key) }
    }
    return [bind(node, to: port, of: draft, label: nil)]
  }

  private func bind(_ node: Node, to port: InputPort, of draft: StageDraft, label: String?)
    -> Experiment.Binding
  {
    let user = "input `\(port.name)` of `\(draft.path)`"
    let resolved = resolve(node, user: user)
    var reference = resolved.reference
    if port.isRequired || port.collects {
      let notes = nullNotes(node, reference)
      if let notes {
        collector.error(
          .nullInput, "\(user) must not be null", at: node.span, label: "is null", notes: notes)
      }
    }
    if resolved.collects, !port.collects {
      let others = draft.declaration?.inputs.filter(\.collects).map { "`\($0.name)`" } ?? []
      reportCollection(
        node, user, "takes one artifact",
        help: "choose one, such as `\(resolved.example)`"
          + (others.isEmpty ? "" : "; \(others.joined(separator: ", ")) takes several"))
      reference = .invalid
    }
    if let type = resolved.type, type != port.type {
      collector.error(
        .typeMismatch, "\(user) takes \(port.type.words), found \(type.words)",
        at: node.span, label: "gives \(type.words)", notes: collector.originNotes(node),
        help: fittingOutput(resolved, port.type))
    }
    return Experiment.Binding(port: port.name, label: label, reference: reference, span: node.span)
  }

  /// Nil when it is not null; else the places that make it so.
  private func nullNotes(_ node: Node, _ reference: Reference) -> [Diagnostic.Note]? {
    var notes = collector.originNotes(node)
    var isNull = reference == .null
    if case .carried(let up, let index) = reference {
      let carry = leaving(up).innermost.body.carries[index]
      for node in [carry.first, carry.next] {
        guard let node, node.isNull else { continue }
        isNull = true
        notes.append(.init("`\(carry.name)` is null here", at: node.span))
      }
    }
    return isNull ? notes : nil
  }

  /// Another output of the same stage may be the one that was meant.
  private func fittingOutput(_ resolved: ResolvedReference, _ type: ArtifactType) -> String? {
    guard let stage = resolved.stages.first,
      let output = stage.declaration?.outputs.first(where: { $0.type == type })
    else { return nil }
    return "`\(stage.name).\(output.name)` is \(type.words)"
  }

  // MARK: needs

  func needs(_ draft: StageDraft, _ node: Node?) -> [Experiment.Binding] {
    guard let node, !node.isNull else { return [] }
    return (node.elements ?? [node]).compactMap { element in
      let reference = resolve(element, user: "`needs` of `\(draft.path)`").reference
      switch reference {
      case .stages: return Experiment.Binding(port: "needs", reference: reference, span: element.span)
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
  package var words: String {
    switch self {
    case .rows: "rows"
    case .model: "a model"
    case .metrics: "metrics"
    case .file: "a file"
    }
  }
}
