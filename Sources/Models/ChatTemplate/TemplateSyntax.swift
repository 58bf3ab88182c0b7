// What a template is once it is read: statements and expressions.

struct TemplateExpression: Sendable {
  indirect enum Kind: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case double(Double)
    case text(TemplateText)
    case name(String)
    case list([TemplateExpression])
    case tuple([TemplateExpression])
    case dictionary([(key: TemplateExpression, value: TemplateExpression)])
    case attribute(TemplateExpression, String)
    case item(TemplateExpression, TemplateExpression)
    case slice(
      TemplateExpression, start: TemplateExpression?, stop: TemplateExpression?, step: TemplateExpression?)
    case call(TemplateExpression, TemplateCall)
    case filter(TemplateExpression, String, TemplateCall)
    case test(TemplateExpression, String, TemplateCall)
    case not(TemplateExpression)
    case negative(TemplateExpression)
    case positive(TemplateExpression)
    case and(TemplateExpression, TemplateExpression)
    case or(TemplateExpression, TemplateExpression)
    case comparison(TemplateExpression, [(operation: TemplateComparison, with: TemplateExpression)])
    case arithmetic(TemplateArithmetic, TemplateExpression, TemplateExpression)
    case concatenation([TemplateExpression])
    case condition(if: TemplateExpression, then: TemplateExpression, else: TemplateExpression?)
  }

  let kind: Kind
  let line: Int
  /// Levels of expressions inside it.
  let depth: Int
}

enum TemplateComparison: String {
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case `in`
  case notIn = "not in"
}

enum TemplateArithmetic: String {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "//"
  case remainder = "%"
  case power = "**"
}

/// The arguments of a call, a filter or a test.
struct TemplateCall: Sendable {
  var positional: [TemplateExpression] = []
  var named: [(name: String, value: TemplateExpression)] = []
  var depth: Int { max(positional.map(\.depth).max() ?? 0, named.map(\.value.depth).max() ?? 0) }
}

indirect enum TemplateTarget: Sendable {
  case name(String)
  /// `set NAMESPACE.ATTRIBUTE`.
  case attribute(String, String)
  case tuple([TemplateTarget])
}

struct TemplateMacro: Sendable {
  let name: String
  let parameters: [(name: String, value: TemplateExpression?)]
  let body: [TemplateStatement]
}

struct TemplateStatement: Sendable {
  indirect enum Kind: Sendable {
    case data(TemplateText)
    case output(TemplateExpression)
    case loop(
      TemplateTarget, in: TemplateExpression, where: TemplateExpression?, [TemplateStatement],
      else: [TemplateStatement])
    case branch([(condition: TemplateExpression, body: [TemplateStatement])], else: [TemplateStatement])
    case set(TemplateTarget, TemplateExpression)
    case setBlock(TemplateTarget, [(filter: String, call: TemplateCall)], [TemplateStatement])
    case macro(TemplateMacro)
    case generation([TemplateStatement])
    case leaveLoop
    case nextRound
  }

  let kind: Kind
  let line: Int
}
