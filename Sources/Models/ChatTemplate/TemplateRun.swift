// One rendering: runs a template's statements, within bounds.

import System

/// Source: jinja2 3.1, `compiler.py` and `runtime.py`. Deviation: the condition of a `for` is evaluated for all items
/// before its first round.
final class TemplateRun {
  let limits: TemplateLimits
  /// Seconds since 1970 for `strftime_now`; nil where there is no time.
  let now: Int?
  private(set) var line = 1
  private var steps = 0
  private var characters = 0
  private var depth = 0
  private var output = TemplateText()
  private var scopesOfMacros: [TemplateScope] = []

  init(limits: TemplateLimits, now: Int?) {
    self.limits = limits
    self.now = now
  }

  /// What statements write, with these names.
  func render(_ statements: [TemplateStatement], _ scope: TemplateScope) throws -> TemplateText {
    defer { for scope in scopesOfMacros { scope.removeAll() } }
    _ = try run(statements, scope)
    return output
  }

  // MARK: Bounds

  func failure(_ problem: String) -> ChatTemplateError { ChatTemplateError(line: line, problem) }

  func chargeSteps(_ count: Int = 1) throws {
    steps += count
    guard steps <= limits.steps else { throw failure("it takes more than \(limits.steps) steps") }
  }

  func charge(characters count: Int) throws {
    let (sum, overflows) = characters.addingReportingOverflow(count)
    guard !overflows, sum <= limits.characters else {
      throw failure("it makes texts and lists of more than \(limits.characters) characters")
    }
    characters = sum
  }

  func charge(items count: Int) throws {
    let (size, overflows) = count.multipliedReportingOverflow(by: 32)
    try charge(characters: overflows ? Int.max : size)
  }

  /// Runs `body` one level deeper, as of a line.
  func nested<T>(at line: Int, _ body: () throws -> T) throws -> T {
    try chargeSteps()
    self.line = line
    depth += 1
    defer { depth -= 1 }
    guard depth <= limits.depth else { throw failure("it nests deeper than \(limits.depth) levels") }
    return try body()
  }

  // MARK: Statements

  private enum Flow { case normal, leaveLoop, nextRound }

  private func run(_ statements: [TemplateStatement], _ scope: TemplateScope) throws -> Flow {
    for statement in statements {
      let flow = try nested(at: statement.line) { try run(statement, scope) }
      if flow != .normal { return flow }
    }
    return .normal
  }

  private func run(_ statement: TemplateStatement, _ scope: TemplateScope) throws -> Flow {
    switch statement.kind {
    case .data(let text): try write(text)
    case .output(let expression): try write(shown(try evaluate(expression, scope)))
    case .loop(let target, let items, let condition, let body, let otherwise):
      return try runLoop(target, items, condition, body, otherwise, scope)
    case .branch(let branches, let otherwise):
      for branch in branches where try truth(of: try evaluate(branch.condition, scope)) {
        return try run(branch.body, scope)
      }
      return try run(otherwise, scope)
    case .set(let target, let expression): try assign(target, try evaluate(expression, scope), scope)
    case .setBlock(let target, let filters, let body):
      let inner = TemplateScope(inside: scope)
      var value = TemplateValue.text(try captured { _ = try run(body, inner) })
      for (name, call) in filters { value = try filter(name, value, arguments(call, inner)) }
      try assign(target, value, scope)
    case .macro(let macro):
      scopesOfMacros.append(scope)
      scope.set(macro.name, to: .macro(TemplateMacroValue(macro, scope)))
    case .generation(let body):
      var text = try captured { _ = try run(body, TemplateScope(inside: scope)) }
      for index in text.characters.indices { text.characters[index].markGenerated() }
      try write(text)
    case .leaveLoop: return .leaveLoop
    case .nextRound: return .nextRound
    }
    return .normal
  }

  private func runLoop(
    _ target: TemplateTarget, _ expression: TemplateExpression, _ condition: TemplateExpression?,
    _ body: [TemplateStatement], _ otherwise: [TemplateStatement], _ scope: TemplateScope
  ) throws -> Flow {
    var items = try self.items(of: try evaluate(expression, scope))
    if let condition {
      items = try items.filter { item in
        try chargeSteps(4)
        let round = TemplateScope(inside: scope)
        try assign(target, item, round)
        return try truth(of: try evaluate(condition, round))
      }
    }
    if items.isEmpty {
      // What `else` sets stays inside, as in the loop.
      return try run(otherwise, TemplateScope(inside: scope))
    }
    let loop = TemplateLoop(items)
    for (index, item) in items.enumerated() {
      try chargeSteps(4)
      loop.index = index
      let round = TemplateScope(inside: scope)
      round.set("loop", to: .loop(loop))
      try assign(target, item, round)
      if try run(body, round) == .leaveLoop { break }
    }
    return .normal
  }

  private func assign(_ target: TemplateTarget, _ value: TemplateValue, _ scope: TemplateScope) throws {
    switch target {
    case .name(let name): scope.set(name, to: value)
    case .attribute(let name, let attribute):
      guard case .namespace(let namespace)? = scope.value(of: name) else {
        throw failure("cannot set an attribute of \(quoted(name)): it is no namespace")
      }
      try setAttribute(attribute, of: namespace, to: value)
    case .tuple(let targets):
      let items = try items(of: value)
      guard items.count == targets.count else {
        throw failure("cannot unpack \(items.count) items into \(targets.count) names")
      }
      for (target, item) in zip(targets, items) { try assign(target, item, scope) }
    }
  }

  func setAttribute(_ name: String, of namespace: TemplateNamespace, to value: TemplateValue) throws {
    guard !name.hasPrefix("_") else {
      throw failure("the attribute \(quoted(name)) of a namespace begins with `_`")
    }
    _ = try depth(ofItems: [value])
    namespace.set(name, to: value)
  }

  private func write(_ text: TemplateText) throws {
    try charge(characters: text.count)
    output += text
    // A text has no fewer bytes than scalars; `render` checks the bytes of all.
    guard output.count <= limits.outputBytes else {
      throw failure("it writes more than \(limits.outputBytes) bytes")
    }
  }

  /// What `body` writes, instead of writing it.
  private func captured(_ body: () throws -> Void) throws -> TemplateText {
    let outside = output
    output = TemplateText()
    defer { output = outside }
    try body()
    return output
  }

  // MARK: Macros

  func call(_ value: TemplateMacroValue, _ arguments: TemplateArguments) throws -> TemplateValue {
    let macro = value.macro
    let given = try arguments.bound(to: macro.parameters.map(\.name), of: macro.name, self)
    let scope = TemplateScope(inside: value.scope)
    for (parameter, argument) in zip(macro.parameters, given) {
      let missing = TemplateValue.undefined("the argument \(quoted(parameter.name)) of \(quoted(macro.name))")
      scope.set(
        parameter.name, to: try argument ?? parameter.value.map { try evaluate($0, scope) } ?? missing)
    }
    return .text(try captured { _ = try run(macro.body, scope) })
  }
}
