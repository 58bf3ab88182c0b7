// Filters over the items of a list or dictionary.

import System

/// Source: jinja2 3.1, `filters.py`. Deviation: `map`, `select` and their kin are evaluated at once; as there, their items can be had once.
extension TemplateRun {
  func filterItems(_ name: String, _ value: TemplateValue, _ arguments: TemplateArguments) throws
    -> TemplateValue
  {
    func parameters(_ names: String..., needed: Int = 0) throws -> [TemplateValue?] {
      try arguments.bound(to: names, atLeast: needed, of: name, self)
    }
    func flag(_ value: TemplateValue?) throws -> Bool { try value.map { try truth(of: $0) } ?? false }
    switch name {
    case "length", "count":
      _ = try parameters()
      return .integer(try length(value))
    case "first":
      _ = try parameters()
      if case .iterator(let iterator) = value {
        return iterator.next() ?? .undefined("the first of no items")
      }
      return try items(of: value).first ?? .undefined("the first of no items")
    case "last":
      _ = try parameters()
      if case .iterator = value { throw failure("`last` of \(value.kind)") }
      return try items(of: value).last ?? .undefined("the last of no items")
    case "list":
      _ = try parameters()
      return .list(try list(items(of: value)))
    case "reverse":
      _ = try parameters()
      if case .text(let text) = value {
        try charge(characters: text.count)
        return .text(TemplateText(text.characters.reversed()))
      }
      let reversed = Array(try items(of: value).reversed())
      if case .iterator = value { return .list(try list(reversed)) }
      return .iterator(TemplateIterator(reversed))
    case "items":
      _ = try parameters()
      if value.isUndefined { return .iterator(TemplateIterator([])) }
      guard case .dictionary(let dictionary) = value else {
        throw failure("`items` of \(value.kind); expected a dictionary")
      }
      return .iterator(TemplateIterator(try pairs(dictionary.members)))
    case "join":
      let given = try parameters("d", "attribute")
      let items = try items(of: value).map { try shown(try attribute(given[1], of: $0)) }
      return .text(try joined(items, try shown(given[0] ?? .text(""))))
    case "sort":
      let given = try parameters("reverse", "case_sensitive", "attribute")
      let isSensitive = try flag(given[1])
      let keyed = try items(of: value).map { item in
        (key: try folded(try attribute(given[2], of: item), isSensitive), value: item)
      }
      return .list(try list(sorted(keyed, by: \.key, reverse: try flag(given[0])).map(\.value)))
    case "dictsort":
      let given = try parameters("case_sensitive", "by", "reverse")
      guard case .dictionary(let dictionary) = value else { throw failure("`dictsort` of \(value.kind)") }
      let by = try given[1].map { try string($0, name).string } ?? "key"
      guard by == "key" || by == "value" else {
        throw failure("`dictsort` by \(quoted(by)); expected `key` or `value`")
      }
      let isSensitive = try flag(given[0])
      let keyed = try zip(dictionary.members, pairs(dictionary.members)).map { member, pair in
        (key: try folded(by == "key" ? member.key : member.value, isSensitive), value: pair)
      }
      return .list(try list(sorted(keyed, by: \.key, reverse: try flag(given[2])).map(\.value)))
    case "unique":
      let given = try parameters("case_sensitive", "attribute")
      var keys: [TemplateValue] = []
      let unique = try items(of: value).filter { item in
        let key = try folded(try attribute(given[1], of: item), try flag(given[0]))
        switch key {
        case .list(let list) where list.kind == .list: throw failure("`unique` of lists")
        case .dictionary: throw failure("`unique` of dictionaries")
        default: break
        }
        guard try !keys.contains(where: { try isEqual($0, key) }) else { return false }
        keys.append(key)
        return true
      }
      return .iterator(TemplateIterator(unique))
    case "min", "max":
      let given = try parameters("case_sensitive", "attribute")
      var best: (key: TemplateValue, value: TemplateValue)?
      for item in try items(of: value) {
        let key = try folded(try attribute(given[1], of: item), try flag(given[0]))
        guard let last = best else {
          best = (key, item)
          continue
        }
        if try name == "min" ? isLess(key, last.key, "<") : isLess(last.key, key, ">") { best = (key, item) }
      }
      return best?.value ?? .undefined("the \(name) of no items")
    case "sum":
      let given = try parameters("attribute", "start")
      return try items(of: value).reduce(given[1] ?? .integer(0)) { sum, item in
        try arithmetic(.add, sum, try attribute(given[0], of: item))
      }
    case "map": return try mapped(value, arguments)
    default: return try selected(name, value, arguments)
    }
  }

  private func length(_ value: TemplateValue) throws -> Int {
    switch value {
    case .undefined: 0
    case .text(let text): text.count
    case .list(let list): list.items.count
    case .dictionary(let dictionary): dictionary.members.count
    case .loop(let loop): loop.items.count
    default: throw failure("`length` of \(value.kind)")
    }
  }

  private func mapped(_ value: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue {
    guard try truth(of: value) else { return .iterator(TemplateIterator([])) }
    var rest = arguments
    guard !rest.positional.isEmpty else {
      let given = try arguments.bound(to: ["attribute", "default"], atLeast: 1, of: "map", self)
      return .iterator(
        TemplateIterator(
          try items(of: value).map { item in
            let attribute = try attribute(given[0], of: item)
            return attribute.isUndefined ? given[1] ?? attribute : attribute
          }))
    }
    let filter = try string(rest.positional.removeFirst(), "map").string
    return .iterator(TemplateIterator(try items(of: value).map { try self.filter(filter, $0, rest) }))
  }

  private func selected(_ name: String, _ value: TemplateValue, _ arguments: TemplateArguments) throws
    -> TemplateValue
  {
    guard try truth(of: value) else { return .iterator(TemplateIterator([])) }
    var rest = arguments
    var path: TemplateValue?
    if name.hasSuffix("attr") {
      guard !rest.positional.isEmpty else { throw failure("\(quoted(name)) needs an attribute") }
      path = rest.positional.removeFirst()
    }
    let test = rest.positional.isEmpty ? nil : try string(rest.positional.removeFirst(), name).string
    let wanted = name.hasPrefix("select")
    let items = try items(of: value).filter { item in
      let tested = try attribute(path, of: item)
      return try (test.map { try self.test($0, tested, rest) } ?? truth(of: tested)) == wanted
    }
    return .iterator(TemplateIterator(items))
  }

  /// What `a.b.0` is of an item; the item itself without a path.
  private func attribute(_ path: TemplateValue?, of item: TemplateValue) throws -> TemplateValue {
    switch path {
    case nil, .some(.none): return item
    case .integer?: return try self.item(path ?? .none, of: item)
    case .text(let path)?:
      try chargeSteps(path.count / 2)
      guard !path.characters.contains(where: { $0.scalar == "," }) else {
        throw failure("several attributes of a filter are not supported")
      }
      return try path.string.split(separator: ".", omittingEmptySubsequences: false).reduce(item) {
        let name = String($1)
        let isPlace = !name.isEmpty && name.utf8.allSatisfy { (0x30...0x39).contains($0) }
        return try self.item(isPlace ? .integer(Int(name) ?? Int.max) : .text(name), of: $0)
      }
    case let path?: throw failure("an attribute's name is \(path.kind); expected a string")
    }
  }

  /// What values are sorted by: strings without their case, unless it counts.
  private func folded(_ value: TemplateValue, _ isCaseSensitive: Bool) throws -> TemplateValue {
    guard !isCaseSensitive, case .text(let text) = value else { return value }
    return .text(try cased(text, \.lowercased))
  }

  /// Sorted by their keys; equal ones keep their order, also in reverse.
  func sorted<T>(_ items: [T], by key: (T) -> TemplateValue, reverse: Bool = false) throws -> [T] {
    try items.enumerated().sorted { a, b in
      let (first, second) = reverse ? (b, a) : (a, b)
      if try isLess(key(first.element), key(second.element), "<") { return true }
      if try isLess(key(second.element), key(first.element), "<") { return false }
      return a.offset < b.offset
    }.map(\.element)
  }
}
