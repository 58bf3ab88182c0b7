// A pattern of file names: `*`, `?` and `[…]` inside a name, `**` for any number of folders.

/// As in a shell: what begins with a dot is matched only where the pattern has the dot. No backtracking beyond the last `*`: matching
/// costs at most the product of both lengths.
package struct FilePattern: Sendable {
  enum Segment: Sendable, Equatable {
    /// `**`: any number of folders, none among them.
    case folders
    case name([Token])
  }

  enum Token: Sendable, Equatable {
    /// `*`
    case any
    /// `?`
    case one
    case scalar(Unicode.Scalar)
    case oneOf([ClosedRange<UInt32>], isNegated: Bool)
  }

  let segments: [Segment]

  /// Relative: without a slash at its beginning.
  package init(_ text: String) {
    segments = text.unicodeScalars.split(separator: "/").map { part in
      part.elementsEqual("**".unicodeScalars) ? .folders : .name(Self.tokens(Array(part)))
    }
  }

  /// Whether a text is more than the name of one file.
  static func isPattern(_ text: String) -> Bool {
    FilePattern(text).segments.contains { segment in
      guard case .name(let tokens) = segment else { return true }
      return tokens.contains { if case .scalar = $0 { false } else { true } }
    }
  }

  package func matches(_ path: String) -> Bool { matches(Self.parts(of: path)) }

  /// The names of a path, for patterns that are tried one after the other.
  static func parts(of path: String) -> [[Unicode.Scalar]] {
    path.unicodeScalars.split(separator: "/").map { Array($0) }
  }

  func matches(_ parts: [[Unicode.Scalar]]) -> Bool {
    var states = start
    for name in parts { states = step(states, over: name) }
    return accepts(states)
  }

  // MARK: matching a path name by name

  /// Positions among the segments at which the rest of a path may begin.
  typealias States = Set<Int>

  var start: States { closed([0]) }

  /// After one more name of the path.
  func step(_ states: States, over name: [Unicode.Scalar]) -> States {
    var next: States = []
    let isHidden = name.first == "."
    for state in states where state < segments.count {
      switch segments[state] {
      case .folders:
        guard !isHidden else { continue }
        next.insert(state)
        if state + 1 == segments.count { next.insert(state + 1) }
      case .name(let tokens):
        if !isHidden || tokens.first == .scalar("."), Self.matches(tokens, name) { next.insert(state + 1) }
      }
    }
    return closed(next)
  }

  func accepts(_ states: States) -> Bool { states.contains(segments.count) }

  /// Whether something below may be matched.
  func continues(_ states: States) -> Bool { states.contains { $0 < segments.count } }

  /// `**` may be no folder at all; at the end it is what lies below, at any depth.
  private func closed(_ states: States) -> States {
    var states = states
    for index in segments.indices.dropLast() where states.contains(index) && segments[index] == .folders {
      states.insert(index + 1)
    }
    return states
  }

  // MARK: one name

  private static func tokens(_ part: [Unicode.Scalar]) -> [Token] {
    var tokens: [Token] = []
    var index = 0
    while index < part.count {
      switch part[index] {
      case "*": if tokens.last != .any { tokens.append(.any) }
      case "?": tokens.append(.one)
      case "[":
        if let (token, end) = set(part, after: index) {
          tokens.append(token)
          index = end
        } else {
          tokens.append(.scalar("["))
        }
      case let scalar: tokens.append(.scalar(scalar))
      }
      index += 1
    }
    return tokens
  }

  /// `[a-z]`, `[!a]`, `[]a]`; nil for a bracket that is not closed, which means itself. `end` is at the closing bracket.
  private static func set(_ part: [Unicode.Scalar], after bracket: Int) -> (Token, end: Int)? {
    var index = bracket + 1
    let isNegated = index < part.count && (part[index] == "!" || part[index] == "^")
    if isNegated { index += 1 }
    var ranges: [ClosedRange<UInt32>] = []
    let first = index
    while index < part.count, part[index] != "]" || index == first {
      let low = part[index].value
      if index + 2 < part.count, part[index + 1] == "-", part[index + 2] != "]" {
        let high = part[index + 2].value
        if low <= high { ranges.append(low...high) }
        index += 3
      } else {
        ranges.append(low...low)
        index += 1
      }
    }
    return index < part.count ? (.oneOf(ranges, isNegated: isNegated), index) : nil
  }

  private static func matches(_ tokens: [Token], _ name: [Unicode.Scalar]) -> Bool {
    var token = 0
    var place = 0
    // Where the last `*` stands, and how far it reaches.
    var star: (token: Int, place: Int)?
    while place < name.count {
      if token < tokens.count, tokens[token] == .any {
        star = (token, place)
        token += 1
      } else if token < tokens.count, fits(tokens[token], name[place]) {
        token += 1
        place += 1
      } else if let last = star {
        star = (last.token, last.place + 1)
        token = last.token + 1
        place = last.place + 1
      } else {
        return false
      }
    }
    return tokens[token...].allSatisfy { $0 == .any }
  }

  private static func fits(_ token: Token, _ scalar: Unicode.Scalar) -> Bool {
    switch token {
    case .any: false
    case .one: true
    case .scalar(let wanted): wanted == scalar
    case .oneOf(let ranges, let isNegated): ranges.contains { $0.contains(scalar.value) } != isNegated
    }
  }
}
