// Evaluates a template's expressions.

import System

extension TemplateRun {
  func evaluate(_ expression: TemplateExpression, _ scope: TemplateScope) throws -> TemplateValue {
    try nested(at: expression.line) { try evaluated(expression, scope) }
  }

  private func evaluated(_ expression: TemplateExpression, _ scope: TemplateScope) throws -> TemplateValue {
    switch expression.kind {
    case .none: return .none
    case .bool(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .double(let value): return .double(value)
    case .text(let value): return .text(value)
    case .name(let name):
      try chargeSteps(scope.depth / 8)
      if let value = scope.value(of: name) { return value }
      return hasFunction(name) ? .function(name) : .undefined(quoted(name))
    case .list(let items): return .list(try list(items.map { try evaluate($0, scope) }))
    case .tuple(let items): return .list(try list(items.map { try evaluate($0, scope) }, .tuple))
    case .dictionary(let members):
      return .dictionary(
        try dictionary(members.map { (try evaluate($0.key, scope), try evaluate($0.value, scope)) }))
    case .attribute(let value, let name): return try attribute(name, of: try evaluate(value, scope))
    case .item(let value, let index):
      return try item(try evaluate(index, scope), of: try evaluate(value, scope))
    case .slice(let value, let start, let stop, let step):
      return try slice(
        try evaluate(value, scope), start: bound(start, scope), stop: bound(stop, scope),
        step: bound(step, scope))
    case .call(let callee, let call): return try called(callee, call, scope)
    case .filter(let value, let name, let call):
      return try filter(name, try evaluate(value, scope), arguments(call, scope))
    case .test(let value, let name, let call):
      return .bool(try test(name, try evaluate(value, scope), arguments(call, scope)))
    case .not(let value): return .bool(try !truth(of: try evaluate(value, scope)))
    case .negative(let value):
      let operand = try evaluate(value, scope)
      if case .double(let number) = operand { return .double(-number) }
      return try arithmetic(.subtract, .integer(0), operand)
    case .positive(let value): return try arithmetic(.add, .integer(0), try evaluate(value, scope))
    case .and(let left, let right):
      let value = try evaluate(left, scope)
      return try truth(of: value) ? try evaluate(right, scope) : value
    case .or(let left, let right):
      let value = try evaluate(left, scope)
      return try truth(of: value) ? value : try evaluate(right, scope)
    case .comparison(let first, let rest):
      var left = try evaluate(first, scope)
      for (operation, expression) in rest {
        let right = try evaluate(expression, scope)
        guard try compare(left, operation, right) else { return .bool(false) }
        left = right
      }
      return .bool(true)
    case .arithmetic(let operation, let left, let right):
      return try arithmetic(operation, try evaluate(left, scope), try evaluate(right, scope))
    case .concatenation(let parts):
      var text = TemplateText()
      for part in parts {
        let part = try shown(try evaluate(part, scope))
        try charge(characters: part.count)
        text += part
      }
      return .text(text)
    case .condition(let condition, let then, let otherwise):
      if try truth(of: try evaluate(condition, scope)) { return try evaluate(then, scope) }
      return try otherwise.map { try evaluate($0, scope) } ?? .undefined("a condition without `else`")
    }
  }

  private func bound(_ expression: TemplateExpression?, _ scope: TemplateScope) throws -> Int? {
    guard let expression else { return nil }
    switch try evaluate(expression, scope) {
    case .none: return nil
    case .integer(let value): return value
    case .bool(let value): return value ? 1 : 0
    case let value: throw failure("a slice's bound is \(value.kind); expected an integer")
    }
  }

  func arguments(_ call: TemplateCall, _ scope: TemplateScope) throws -> TemplateArguments {
    TemplateArguments(
      positional: try call.positional.map { try evaluate($0, scope) },
      named: try call.named.map { ($0.name, try evaluate($0.value, scope)) })
  }

  private func called(_ callee: TemplateExpression, _ call: TemplateCall, _ scope: TemplateScope) throws
    -> TemplateValue
  {
    let value: TemplateValue
    var receiver: TemplateValue?
    switch callee.kind {
    case .attribute(let expression, let name):
      let owner = try evaluate(expression, scope)
      receiver = owner
      value = try attribute(name, of: owner)
    case .item(let expression, let index):
      let owner = try evaluate(expression, scope)
      receiver = owner
      value = try item(try evaluate(index, scope), of: owner)
    default: value = try evaluate(callee, scope)
    }
    switch value {
    case .macro(let macro): return try self.call(macro, arguments(call, scope))
    case .function(let name): return try self.call(function: name, arguments(call, scope))
    case .undefined(let what):
      if case .name("strftime_now") = callee.kind, now == nil { throw missingTime }
      throw failure("\(what) is undefined, and cannot be called")
    case .method(let name):
      if let receiver { return try self.call(name, of: receiver, arguments(call, scope)) }
      throw failure("calling the method \(quoted(name)) in this way is not supported")
    default: throw failure("\(value.kind) cannot be called")
    }
  }

  // MARK: Lists and dictionaries

  /// Levels of a value with these items, within the bound.
  func depth(ofItems items: some Sequence<TemplateValue>) throws -> Int {
    var depth = 0
    for item in items {
      guard let inner = item.depth else {
        throw failure("\(item.kind) inside a list, dictionary or namespace is not supported")
      }
      depth = max(depth, inner)
    }
    guard depth < limits.valueDepth else {
      throw failure("it nests lists and dictionaries deeper than \(limits.valueDepth) levels")
    }
    return depth + 1
  }

  func list(_ items: [TemplateValue], _ kind: TemplateList.Kind = .list) throws -> TemplateList {
    try charge(items: items.count + 1)
    return TemplateList(kind: kind, items: items, depth: try depth(ofItems: items))
  }

  func dictionary(_ given: [(key: TemplateValue, value: TemplateValue)]) throws -> TemplateDictionary {
    var members: [(key: TemplateValue, value: TemplateValue)] = []
    for (key, value) in given {
      switch key {
      case .text, .integer, .double, .bool, .none: break
      default: throw failure("\(key.kind) as a key of a dictionary is not supported")
      }
      if let index = try members.firstIndex(where: { try isEqual($0.key, key) }) {
        members[index].value = value
      } else {
        members.append((key, value))
      }
    }
    try charge(items: 2 * members.count + 1)
    return TemplateDictionary(members: members, depth: try depth(ofItems: members.map(\.value)))
  }

  func value(of key: TemplateValue, in dictionary: TemplateDictionary) throws -> TemplateValue? {
    try dictionary.members.first { try isEqual($0.key, key) }?.value
  }

  // MARK: Attributes and items

  func attribute(_ name: String, of value: TemplateValue) throws -> TemplateValue {
    switch value {
    case .undefined(let what): throw failure("\(what) is undefined, and has no \(quoted(name))")
    case .namespace(let namespace):
      if let value = namespace.value(of: name) { return value }
    case .loop(let loop):
      if let value = try loop.value(of: name, self) { return value }
    case .iterator, .macro, .function, .method:
      throw failure("attributes of \(value.kind) are not supported")
    default:
      if let method = method(name, of: value) { return method }
      if case .dictionary(let dictionary) = value,
        let member = try self.value(of: .text(name), in: dictionary)
      {
        return member
      }
    }
    return .undefined("\(quoted(name)) of \(value.kind)")
  }

  func item(_ index: TemplateValue, of value: TemplateValue) throws -> TemplateValue {
    var name: String?
    if case .text(let text) = index {
      try chargeSteps(text.count / 3)
      name = text.string
    }
    let place: Int? =
      switch index {
      case .integer(let place): place
      case .bool(let isOne): isOne ? 1 : 0
      default: nil
      }
    switch value {
    case .undefined(let what): throw failure("\(what) is undefined, and has no items")
    case .dictionary(let dictionary):
      if let member = try self.value(of: index, in: dictionary) { return member }
    case .list(let list) where list.kind != .view:
      if let place, let item = list.items[pythonIndex: place] { return item }
    case .text(let text):
      if let place, let character = text.characters[pythonIndex: place] {
        return .text(TemplateText([character]))
      }
    default: break
    }
    if let name { return try attributeBesideItem(name, of: value) }
    return .undefined("the item of \(value.kind)")
  }

  /// Where there is no item of this name: an attribute that is no item.
  private func attributeBesideItem(_ name: String, of value: TemplateValue) throws -> TemplateValue {
    if let method = method(name, of: value) { return method }
    if case .dictionary = value { return .undefined("\(quoted(name)) of \(value.kind)") }
    return try attribute(name, of: value)
  }

  private func slice(_ value: TemplateValue, start: Int?, stop: Int?, step: Int?) throws -> TemplateValue {
    switch value {
    case .text(let text):
      let part = try slice(text.characters, start, stop, step)
      try charge(characters: part.count)
      return .text(TemplateText(part))
    case .list(let list) where list.kind != .view:
      return .list(try self.list(try slice(list.items, start, stop, step), list.kind))
    case .undefined(let what): throw failure("\(what) is undefined, and cannot be sliced")
    default: throw failure("\(value.kind) cannot be sliced")
    }
  }

  /// Python's slice.
  private func slice<T>(_ items: [T], _ start: Int?, _ stop: Int?, _ step: Int?) throws -> [T] {
    let step = step ?? 1
    guard step != 0 else { throw failure("a slice's step is 0") }
    let low = step > 0 ? 0 : -1
    let high = step > 0 ? items.count : items.count - 1
    func clamped(_ bound: Int) -> Int {
      let place = bound < 0 ? max(bound, -items.count - 1) + items.count : bound
      return min(max(place, low), high)
    }
    let first = start.map(clamped) ?? (step > 0 ? low : high)
    let end = stop.map(clamped) ?? (step > 0 ? high : low)
    // Steps beyond the items are as good as one beyond them, and cannot overflow.
    let stride = max(min(step, items.count + 1), -items.count - 1)
    var part: [T] = []
    var place = first
    while stride > 0 ? place < end : place > end {
      part.append(items[place])
      place += stride
    }
    return part
  }
}

extension Array {
  /// An item by Python's index: negative ones count from the end; nil outside.
  fileprivate subscript(pythonIndex index: Int) -> Element? {
    let place = index < 0 ? Swift.max(index, -count - 1) + count : index
    return indices.contains(place) ? self[place] : nil
  }
}

extension TemplateLoop {
  fileprivate func value(of name: String, _ run: TemplateRun) throws -> TemplateValue? {
    switch name {
    case "index": .integer(index + 1)
    case "index0": .integer(index)
    case "revindex": .integer(items.count - index)
    case "revindex0": .integer(items.count - index - 1)
    case "first": .bool(index == 0)
    case "last": .bool(index == items.count - 1)
    case "length": .integer(items.count)
    case "depth": .integer(1)
    case "depth0": .integer(0)
    case "previtem": index > 0 ? items[index - 1] : .undefined("`previtem` of the first round")
    case "nextitem":
      index + 1 < items.count ? items[index + 1] : .undefined("`nextitem` of the last round")
    case "cycle", "changed": .method(name)
    default: nil
    }
  }
}
