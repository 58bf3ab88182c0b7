// The names that can be seen from one place, and which stages an address means from there.

import JSON

struct ReferenceScope {
  let collector: DiagnosticCollector
  let models: [Experiment.ModelEntry]
  private let modelIndex: [UTF8Key: Int]
  /// From the top of the experiment to the innermost group around the place.
  private(set) var levels: [Level]

  struct Level {
    var body: BodyDraft
    /// Nil at the top.
    var group: GroupDraft?
    /// Its position among the members of the level before.
    var index = 0
  }

  init(_ top: BodyDraft, models: [Experiment.ModelEntry], _ collector: DiagnosticCollector) {
    self.collector = collector
    self.models = models
    var index: [UTF8Key: Int] = [:]
    for (position, model) in models.enumerated() { index[UTF8Key(model.model.name)] = position }
    modelIndex = index
    levels = [Level(body: top)]
  }

  private init(_ scope: ReferenceScope, levels: [Level], _ collector: DiagnosticCollector) {
    self.collector = collector
    models = scope.models
    modelIndex = scope.modelIndex
    self.levels = levels
  }

  func entering(_ group: GroupDraft, at index: Int) -> ReferenceScope {
    var scope = self
    scope.levels.append(Level(body: group.body, group: group, index: index))
    return scope
  }

  /// As it is `count` groups further out.
  func leaving(_ count: Int) -> ReferenceScope {
    ReferenceScope(self, levels: Array(levels.dropLast(count)), collector)
  }

  /// Reports to nobody.
  var quiet: ReferenceScope { ReferenceScope(self, levels: levels, DiagnosticCollector()) }

  var innermost: Level { levels[levels.count - 1] }

  // MARK: names

  /// One name means one thing wherever it can be seen.
  func checkNames() {
    typealias Seen = [UTF8Key: (kind: String, span: SourceSpan)]
    func add(_ name: String, _ kind: String, _ span: SourceSpan, to seen: inout Seen) {
      if let first = seen[UTF8Key(name)] {
        // Two of one kind in one mapping have been reported as a duplicate key.
        collector.error(
          .duplicateName,
          first.kind == kind
            ? "`\(name)` is \(kind) already in this scope"
            : "`\(name)` is both \(first.kind) and \(kind)",
          at: span, label: "\(kind)",
          notes: [.init("\(first.kind) of this name", at: first.span)], help: "rename one of them")
      } else {
        seen[UTF8Key(name)] = (kind, span)
      }
    }
    func check(_ body: BodyDraft, of group: GroupDraft?, _ seen: Seen) {
      var seen = seen
      for carry in body.carries { add(carry.name, "a carried value", carry.nameSpan, to: &seen) }
      for member in body.members {
        add(member.name, member.kind + (group.map { " of `\($0.path)`" } ?? ""), member.nameSpan, to: &seen)
      }
      for member in body.members {
        if let inner = member.group { check(inner.body, of: inner, seen) }
      }
    }
    var seen: Seen = [:]
    for model in models { add(model.model.name, "a model", model.span, to: &seen) }
    check(levels[0].body, of: nil, seen)
  }

  /// The names that could stand here, each with what it is, the nearest first.
  private var visible: [(name: String, what: String, span: SourceSpan)] {
    var names: [(String, String, SourceSpan)] = []
    for level in levels.reversed() {
      for carry in level.body.carries { names.append((carry.name, "carried", carry.nameSpan)) }
      for member in level.body.members where member.group == nil {
        names.append((member.name, "stage", member.nameSpan))
      }
    }
    for model in models { names.append((model.model.name, "model", model.span)) }
    return names
  }

  private var visibleLoops: [String] {
    levels.reversed().flatMap { level in
      level.body.members.filter { $0.group != nil }.map(\.name)
    }
  }

  enum Meaning {
    case model(Int)
    case carried(up: Int, index: Int)
    case stages(Target)
  }

  /// What an address leads to.
  struct Target {
    var path: StagePath
    /// One draft of each stage, so many as there are cells; never empty.
    var stages: [StageDraft]
    /// What follows the stage: an output, a metric.
    var rest: [String]
    /// Whether it may be several, whatever their number.
    var collects: Bool
    /// An address that means one of them, without an output.
    var example: String
  }

  /// Nil after a mistake that has been reported. `user` says who refers, for messages: "input `model` of `quark.train`".
  func find(_ text: String, _ node: Node, user: String) -> Meaning? {
    var address = AddressText(text)
    let head = address.word()
    let key = UTF8Key(head)
    for (up, level) in levels.reversed().enumerated() {
      if let index = level.body.carry(key) {
        return plain(.carried(up: up, index: index), address, "a carried value", node)
      }
      guard let index = level.body.member(key) else { continue }
      if up > 0, levels[levels.count - up].index == index {
        reportOwn(level.body.members[index], address, node, user)
        return nil
      }
      var walk = AddressWalk(scope: self, address: address, node: node, user: user)
      return walk.target(from: level.body.members[index], at: index, up: up).map { .stages($0) }
    }
    if let index = modelIndex[key] { return plain(.model(index), address, "a model", node) }
    if address.isAt("@") { unknownLoop(head, node, user) } else { unknown(head, node, user) }
    return nil
  }

  /// A name that a loop around the place carries, and what follows it; nil when the address begins otherwise.
  func carried(_ text: String) -> (up: Int, index: Int, rest: [String])? {
    var address = AddressText(text)
    let head = UTF8Key(address.word())
    for (up, level) in levels.reversed().enumerated() {
      if let index = level.body.carry(head) { return (up, index, address.parts) }
      if level.body.member(head) != nil { return nil }
    }
    return nil
  }

  private func plain(_ meaning: Meaning, _ address: AddressText, _ kind: String, _ node: Node) -> Meaning? {
    if address.isAtEnd { return meaning }
    let rest = address.rest.dropFirst()
    collector.error(
      .unknownOutput, "`\(address.read)` is \(kind) and has no outputs to choose from", at: node.span,
      label: "has no output `\(rest)`", help: "write `\(address.read)`")
    return nil
  }

  private func unknown(_ name: String, _ node: Node, _ user: String) {
    let visible = visible
    var help = hiddenAddress(of: name).map { "`\(name)` is a stage of \($0.owner): write `\($0.address)`" }
    if help == nil, let near = Suggestion.nearest(to: name, among: visible.map(\.name)),
      let found = visible.first(where: { $0.name == near })
    {
      help = "did you mean `\(near)` (\(found.what), line \(found.span.line))?"
    }
    collector.error(
      .unknownReference, "\(user) refers to `\(name)`, which does not exist", at: node.span,
      label: levels.count == 1 ? "not a stage or a model" : "not a stage, a model or a carried name",
      notes: collector.originNotes(node), help: help)
  }

  private func unknownLoop(_ name: String, _ node: Node, _ user: String) {
    collector.error(
      .unknownReference, "\(user) refers to the loop `\(name)`, which does not exist", at: node.span,
      label: "not a loop", notes: collector.originNotes(node),
      help: Suggestion.helpOrList(for: name, among: visibleLoops, what: "the loops are"))
  }

  /// Of a stage inside a group that stands beside the place or further out.
  private func hiddenAddress(of name: String) -> (owner: String, address: String)? {
    func search(_ body: BodyDraft, _ prefix: String) -> (String, String)? {
      for member in body.members {
        guard let group = member.group else { continue }
        let here = prefix + group.name + (group.loop == nil ? "." : "@last.")
        if group.body.member(UTF8Key(name)) != nil {
          return ("the \(group.kind) `\(group.path)`", here + name)
        }
        if let found = search(group.body, here) { return found }
      }
      return nil
    }
    for level in levels.reversed() { if let found = search(level.body, "") { return found } }
    return nil
  }

  private func reportOwn(_ member: MemberDraft, _ address: AddressText, _ node: Node, _ user: String) {
    guard let group = member.group else { return }
    if address.isAt("@") {
      collector.error(
        .unknownReference,
        group.loop == nil
          ? "\(user) refers to its own group by cell" : "\(user) refers to its own loop by iteration",
        at: node.span,
        label: "inside `\(group.name)`",
        help: group.loop == nil
          ? "inside the cell write the stage's name alone"
          : "inside the loop write the stage's name alone; `carry` passes values to the next iteration")
    } else {
      let inner = address.parts.first ?? group.body.members.last?.name ?? "stage"
      collector.error(
        .unknownReference,
        group.loop == nil
          ? "\(user) refers to its own group `\(group.name)`"
          : "\(user) refers to the loop `\(group.name)` without an iteration",
        at: node.span, label: "a \(group.kind) is not a stage", notes: collector.originNotes(node),
        help: "inside the \(group.kind) write `\(inner)` alone")
    }
  }
}
