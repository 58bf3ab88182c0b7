// What operators give: truth, equality, order, arithmetic, as Python has them.

import Glibc
import System

extension TemplateRun {
  func truth(of value: TemplateValue) throws -> Bool {
    switch value {
    case .undefined, .none: false
    case .bool(let value): value
    case .integer(let value): value != 0
    case .double(let value): value != 0
    case .text(let text): text.count > 0
    case .list(let list): !list.items.isEmpty
    case .dictionary(let dictionary): !dictionary.members.isEmpty
    case .loop(let loop): !loop.items.isEmpty
    case .namespace, .iterator, .macro, .function, .method: true
    }
  }

  /// What a `for` goes through.
  func items(of value: TemplateValue) throws -> [TemplateValue] {
    let items: [TemplateValue]
    switch value {
    case .undefined: items = []
    case .text(let text):
      try charge(items: text.count)
      return text.characters.map { .text(TemplateText([$0])) }
    case .list(let list): items = list.items
    case .dictionary(let dictionary): items = dictionary.members.map(\.key)
    case .iterator(let iterator):
      items = iterator.rest()
    default: throw failure("\(value.kind) has no items")
    }
    try charge(items: items.count)
    return items
  }

  // MARK: Comparison

  func compare(_ a: TemplateValue, _ operation: TemplateComparison, _ b: TemplateValue) throws -> Bool {
    switch operation {
    case .equal: try isEqual(a, b)
    case .notEqual: try !isEqual(a, b)
    case .less: try isLess(a, b, "<")
    case .lessOrEqual: try isLess(a, b, "<=", orEqual: true)
    case .greater: try isLess(b, a, ">")
    case .greaterOrEqual: try isLess(b, a, ">=", orEqual: true)
    case .in: try contains(b, a)
    case .notIn: try !contains(b, a)
    }
  }

  func isEqual(_ a: TemplateValue, _ b: TemplateValue) throws -> Bool {
    try chargeSteps()
    switch (a, b) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.text(let a), .text(let b)):
      guard a.count == b.count else { return false }
      try chargeSteps(a.count / 16)
      return a == b
    case (.list(let a), .list(let b)):
      guard a.kind == b.kind, a.items.count == b.items.count else { return false }
      if a.kind == .view { throw failure("comparing dictionary views is not supported") }
      return try zip(a.items, b.items).allSatisfy { try isEqual($0, $1) }
    case (.dictionary(let a), .dictionary(let b)):
      guard a.members.count == b.members.count else { return false }
      return try a.members.allSatisfy { member in
        try value(of: member.key, in: b).map { try isEqual($0, member.value) } ?? false
      }
    case (.namespace(let a), .namespace(let b)): return a === b
    case (.iterator(let a), .iterator(let b)): return a === b
    case (.loop(let a), .loop(let b)): return a === b
    case (.macro(let a), .macro(let b)): return a === b
    case (.function(let a), .function(let b)): return a == b
    case (.method, .method): throw failure("comparing methods is not supported")
    default:
      guard let a = TemplateNumber(a), let b = TemplateNumber(b) else { return false }
      return a.isEqual(b)
    }
  }

  func isLess(_ a: TemplateValue, _ b: TemplateValue, _ sign: String, orEqual: Bool = false) throws -> Bool {
    try chargeSteps()
    switch (a, b) {
    case (.text(let a), .text(let b)):
      try chargeSteps(min(a.count, b.count) / 16)
      return a < b || (orEqual && a == b)
    case (.list(let a), .list(let b)) where a.kind == b.kind && (a.kind == .list || a.kind == .tuple):
      for (a, b) in zip(a.items, b.items) where try !isEqual(a, b) { return try isLess(a, b, sign) }
      return a.items.count < b.items.count || (orEqual && a.items.count == b.items.count)
    case (.undefined(let what), _), (_, .undefined(let what)):
      throw failure("\(what) is undefined, and cannot be compared by `\(sign)`")
    default:
      guard let a = TemplateNumber(a), let b = TemplateNumber(b) else {
        throw failure("`\(sign)` between \(a.kind) and \(b.kind)")
      }
      return a.isLess(b) || (orEqual && a.isEqual(b))
    }
  }

  func contains(_ container: TemplateValue, _ value: TemplateValue) throws -> Bool {
    switch container {
    case .text(let text):
      guard case .text(let part) = value else {
        throw failure("`in` of \(container.kind) needs a string, found \(value.kind)")
      }
      return try place(of: part, in: text.characters[...]) != nil
    case .dictionary(let dictionary): return try self.value(of: value, in: dictionary) != nil
    default: return try items(of: container).contains { try isEqual($0, value) }
    }
  }

  /// Where `part` begins in `text`, first from the left.
  func place(of part: TemplateText, in text: ArraySlice<TemplateCharacter>) throws -> Int? {
    let part = part.characters
    guard let first = part.first else { return text.startIndex }
    guard part.count <= text.count else { return nil }
    for start in text.startIndex...(text.endIndex - part.count) where text[start].value == first.value {
      var length = 1
      while length < part.count, text[start + length].value == part[length].value { length += 1 }
      try chargeSteps(1 + length / 16)
      if length == part.count { return start }
    }
    try chargeSteps(text.count / 16)
    return nil
  }

  // MARK: Arithmetic

  func arithmetic(_ operation: TemplateArithmetic, _ a: TemplateValue, _ b: TemplateValue) throws
    -> TemplateValue
  {
    switch (operation, a, b) {
    case (_, .undefined(let what), _), (_, _, .undefined(let what)):
      throw failure("\(what) is undefined, and has no `\(operation.rawValue)`")
    case (.add, .text(let a), .text(let b)):
      try charge(characters: a.count + b.count)
      return .text(TemplateText(a.characters + b.characters))
    case (.add, .list(let a), .list(let b))
    where a.kind == b.kind && (a.kind == .list || a.kind == .tuple):
      try charge(items: a.items.count + b.items.count)
      return .list(try list(a.items + b.items, a.kind))
    case (.multiply, .text(let text), let times), (.multiply, let times, .text(let text)):
      let copies = try repeated(text.characters, times, a, b) { try charge(characters: $0) }
      return .text(TemplateText(copies))
    case (.multiply, .list(let items), let times) where items.kind == .list || items.kind == .tuple,
      (.multiply, let times, .list(let items)) where items.kind == .list || items.kind == .tuple:
      let copies = try repeated(items.items, times, a, b) { try charge(items: $0) }
      return .list(try list(copies, items.kind))
    case (.remainder, .text, _): throw failure("formatting by `%` is not supported")
    default:
      guard let left = TemplateNumber(a), let right = TemplateNumber(b) else {
        throw failure("`\(operation.rawValue)` between \(a.kind) and \(b.kind)")
      }
      do {
        return try left.applying(operation, right)
      } catch let problem as TemplateNumber.Problem {
        throw failure(problem.rawValue)
      }
    }
  }

  private func repeated<T>(
    _ items: [T], _ times: TemplateValue, _ a: TemplateValue, _ b: TemplateValue,
    charge: (Int) throws -> Void
  ) throws -> [T] {
    guard case .integer(let count)? = TemplateNumber(times) else {
      throw failure("`*` between \(a.kind) and \(b.kind)")
    }
    guard count > 0, !items.isEmpty else { return [] }
    let (size, overflows) = items.count.multipliedReportingOverflow(by: count)
    try charge(overflows ? Int.max : size)
    var copies: [T] = []
    copies.reserveCapacity(size)
    for _ in 0..<count { copies += items }
    return copies
  }
}

/// A number as Python computes with it; integers have 64 bits here.
enum TemplateNumber {
  case integer(Int)
  case double(Double)

  enum Problem: String, Error {
    case overflow = "an integer exceeds 64 bits"
    case zero = "division by zero"
    case power = "this power is not supported"
  }

  init?(_ value: TemplateValue) {
    switch value {
    case .bool(let value): self = .integer(value ? 1 : 0)
    case .integer(let value): self = .integer(value)
    case .double(let value): self = .double(value)
    default: return nil
    }
  }

  private var double: Double {
    switch self {
    case .integer(let value): Double(value)
    case .double(let value): value
    }
  }

  /// Exact, also between an integer and a float.
  func isEqual(_ other: TemplateNumber) -> Bool {
    switch (self, other) {
    case (.integer(let a), .integer(let b)): a == b
    case (.double(let a), .double(let b)): a == b
    case (.integer(let integer), .double(let double)), (.double(let double), .integer(let integer)):
      Int(exactly: double) == integer
    }
  }

  func isLess(_ other: TemplateNumber) -> Bool {
    switch (self, other) {
    case (.integer(let a), .integer(let b)): a < b
    case (.double(let a), .double(let b)): a < b
    case (.integer(let a), .double(let b)):
      b.isNaN ? false : Int(exactly: b.rounded(.up)).map { a < $0 } ?? (b > 0)
    case (.double(let a), .integer(let b)):
      a.isNaN ? false : Int(exactly: a.rounded(.down)).map { $0 < b } ?? (a < 0)
    }
  }

  func applying(_ operation: TemplateArithmetic, _ other: TemplateNumber) throws -> TemplateValue {
    if operation != .divide, case .integer(let a) = self, case .integer(let b) = other {
      if operation == .power, b < 0 {
        guard a != 0 else { throw Problem.zero }
        return .double(pow(Double(a), Double(b)))
      }
      return .integer(try Self.applying(operation, a, b))
    }
    let (a, b) = (double, other.double)
    switch operation {
    case .add: return .double(a + b)
    case .subtract: return .double(a - b)
    case .multiply: return .double(a * b)
    case .divide, .floorDivide, .remainder:
      guard b != 0 else { throw Problem.zero }
      if operation == .divide { return .double(a / b) }
      var remainder = fmod(a, b)
      var quotient = (a - remainder) / b
      if remainder != 0, (b < 0) != (remainder < 0) {
        remainder += b
        quotient -= 1
      } else if remainder == 0 {
        remainder = b.sign == .minus ? -0.0 : 0.0
      }
      if operation == .remainder { return .double(remainder) }
      guard quotient != 0 else { return .double((a / b).sign == .minus ? -0.0 : 0.0) }
      let floor = quotient.rounded(.down)
      return .double(quotient - floor > 0.5 ? floor + 1 : floor)
    case .power:
      let value = pow(a, b)
      // Python leaves the real numbers or fails here.
      guard value.isFinite else { throw Problem.power }
      return .double(value)
    }
  }

  private static func applying(_ operation: TemplateArithmetic, _ a: Int, _ b: Int) throws -> Int {
    let (value, overflows): (Int, Bool)
    switch operation {
    case .add: (value, overflows) = a.addingReportingOverflow(b)
    case .subtract: (value, overflows) = a.subtractingReportingOverflow(b)
    case .multiply: (value, overflows) = a.multipliedReportingOverflow(by: b)
    case .divide, .floorDivide, .remainder:
      guard b != 0 else { throw Problem.zero }
      let (quotient, isTooLarge) = a.dividedReportingOverflow(by: b)
      let remainder = isTooLarge ? 0 : a % b
      let isBelow = remainder != 0 && (remainder < 0) != (b < 0)
      if operation == .remainder { return isBelow ? remainder + b : remainder }
      (value, overflows) = (isBelow ? quotient - 1 : quotient, isTooLarge)
    case .power:
      var result = 1
      // Any power of -1, 0 and 1 is one of them; of others 64 doublings overflow.
      let count = (-1...1).contains(a) ? min(b, 2 + b % 2) : b
      for _ in 0..<count {
        let (product, isTooLarge) = result.multipliedReportingOverflow(by: a)
        guard !isTooLarge else { throw Problem.overflow }
        result = product
      }
      return result
    }
    guard !overflows else { throw Problem.overflow }
    return value
  }
}
