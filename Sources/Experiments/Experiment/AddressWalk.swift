// From the member that an address begins with down to a stage: through cells, iterations and groups.

import JSON

struct AddressWalk {
  let scope: ReferenceScope
  var address: AddressText
  let node: Node
  /// Who refers, for messages.
  let user: String
  /// The members that the address means so far: one, or one for each cell. All have one shape.
  private var members: [MemberDraft] = []
  private var steps: [StagePath.Step] = []
  private var collects = false
  private var example: String

  private var collector: DiagnosticCollector { scope.collector }

  init(scope: ReferenceScope, address: AddressText, node: Node, user: String) {
    self.scope = scope
    self.address = address
    self.node = node
    self.user = user
    example = address.read
  }

  mutating func target(from member: MemberDraft, at index: Int, up: Int) -> ReferenceScope.Target? {
    members = [member]
    steps = [.member(index)]
    while let first = members.first {
      switch first {
      case .matrix(let matrix): guard takeCells(matrix) else { return nil }
      case .group(let group): guard takeIteration(group), takeMember(group) else { return nil }
      case .stage(let stage):
        guard !address.isAt("@") else {
          if case .cells? = steps.last {
            fail(
              "`\(address.read)` has cells and no iterations, so it has no `\(address.rest)`",
              label: "not a loop",
              help: "write `\(address.read)` for all cells, or choose one, such as `\(example)`")
          } else {
            fail(
              "`\(address.read)` is a stage outside any loop or matrix, so it has no `\(address.rest)`",
              label: "neither a loop nor a matrix", help: "write `\(address.read)`")
          }
          return nil
        }
        // After a mistake in the stage itself nothing is said about its outputs.
        if stage.declaration == nil { return nil }
        return ReferenceScope.Target(
          path: StagePath(up: up, steps: steps),
          stages: members.compactMap { if case .stage(let stage) = $0 { stage } else { nil } },
          rest: address.parts, collects: collects, example: example)
      }
    }
    return nil
  }

  private func fail(
    _ message: String, code: DiagnosticCode = .unknownReference, label: String, notes: [Diagnostic.Note] = [],
    help: String? = nil
  ) {
    collector.error(
      code, message, at: node.span, label: label, notes: collector.originNotes(node) + notes, help: help)
  }

  // MARK: cells

  private mutating func takeCells(_ matrix: MatrixDraft) -> Bool {
    // After a mistake in the matrix itself nothing is said about its axes.
    guard !matrix.axes.isEmpty else { return false }
    let matrices = members.compactMap { if case .matrix(let matrix) = $0 { matrix } else { nil } }
    var chosen: [StagePath.AxisLabel] = []
    var start = address
    // `quark@2` of a matrix of loops chooses no cell and one iteration.
    if start.take("@"), var axis = start.axis() {
      address = start
      while true {
        guard let index = matrix.axes.firstIndex(where: { UTF8Key($0) == UTF8Key(axis) }) else {
          fail(
            "`\(matrix.name)` has no axis called `\(axis)`", label: "no such axis",
            help: Suggestion.helpOrList(for: axis, among: matrix.axes, what: "its axes are"))
          return false
        }
        guard !chosen.contains(where: { UTF8Key($0.axis) == UTF8Key(axis) }) else {
          fail("the address chooses `\(axis)` twice", label: "chosen again here")
          return false
        }
        var labels: [String] = []
        for cell in matrices.flatMap(\.cells) {
          let label = cell.labels.indices.contains(index) ? cell.labels[index] : ""
          if !labels.contains(where: { UTF8Key($0) == UTF8Key(label) }) { labels.append(label) }
        }
        guard let label = address.label(among: labels) else {
          fail(
            "the axis `\(axis)` of `\(matrix.name)` has no value `\(address.nextLabel)`",
            label: "no such cell",
            help: Suggestion.listOrHelp(for: address.nextLabel, among: labels, what: "its values are"))
          return false
        }
        chosen.append(StagePath.AxisLabel(axis: axis, label: label))
        guard address.take(",") else { break }
        guard let next = address.axis() else {
          fail("`\(address.rest)` names no axis", label: "expected `axis=value`")
          return false
        }
        axis = next
      }
    }
    members = matrices.flatMap { matrix in
      matrix.cells.filter { $0.has(chosen, of: matrix.axes) }.map(\.member)
    }
    guard !members.isEmpty else {
      fail(
        "`\(matrix.name)` has no cell `\(chosen.map { "\($0.axis)=\($0.label)" }.joined(separator: ","))`",
        label: "no such cell", notes: [.init("the matrix", at: matrix.nameSpan)])
      return false
    }
    steps.append(.cells(chosen))
    if chosen.count < matrix.axes.count { collects = true }
    let cell = matrices.flatMap(\.cells).first { $0.has(chosen, of: matrix.axes) }
    example += "@" + zip(matrix.axes, cell?.labels ?? []).map { "\($0)=\($1)" }.joined(separator: ",")
    return true
  }

  // MARK: iterations

  private mutating func takeIteration(_ group: GroupDraft) -> Bool {
    guard let loop = group.loop else {
      if address.isAt("@") {
        fail(
          "`\(address.read)` is a group without a loop, so it has no `\(address.rest)`", label: "not a loop",
          help: "write `\(address.read).STAGE`")
        return false
      }
      return true
    }
    let before = address.read
    guard address.take("@") else {
      let inner = address.parts.first ?? group.body.members.last?.name ?? "stage"
      fail(
        "\(user) refers to the loop `\(group.name)` without an iteration", label: "a loop is not a stage",
        help: "write `\(before)@last.\(inner)`")
      return false
    }
    let selector = address.word()
    example += "@" + (selector == "all" ? "last" : selector)
    switch selector {
    case "last": steps.append(.iteration(.last))
    case "all":
      steps.append(.iteration(.all))
      collects = true
    default:
      guard let number = Int(selector), selector.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
        fail(
          "`@\(selector)` names no iteration", label: "expected `@last`, `@all` or a number",
          help: "iterations are counted from 1")
        return false
      }
      let times = members.compactMap { member in
        if case .group(let group) = member { group.loop?.times } else { nil }
      }
      let least = times.min() ?? loop.times
      guard (1...least).contains(number) else {
        fail(
          "the loop `\(group.name)` has no iteration \(number)", code: .outOfRange,
          label: "it has \(least)", notes: [.init("the loop", at: group.nameSpan)])
        return false
      }
      steps.append(.iteration(.number(number)))
    }
    return true
  }

  private mutating func takeMember(_ group: GroupDraft) -> Bool {
    let name = address.take(".") ? address.word() : ""
    guard let index = group.body.member(UTF8Key(name)) else {
      let names = group.body.members.map(\.name)
      let what = group.loop == nil ? "the group" : "an iteration of"
      // What a mistake has emptied has no stages to miss.
      if !names.isEmpty {
        fail(
          name.isEmpty
            ? "\(user) names \(what) `\(group.name)` but no stage in it"
            : "the \(group.kind) `\(group.name)` has no stage called `\(name)`", label: "no such stage",
          help: Suggestion.helpOrList(for: name, among: names, what: "its stages are"))
      }
      return false
    }
    steps.append(.member(index))
    example += "." + name
    members = members.compactMap { member in
      if case .group(let group) = member { group.body.members[index] } else { nil }
    }
    return true
  }
}

extension MatrixDraft.Cell {
  func has(_ chosen: [StagePath.AxisLabel], of axes: [String]) -> Bool {
    StagePath.matches(chosen, axes: axes, labels: labels)
  }
}

extension StagePath {
  /// Whether the cell with these labels is among those chosen.
  static func matches(_ chosen: [AxisLabel], axes: [String], labels: [String]) -> Bool {
    chosen.allSatisfy { choice in
      zip(axes, labels).contains {
        UTF8Key($0) == UTF8Key(choice.axis) && UTF8Key($1) == UTF8Key(choice.label)
      }
    }
  }
}
