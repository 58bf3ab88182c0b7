// The JSON value: what Plumb reads from model files, rows and records, and writes back.

import Glibc

/// A JSON value. Objects keep the order of their members; integers and other numbers stay apart, so that
/// what was read as `1` is written as `1` and not as `1.0`. An integer keeps every digit; other numbers are doubles and are
/// written in their shortest form: `1.10` becomes `1.1`, `1e2` becomes `100.0`.
public enum JSON: Sendable {
  case null
  case bool(Bool)
  /// A number written without fraction or exponent that fits 64 signed bits.
  case int(Int64)
  /// An integer that does not fit 64 signed bits, as it was written: a lost digit would change an id or a
  /// prompt. Within a double's range, so that `doubleValue` is there and finite.
  case largeInteger(String)
  /// Any other number. Must be finite where it is written.
  case double(Double)
  case string(String)
  case array([JSON])
  case object(JSONObject)
}

/// The members of a JSON object in the order they were written. Keys are compared by their UTF-8 bytes
/// (Swift's `==` would take "é" and "e\u{301}" for one key).
public struct JSONObject: Sendable {
  public typealias Member = (key: String, value: JSON)
  public private(set) var members: [Member]

  public init() { members = [] }

  /// Later duplicates replace earlier ones in place.
  public init(_ members: [Member]) {
    if members.count > 16, Set(members.map { UTF8Key($0.key) }).count == members.count {
      self.members = members
      return
    }
    self.members = []
    self.members.reserveCapacity(members.count)
    for member in members { self[member.key] = member.value }
  }

  /// Takes members whose keys the caller has already found to be distinct.
  package init(distinct members: [Member]) { self.members = members }

  public var count: Int { members.count }
  public var isEmpty: Bool { members.isEmpty }
  public var keys: [String] { members.map(\.key) }

  /// Linear in the number of members. Setting nil removes the key; setting a new key appends it.
  public subscript(key: String) -> JSON? {
    get { members.first { sameBytes($0.key, key) }?.value }
    set {
      if let index = members.firstIndex(where: { sameBytes($0.key, key) }) {
        if let newValue { members[index].value = newValue } else { members.remove(at: index) }
      } else if let newValue {
        members.append((key, newValue))
      }
    }
  }
}

func sameBytes(_ a: String, _ b: String) -> Bool {
  guard a.utf8.count == b.utf8.count else { return false }
  // Comparing where they lie is some ten times as fast as byte by byte; only a bridged string lies in no one place.
  let isSame = a.utf8.withContiguousStorageIfAvailable { a in
    b.utf8.withContiguousStorageIfAvailable { b in
      guard a.count == b.count, let first = a.baseAddress, let second = b.baseAddress else {
        return a.isEmpty && b.isEmpty
      }
      return memcmp(first, second, a.count) == 0
    }
  }
  return (isSame ?? nil) ?? a.utf8.elementsEqual(b.utf8)
}

/// A string as a dictionary key by its UTF-8 bytes rather than by canonical equivalence.
public struct UTF8Key: Hashable, Sendable {
  public let string: String
  public init(_ string: String) { self.string = string }
  public static func == (a: Self, b: Self) -> Bool { sameBytes(a.string, b.string) }
  public func hash(into hasher: inout Hasher) {
    var string = string
    string.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

extension JSON {
  public subscript(key: String) -> JSON? { objectValue?[key] }
  public var isNull: Bool { if case .null = self { true } else { false } }
  public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
  public var arrayValue: [JSON]? { if case .array(let value) = self { value } else { nil } }
  public var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }
  /// An integer of 64 bits; a double with an exact integer value counts.
  public var intValue: Int? {
    switch self {
    case .int(let value): Int(exactly: value)
    case .double(let value): Int(exactly: value)
    default: nil
    }
  }
  public var doubleValue: Double? {
    switch self {
    case .int(let value): Double(value)
    case .largeInteger(let digits): Double(digits)
    case .double(let value): value
    default: nil
    }
  }
  /// What kind of value this is, in the words of an error message.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .int: "an integer"
    case .largeInteger: "an integer beyond 64 bits"
    case .double: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

/// Equality of values: objects without regard to order, integers and doubles by value, strings by bytes.
extension JSON: Equatable {
  public static func == (a: JSON, b: JSON) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.largeInteger(let a), .largeInteger(let b)): sameBytes(a, b)
    case (.int, .double), (.double, .int), (.largeInteger, .double), (.double, .largeInteger),
      (.double, .double):
      a.doubleValue == b.doubleValue
    case (.string(let a), .string(let b)): sameBytes(a, b)
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)):
      a.count == b.count && a.members.allSatisfy { b[$0.key] == $0.value }
    default: false
    }
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
  ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(JSONObject(elements.map { ($0.0, $0.1) }))
  }
  public init(nilLiteral: ()) { self = .null }
}

extension Sequence<String> {
  /// Each once, compared by its bytes, in the order in which they first appear.
  package func distinct() -> [String] {
    var seen: Set<UTF8Key> = []
    return filter { seen.insert(UTF8Key($0)).inserted }
  }
}
