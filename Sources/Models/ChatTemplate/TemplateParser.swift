// Reads a template's statements; what is not supported is refused by name and line.

import System

/// Source: jinja2 3.1, `parser.py`, with the extensions that transformers adds (`break`, `continue`, `generation`).
struct TemplateParser {
  private let tokens: [(token: TemplateToken, line: Int)]
  private var position = 0
  private var depth = 0
  private var loops = 0
  private var macros = 0

  static let maximumDepth = 64
  /// Parameters of a macro, and arguments of a call.
  static let maximumArguments = 100

  /// - Throws: `ChatTemplateError`.
  static func statements(_ source: String) throws -> [TemplateStatement] {
    var parser = TemplateParser(tokens: try TemplateLexer.tokens(source))
    let body = try parser.body(until: [])
    return body
  }

  private init(tokens: [(token: TemplateToken, line: Int)]) { self.tokens = tokens }

  // MARK: Tokens

  var current: TemplateToken { tokens[position].token }
  var following: TemplateToken { tokens[min(position + 1, tokens.count - 1)].token }
  var line: Int { tokens[position].line }

  mutating func advance() { if position + 1 < tokens.count { position += 1 } }

  func failure(_ problem: String) -> ChatTemplateError { ChatTemplateError(line: line, problem) }

  mutating func skip(sign: String) -> Bool {
    guard current == .sign(sign) else { return false }
    advance()
    return true
  }

  mutating func skip(name: String) -> Bool {
    guard current == .name(name) else { return false }
    advance()
    return true
  }

  mutating func expect(_ token: TemplateToken) throws {
    guard current == token else { throw failure("expected \(token.words), found \(current.words)") }
    advance()
  }

  mutating func expectName() throws -> String {
    guard case .name(let name) = current else { throw failure("expected a name, found \(current.words)") }
    advance()
    return name
  }

  /// Runs `read` one level deeper, within the bound.
  mutating func nested<T>(_ read: (inout TemplateParser) throws -> T) throws -> T {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw failure("nested deeper than \(Self.maximumDepth) levels") }
    return try read(&self)
  }

  var isInMacro: Bool { macros > 0 }

  // MARK: Statements

  /// Statements up to a tag of one of these names, which stays to be read; up to the end where there is none.
  private mutating func body(until ends: [String]) throws -> [TemplateStatement] {
    try nested { parser in
      var statements: [TemplateStatement] = []
      while true {
        let line = parser.line
        switch parser.current {
        case .data(let text):
          statements.append(TemplateStatement(kind: .data(text), line: line))
          parser.advance()
        case .variableBegin:
          parser.advance()
          let value = try parser.tuple()
          try parser.expect(.variableEnd)
          statements.append(TemplateStatement(kind: .output(value.withoutFinalSafe), line: line))
        case .blockBegin:
          parser.advance()
          if case .name(let name) = parser.current, ends.contains(name) { return statements }
          statements.append(TemplateStatement(kind: try parser.statement(), line: line))
        case .end:
          guard ends.isEmpty else {
            throw parser.failure("the template ends where `\(ends[ends.count - 1])` was expected")
          }
          return statements
        default: throw parser.failure("unexpected \(parser.current.words)")
        }
      }
    }
  }

  private mutating func statement() throws -> TemplateStatement.Kind {
    let name = try expectName()
    switch name {
    case "for": return try loop()
    case "if": return try branch()
    case "set": return try set()
    case "macro": return try macro()
    case "generation":
      try expect(.blockEnd)
      let outer = loops
      loops = 0
      defer { loops = outer }
      return .generation(try block(until: "endgeneration"))
    case "break", "continue":
      guard loops > 0 else { throw failure("`\(name)` outside of a loop") }
      try expect(.blockEnd)
      return name == "break" ? .leaveLoop : .nextRound
    default: throw failure("the statement \(quoted(name)) is not supported")
    }
  }

  /// A body and the tag that ends it.
  private mutating func block(until end: String) throws -> [TemplateStatement] {
    let body = try body(until: [end])
    try expect(.name(end))
    try expect(.blockEnd)
    return body
  }

  private mutating func loop() throws -> TemplateStatement.Kind {
    let target = try self.target(allowsNamespace: false, isLoop: true)
    try expect(.name("in"))
    let items = try tuple(allowsCondition: false)
    if current == .name("recursive") { throw failure("a recursive `for` is not supported") }
    let condition = skip(name: "if") ? try expression() : nil
    if current == .name("recursive") { throw failure("a recursive `for` is not supported") }
    try expect(.blockEnd)
    loops += 1
    let body = try body(until: ["endfor", "else"])
    loops -= 1
    var otherwise: [TemplateStatement] = []
    if skip(name: "else") {
      try expect(.blockEnd)
      otherwise = try self.body(until: ["endfor"])
    }
    try expect(.name("endfor"))
    try expect(.blockEnd)
    return .loop(target, in: items, where: condition, body, else: otherwise)
  }

  private mutating func branch() throws -> TemplateStatement.Kind {
    var branches: [(condition: TemplateExpression, body: [TemplateStatement])] = []
    repeat {
      let condition = try tuple(allowsCondition: false)
      try expect(.blockEnd)
      branches.append((condition, try body(until: ["elif", "else", "endif"])))
    } while skip(name: "elif")
    var otherwise: [TemplateStatement] = []
    if skip(name: "else") {
      try expect(.blockEnd)
      otherwise = try body(until: ["endif"])
    }
    try expect(.name("endif"))
    try expect(.blockEnd)
    return .branch(branches, else: otherwise)
  }

  private mutating func set() throws -> TemplateStatement.Kind {
    let target = try self.target(allowsNamespace: true, isLoop: false)
    if skip(sign: "=") {
      let value = try tuple()
      try expect(.blockEnd)
      return .set(target, value)
    }
    if case .tuple = target { throw failure("expected `=`, found \(current.words)") }
    var filters: [(filter: String, call: TemplateCall)] = []
    while skip(sign: "|") {
      let name = try expectName()
      filters.append((name, current == .sign("(") ? try call() : TemplateCall()))
    }
    try expect(.blockEnd)
    return .setBlock(target, filters, try block(until: "endset"))
  }

  private mutating func macro() throws -> TemplateStatement.Kind {
    let name = try assignedName()
    var parameters: [(name: String, value: TemplateExpression?)] = []
    try expect(.sign("("))
    while !skip(sign: ")") {
      if !parameters.isEmpty {
        try expect(.sign(","))
        if skip(sign: ")") { break }
      }
      guard parameters.count < Self.maximumArguments else {
        throw failure("the macro \(quoted(name)) has more than \(Self.maximumArguments) parameters")
      }
      let parameter = try assignedName()
      guard !parameters.contains(where: { $0.name == parameter }) else {
        throw failure("the macro \(quoted(name)) has the parameter \(quoted(parameter)) twice")
      }
      let value = skip(sign: "=") ? try expression() : nil
      if value == nil, parameters.contains(where: { $0.value != nil }) {
        throw failure("the parameter \(quoted(parameter)) needs a default, as one before it has")
      }
      parameters.append((parameter, value))
    }
    try expect(.blockEnd)
    let outer = loops
    loops = 0
    macros += 1
    defer {
      loops = outer
      macros -= 1
    }
    return .macro(
      TemplateMacro(name: name, parameters: parameters, body: try block(until: "endmacro")))
  }

  // MARK: Targets

  private mutating func assignedName() throws -> String {
    let name = try expectName()
    guard !["true", "false", "none", "True", "False", "None"].contains(name) else {
      throw failure("cannot assign to `\(name)`")
    }
    return name
  }

  private mutating func target(allowsNamespace: Bool, isLoop: Bool) throws -> TemplateTarget {
    var targets: [TemplateTarget] = []
    var isTuple = false
    while true {
      if skip(sign: "(") {
        targets.append(try nested { try $0.target(allowsNamespace: false, isLoop: isLoop) })
        try expect(.sign(")"))
      } else {
        let name = try assignedName()
        if isLoop, name == "loop" { throw failure("cannot assign to `loop` in a loop") }
        if allowsNamespace, skip(sign: ".") {
          targets.append(.attribute(name, try expectName()))
        } else {
          targets.append(.name(name))
        }
      }
      guard skip(sign: ",") else { break }
      isTuple = true
      if case .name(let name) = current, name != "in" { continue }
      if current != .sign("(") { break }
    }
    return isTuple ? .tuple(targets) : targets[0]
  }
}

extension TemplateToken {
  /// For an error message.
  var words: String {
    switch self {
    case .data: "text"
    case .variableBegin: "`{{`"
    case .variableEnd: "`}}`"
    case .blockBegin: "`{%`"
    case .blockEnd: "`%}`"
    case .name(let name): quoted(name)
    case .text: "a string"
    case .integer, .double: "a number"
    case .sign(let sign): "`\(sign)`"
    case .end: "the end of the template"
    }
  }
}

extension TemplateExpression {
  /// `safe` at the end of an output changes nothing; elsewhere it would change what `+` gives, and is refused.
  fileprivate var withoutFinalSafe: TemplateExpression {
    if case .filter(let value, "safe", let call) = kind, call.depth == 0 { return value }
    return self
  }
}
