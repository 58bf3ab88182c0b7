// What stands under `stages:` while it is being read: names and plug-ins known, references not yet.

import JSON

/// A stage whose plug-in is known and whose fields have been checked, not yet decoded.
struct StageDraft {
  var name: String
  var nameSpan: SourceSpan
  /// `quark.train`
  var path: String
  /// Nil after a mistake that has been reported.
  var declaration: StageDeclaration?
  var plugIn: (any Stage.Type)?
  /// With parameters and the axes around it replaced.
  var fields: Fields?
  /// Decoded with the names, since ports may follow from them.
  var options: DecodedOptions?
}

enum MemberDraft {
  case stage(StageDraft)
  case group(GroupDraft)
  case matrix(MatrixDraft)

  var name: String {
    switch self {
    case .stage(let stage): stage.name
    case .group(let group): group.name
    case .matrix(let matrix): matrix.name
    }
  }
  var nameSpan: SourceSpan {
    switch self {
    case .stage(let stage): stage.nameSpan
    case .group(let group): group.nameSpan
    case .matrix(let matrix): matrix.nameSpan
    }
  }
  /// In a message: `a stage`.
  var kind: String {
    switch self {
    case .stage: "a stage"
    case .group(let group): group.loop == nil ? "a group" : "a loop"
    case .matrix(let matrix): matrix.cells.first?.member.kind ?? "a stage"
    }
  }
  /// The first of a matrix's cells stands for all where only names matter.
  var representative: MemberDraft {
    if case .matrix(let matrix) = self, let first = matrix.cells.first {
      first.member.representative
    } else {
      self
    }
  }
  var group: GroupDraft? { if case .group(let group) = representative { group } else { nil } }
}

struct GroupDraft {
  var name: String
  var nameSpan: SourceSpan
  /// `outer.inner`
  var path: String
  var loop: LoopDraft?
  var body: BodyDraft
  var description: String?

  /// In a message: loop or group.
  var kind: String { loop == nil ? "group" : "loop" }
}

struct LoopDraft {
  var times = 1
  var until: Node?
}

struct CarryDraft {
  var name: String
  var nameSpan: SourceSpan
  var first: Node?
  var next: Node?
}

struct MatrixDraft {
  var name: String
  var nameSpan: SourceSpan
  var axes: [String]
  var cells: [Cell]

  struct Cell {
    var labels: [String]
    var member: MemberDraft
  }
}

/// The names that stand together: at the top, or in a group.
struct BodyDraft {
  private(set) var members: [MemberDraft]
  private(set) var carries: [CarryDraft]
  private var memberIndex: [UTF8Key: Int] = [:]
  private var carryIndex: [UTF8Key: Int] = [:]

  init(_ members: [MemberDraft], carries: [CarryDraft] = []) {
    self.members = members
    self.carries = carries
    for (index, member) in members.enumerated() { memberIndex[UTF8Key(member.name)] = index }
    for (index, carry) in carries.enumerated() { carryIndex[UTF8Key(carry.name)] = index }
  }

  func member(_ name: UTF8Key) -> Int? { memberIndex[name] }
  func carry(_ name: UTF8Key) -> Int? { carryIndex[name] }
}
