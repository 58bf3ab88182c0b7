// Reads a template's expressions, by Jinja's order of precedence.

import System

extension TemplateParser {
  private func made(
    _ kind: TemplateExpression.Kind, _ line: Int, over parts: TemplateExpression?..., depth: Int = 0
  ) throws -> TemplateExpression {
    let inner = parts.reduce(depth) { max($0, $1?.depth ?? 0) }
    guard inner < Self.maximumDepth else {
      throw ChatTemplateError(
        line: line, "an expression is nested deeper than \(Self.maximumDepth) levels")
    }
    return TemplateExpression(kind: kind, line: line, depth: inner + 1)
  }

  /// One expression, or several with commas as a tuple.
  mutating func tuple(allowsCondition: Bool = true, inParentheses: Bool = false) throws -> TemplateExpression
  {
    let line = line
    var parts: [TemplateExpression] = []
    var isTuple = false
    while true {
      if !parts.isEmpty || inParentheses, isTupleEnd { break }
      parts.append(allowsCondition ? try expression() : try nested { try $0.or() })
      guard skip(sign: ",") else { break }
      isTuple = true
    }
    if !isTuple, let only = parts.first { return only }
    return try made(.tuple(parts), line, depth: parts.map(\.depth).max() ?? 0)
  }

  private var isTupleEnd: Bool {
    switch current {
    case .variableEnd, .blockEnd, .sign(")"), .name("recursive"): true
    default: false
    }
  }

  mutating func expression() throws -> TemplateExpression {
    try nested { parser in
      var value = try parser.or()
      while parser.current == .name("if") {
        let line = parser.line
        parser.advance()
        let condition = try parser.or()
        let otherwise = parser.skip(name: "else") ? try parser.expression() : nil
        value = try parser.made(
          .condition(if: condition, then: value, else: otherwise), line, over: value, condition, otherwise)
      }
      return value
    }
  }

  private mutating func or() throws -> TemplateExpression {
    var left = try and()
    while current == .name("or") {
      let line = line
      advance()
      let right = try and()
      left = try made(.or(left, right), line, over: left, right)
    }
    return left
  }

  private mutating func and() throws -> TemplateExpression {
    var left = try not()
    while current == .name("and") {
      let line = line
      advance()
      let right = try not()
      left = try made(.and(left, right), line, over: left, right)
    }
    return left
  }

  private mutating func not() throws -> TemplateExpression {
    let line = line
    guard skip(name: "not") else { return try comparison() }
    let value = try nested { try $0.not() }
    return try made(.not(value), line, over: value)
  }

  private mutating func comparison() throws -> TemplateExpression {
    let line = line
    let first = try sum()
    var rest: [(operation: TemplateComparison, with: TemplateExpression)] = []
    while true {
      if case .sign(let sign) = current, let operation = TemplateComparison(rawValue: sign) {
        advance()
        rest.append((operation, try sum()))
      } else if skip(name: "in") {
        rest.append((.in, try sum()))
      } else if current == .name("not"), following == .name("in") {
        advance()
        advance()
        rest.append((.notIn, try sum()))
      } else {
        break
      }
    }
    if rest.isEmpty { return first }
    return try made(
      .comparison(first, rest), line, over: first, depth: rest.map(\.with.depth).max() ?? 0)
  }

  private mutating func sum() throws -> TemplateExpression {
    try chain(["+", "-"]) { try $0.concatenation() }
  }

  private mutating func concatenation() throws -> TemplateExpression {
    let line = line
    var parts = [try product()]
    while skip(sign: "~") { parts.append(try product()) }
    if parts.count == 1 { return parts[0] }
    return try made(.concatenation(parts), line, depth: parts.map(\.depth).max() ?? 0)
  }

  private mutating func product() throws -> TemplateExpression {
    try chain(["*", "/", "//", "%"]) { try $0.power() }
  }

  private mutating func power() throws -> TemplateExpression {
    try chain(["**"]) { try $0.unary(filters: true) }
  }

  private mutating func chain(
    _ signs: [String], _ operand: (inout TemplateParser) throws -> TemplateExpression
  ) throws -> TemplateExpression {
    var left = try operand(&self)
    while case .sign(let sign) = current, signs.contains(sign),
      let operation = TemplateArithmetic(rawValue: sign)
    {
      let line = line
      advance()
      let right = try operand(&self)
      left = try made(.arithmetic(operation, left, right), line, over: left, right)
    }
    return left
  }

  private mutating func unary(filters: Bool) throws -> TemplateExpression {
    let line = line
    var value: TemplateExpression
    if skip(sign: "-") {
      let operand = try nested { try $0.unary(filters: false) }
      value = try made(.negative(operand), line, over: operand)
    } else if skip(sign: "+") {
      let operand = try nested { try $0.unary(filters: false) }
      value = try made(.positive(operand), line, over: operand)
    } else {
      value = try primary()
    }
    value = try postfix(value)
    return filters ? try filtered(value) : value
  }

  private mutating func primary() throws -> TemplateExpression {
    let line = line
    let token = current
    switch token {
    case .name(let name):
      advance()
      switch name {
      case "true", "True": return try made(.bool(true), line)
      case "false", "False": return try made(.bool(false), line)
      case "none", "None": return try made(.none, line)
      default:
        guard !isInMacro || !["caller", "varargs", "kwargs"].contains(name) else {
          throw failure("`\(name)` in a macro is not supported")
        }
        return try made(.name(name), line)
      }
    case .text(var text):
      advance()
      while case .text(let next) = current {
        text += next
        advance()
      }
      return try made(.text(text), line)
    case .integer(let value):
      advance()
      return try made(.integer(value), line)
    case .double(let value):
      advance()
      return try made(.double(value), line)
    case .sign("("):
      advance()
      let value = try nested { try $0.tuple(inParentheses: true) }
      try expect(.sign(")"))
      return value
    case .sign("["):
      advance()
      var items: [TemplateExpression] = []
      while !skip(sign: "]") {
        if !items.isEmpty {
          try expect(.sign(","))
          if skip(sign: "]") { break }
        }
        items.append(try expression())
      }
      return try made(.list(items), line, depth: items.map(\.depth).max() ?? 0)
    case .sign("{"): return try dictionary()
    default: throw failure("expected an expression, found \(token.words)")
    }
  }

  private mutating func dictionary() throws -> TemplateExpression {
    let line = line
    advance()
    var members: [(key: TemplateExpression, value: TemplateExpression)] = []
    var depth = 0
    while !skip(sign: "}") {
      if !members.isEmpty {
        try expect(.sign(","))
        if skip(sign: "}") { break }
      }
      let key = try expression()
      try expect(.sign(":"))
      let value = try expression()
      depth = max(depth, key.depth, value.depth)
      members.append((key, value))
    }
    return try made(.dictionary(members), line, depth: depth)
  }

  private mutating func postfix(_ first: TemplateExpression) throws -> TemplateExpression {
    var value = first
    while true {
      let line = line
      if skip(sign: ".") {
        if case .integer(let index) = current {
          advance()
          let item = try made(.integer(index), line)
          value = try made(.item(value, item), line, over: value)
        } else {
          value = try made(.attribute(value, try expectName()), line, over: value)
        }
      } else if skip(sign: "[") {
        value = try nested { try $0.subscripted(value, line) }
      } else if current == .sign("(") {
        let call = try call()
        value = try made(.call(value, call), line, over: value, depth: call.depth)
      } else {
        return value
      }
    }
  }

  private mutating func subscripted(_ value: TemplateExpression, _ line: Int) throws -> TemplateExpression {
    let start = current == .sign(":") ? nil : try expression()
    if let start, skip(sign: "]") { return try made(.item(value, start), line, over: value, start) }
    if current == .sign(",") { throw failure("several subscripts are not supported") }
    try expect(.sign(":"))
    let stop = current == .sign(":") || current == .sign("]") ? nil : try expression()
    let step = skip(sign: ":") && current != .sign("]") ? try expression() : nil
    try expect(.sign("]"))
    return try made(
      .slice(value, start: start, stop: stop, step: step), line, over: value, start, stop, step)
  }

  mutating func call() throws -> TemplateCall {
    try expect(.sign("("))
    var call = TemplateCall()
    while !skip(sign: ")") {
      if !call.positional.isEmpty || !call.named.isEmpty {
        try expect(.sign(","))
        if skip(sign: ")") { break }
      }
      guard call.positional.count + call.named.count < Self.maximumArguments else {
        throw failure("a call has more than \(Self.maximumArguments) arguments")
      }
      if current == .sign("*") || current == .sign("**") {
        throw failure("unpacked arguments are not supported")
      }
      if case .name(let name) = current, following == .sign("=") {
        advance()
        advance()
        guard !call.named.contains(where: { $0.name == name }) else {
          throw failure("the argument \(quoted(name)) is given twice")
        }
        call.named.append((name, try expression()))
      } else {
        guard call.named.isEmpty else { throw failure("a positional argument follows a named one") }
        call.positional.append(try expression())
      }
    }
    return call
  }

  private mutating func filtered(_ first: TemplateExpression) throws -> TemplateExpression {
    var value = first
    while true {
      let line = line
      if skip(sign: "|") {
        let name = try expectName()
        let call = current == .sign("(") ? try call() : TemplateCall()
        value = try made(.filter(value, name, call), line, over: value, depth: call.depth)
      } else if skip(name: "is") {
        value = try test(value, line)
      } else if current == .sign("(") {
        let call = try call()
        value = try made(.call(value, call), line, over: value, depth: call.depth)
      } else {
        return value
      }
    }
  }

  private mutating func test(_ value: TemplateExpression, _ line: Int) throws -> TemplateExpression {
    let isNegated = skip(name: "not")
    let name = try expectName()
    var call = TemplateCall()
    switch current {
    case .sign("("): call = try self.call()
    case .name("else"), .name("or"), .name("and"): break
    case .name("is"): throw failure("tests cannot be chained with `is`")
    case .name, .text, .integer, .double, .sign("["), .sign("{"):
      let argument = try primary()
      call.positional = [try postfix(argument)]
    default: break
    }
    let test = try made(.test(value, name, call), line, over: value, depth: call.depth)
    return isNegated ? try made(.not(test), line, over: test) : test
  }
}
