// Methods of strings, dictionaries, lists and loops.

import System

/// What Python's types have as methods, whether supported here or not: `message.items` is the method, whatever the message holds.
private let stringMethods: Set<String> = [
  "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find", "format",
  "format_map", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower",
  "isnumeric", "isprintable", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip",
  "maketrans", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust",
  "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title",
  "translate", "upper", "zfill",
]
private let dictionaryMethods: Set<String> = ["copy", "fromkeys", "get", "items", "keys", "values"]
/// Jinja's sandbox has these as undefined, since they would change their object.
private let changingDictionaryMethods: Set<String> = ["clear", "pop", "popitem", "setdefault", "update"]
private let changingListMethods: Set<String> = [
  "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort",
]

extension TemplateRun {
  /// The method of this name, or what stands in its place; nil where there is none.
  func method(_ name: String, of value: TemplateValue) -> TemplateValue? {
    let (methods, changing): (Set<String>, Set<String>)
    switch value {
    case .text: (methods, changing) = (stringMethods, [])
    case .dictionary: (methods, changing) = (dictionaryMethods, changingDictionaryMethods)
    case .list(let list) where list.kind == .list:
      (methods, changing) = (["copy", "count", "index"], changingListMethods)
    case .list(let list) where list.kind != .view: (methods, changing) = (["count", "index"], [])
    default: return nil
    }
    if changing.contains(name) { return .undefined("the changing method \(quoted(name)) of \(value.kind)") }
    return methods.contains(name) ? .method(name) : nil
  }

  func call(_ name: String, of receiver: TemplateValue, _ arguments: TemplateArguments) throws
    -> TemplateValue
  {
    switch receiver {
    case .text(let text):
      guard arguments.named.isEmpty || name == "split" else { break }
      return try call(name, of: text, arguments)
    case .dictionary(let dictionary): return try call(name, of: dictionary, arguments)
    case .loop(let loop): return try call(name, of: loop, arguments)
    default: break
    }
    throw failure("the method \(quoted(name)) of \(receiver.kind) is not supported with these arguments")
  }

  // MARK: Dictionaries and loops

  private func call(_ name: String, of dictionary: TemplateDictionary, _ arguments: TemplateArguments) throws
    -> TemplateValue
  {
    switch name {
    case "items", "keys", "values":
      _ = try arguments.bound(to: [], of: name, self)
      switch name {
      case "keys": return .list(try list(dictionary.members.map(\.key), .view))
      case "values": return .list(try list(dictionary.members.map(\.value), .view))
      default: return .list(try list(pairs(dictionary.members), .view))
      }
    case "get":
      guard arguments.named.isEmpty else { throw failure("`get` takes no named arguments") }
      let given = try arguments.bound(to: ["key", "default"], atLeast: 1, of: name, self)
      return try value(of: given[0] ?? .none, in: dictionary) ?? given[1] ?? .none
    default: throw failure("the method \(quoted(name)) of a dictionary is not supported")
    }
  }

  func pairs(_ members: [(key: TemplateValue, value: TemplateValue)]) throws -> [TemplateValue] {
    try members.map { .list(try list([$0.key, $0.value], .tuple)) }
  }

  private func call(_ name: String, of loop: TemplateLoop, _ arguments: TemplateArguments) throws
    -> TemplateValue
  {
    let values = arguments.positional
    guard arguments.named.isEmpty else { throw failure("`\(name)` takes no named arguments") }
    if name == "cycle" {
      guard !values.isEmpty else { throw failure("`cycle` needs values") }
      return values[loop.index % values.count]
    }
    if let last = loop.changed, last.count == values.count,
      try zip(last, values).allSatisfy({ try isEqual($0, $1) })
    {
      return .bool(false)
    }
    // Kept as a list's items are, so that nothing holds itself.
    _ = try depth(ofItems: values)
    loop.changed = values
    return .bool(true)
  }

  // MARK: Strings

  private func call(_ name: String, of text: TemplateText, _ arguments: TemplateArguments) throws
    -> TemplateValue
  {
    try charge(characters: text.count)
    func parameters(_ names: String..., needed: Int = 0) throws -> [TemplateValue?] {
      try arguments.bound(to: names, atLeast: needed, of: name, self)
    }
    switch name {
    case "upper", "lower", "title", "capitalize", "splitlines":
      _ = try parameters()
      switch name {
      case "upper": return .text(try cased(text, \.uppercased))
      case "lower": return .text(try cased(text, \.lowercased))
      case "title": return .text(try cased(text, \.titled))
      case "capitalize": return .text(try cased(text, \.capitalized))
      default:
        try charge(items: text.characters.count(where: \.isLineEnd))
        return .list(try list(text.lines.map { .text($0) }))
      }
    case "strip", "lstrip", "rstrip":
      let characters = try parameters("chars")[0]
      return .text(
        try stripped(text, characters, left: name != "rstrip", right: name != "lstrip"))
    case "startswith", "endswith":
      let part = try parameters("prefix", needed: 1)[0] ?? .none
      var parts = [part]
      if case .list(let list) = part, list.kind == .tuple { parts = list.items }
      return .bool(
        try parts.contains { part in
          let part = try string(part, name)
          guard part.count <= text.count else { return false }
          let place = name == "startswith" ? 0 : text.count - part.count
          return TemplateText(text.characters[place..<place + part.count]) == part
        })
    case "removeprefix", "removesuffix":
      let part = try string(try parameters("part", needed: 1)[0] ?? .none, name)
      guard part.count <= text.count else { return .text(text) }
      let (part1, rest) =
        name == "removeprefix"
        ? (text.characters.prefix(part.count), text.characters.dropFirst(part.count))
        : (text.characters.suffix(part.count), text.characters.dropLast(part.count))
      return .text(TemplateText(part1) == part ? TemplateText(rest) : text)
    case "find":
      let part = try string(try parameters("sub", needed: 1)[0] ?? .none, name)
      return .integer(try place(of: part, in: text.characters[...]) ?? -1)
    case "count":
      let part = try string(try parameters("sub", needed: 1)[0] ?? .none, name)
      return .integer(part.count == 0 ? text.count + 1 : try split(text, at: part, most: nil).count - 1)
    case "replace":
      let given = try parameters("old", "new", "count", needed: 2)
      return .text(
        try replaced(
          in: text, string(given[0] ?? .none, name), with: string(given[1] ?? .none, name),
          count: given[2].map { try integer($0, name) } ?? -1))
    case "split":
      let given = try parameters("sep", "maxsplit")
      let most = try given[1].map { try integer($0, name) } ?? -1
      let limit = most < 0 ? nil : most
      guard let separator = given[0], !separator.isNone else {
        try charge(items: text.characters.count(where: \.isWhitespace))
        return .list(try list(text.words(most: limit).map { .text($0) }))
      }
      let part = try string(separator, name)
      guard part.count > 0 else { throw failure("`split` needs a separator, found an empty string") }
      return .list(try list(split(text, at: part, most: limit).map { .text($0) }))
    case "join":
      return .text(
        try joined(
          items(of: try parameters("items", needed: 1)[0] ?? .none).map {
            try string($0, name)
          }, text))
    default: throw failure("the method \(quoted(name)) of a string is not supported")
    }
  }

  func string(_ value: TemplateValue, _ function: String) throws -> TemplateText {
    guard case .text(let text) = value else {
      throw failure("\(quoted(function)) needs a string, found \(value.kind)")
    }
    return text
  }

  func integer(_ value: TemplateValue, _ function: String) throws -> Int {
    guard case .integer(let integer)? = TemplateNumber(value) else {
      throw failure("\(quoted(function)) needs an integer, found \(value.kind)")
    }
    return integer
  }

  func joined(_ parts: [TemplateText], _ separator: TemplateText) throws -> TemplateText {
    var text = TemplateText()
    for (index, part) in parts.enumerated() {
      try charge(characters: part.count + separator.count)
      if index > 0 { text += separator }
      text += part
    }
    return text
  }

  /// A text with its letters in another case.
  func cased(_ text: TemplateText, _ form: (TemplateText) -> TemplateText) throws -> TemplateText {
    // A character has up to three in the other case, and takes as long as a few steps.
    try charge(characters: 3 * text.count)
    try chargeSteps(text.count / 3)
    return form(text)
  }

  /// `str.strip` and its kin.
  /// - Parameter characters: white space where it is nil or none.
  func stripped(_ text: TemplateText, _ characters: TemplateValue?, left: Bool, right: Bool) throws
    -> TemplateText
  {
    var rest = text.characters[...]
    let isDropped: (TemplateCharacter) -> Bool
    switch characters {
    case nil, .some(.none): isDropped = \.isWhitespace
    case let value?:
      let text = try string(value, "strip")
      try chargeSteps(text.count)
      let values = Set(text.characters.map(\.value))
      isDropped = { values.contains($0.value) }
    }
    if left { rest = rest.drop(while: isDropped) }
    while right, let last = rest.last, isDropped(last) { rest.removeLast() }
    return TemplateText(rest)
  }

  /// - Parameter most: separators that count, from the left; nil for all.
  private func split(_ text: TemplateText, at separator: TemplateText, most: Int?) throws -> [TemplateText] {
    var parts: [TemplateText] = []
    var rest = text.characters[...]
    while parts.count < most ?? Int.max, let place = try place(of: separator, in: rest) {
      try charge(items: 1)
      parts.append(TemplateText(rest[..<place]))
      rest = rest[(place + separator.count)...]
    }
    return parts + [TemplateText(rest)]
  }

  /// `str.replace`: `count` below 0 is all; an empty `old` stands before each character and at the end.
  func replaced(in text: TemplateText, _ old: TemplateText, with new: TemplateText, count: Int) throws
    -> TemplateText
  {
    let most = count < 0 ? Int.max : count
    if old.count > 0 { return try joined(split(text, at: old, most: most), new) }
    var result = TemplateText()
    for index in 0...text.count {
      if index < most {
        try charge(characters: new.count)
        result += new
      }
      if index < text.count { result.characters.append(text.characters[index]) }
    }
    return result
  }
}

extension TemplateText {
  /// `str.splitlines`.
  var lines: [TemplateText] {
    var lines: [TemplateText] = []
    var line: [TemplateCharacter] = []
    var afterReturn = false
    for character in characters {
      defer { afterReturn = character.scalar == "\r" }
      if character.value == 0x0A, afterReturn { continue }
      if character.isLineEnd {
        lines.append(TemplateText(line))
        line = []
      } else {
        line.append(character)
      }
    }
    return line.isEmpty ? lines : lines + [TemplateText(line)]
  }

  /// `str.split()`: what stands between white space.
  fileprivate func words(most: Int?) -> [TemplateText] {
    var words: [TemplateText] = []
    var rest = characters.drop { $0.isWhitespace }
    while !rest.isEmpty, words.count < most ?? Int.max {
      let word = rest.prefix { !$0.isWhitespace }
      words.append(TemplateText(word))
      rest = rest.dropFirst(word.count).drop { $0.isWhitespace }
    }
    return rest.isEmpty ? words : words + [TemplateText(rest)]
  }
}
