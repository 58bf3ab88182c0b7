// The pickle machine, as far as `torch.save` uses it for tensors: a stack, a memo and no code.

import System

/// Runs one pickle. Source: CPython's `Lib/pickletools.py`, protocols 2 to 5. Every opcode, name and object that is not needed for
/// a dictionary of tensors is refused by name and offset.
struct PickleMachine {
  private var cursor: ByteCursor
  var stack: [PickleValue] = []
  /// Heights of the stack.
  private var marks: [Int] = []
  private var memo: [PickleValue] = []
  /// The elements of all tuples.
  private(set) var elements: [PickleValue] = []
  private(set) var lists: [[PickleValue]] = []
  private(set) var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
  var objects: PyTorchObjects
  /// Where the opcode begins that is carried out.
  private var opcodeOffset = 0

  /// Bounds time and memory: an opcode adds one value at most. A tensor takes about forty.
  static let maximumOpcodes = 2_000_000
  /// Of a name, in bytes. Names are written once and used as often as the pickle likes.
  static let maximumNameLength = 1024

  init(_ member: ZipMember, in file: MappedFile, objects: PyTorchObjects) {
    cursor = ByteCursor(
      file: file, position: member.offset, part: quoted(member.name), end: member.offset + member.byteCount,
      extent: "the pickle")
    self.objects = objects
  }

  /// - Returns: the value that the pickle leaves.
  mutating func run() throws -> PickleValue {
    for number in 0..<Self.maximumOpcodes {
      opcodeOffset = cursor.position
      let code = try cursor.integer("an opcode", as: UInt8.self)
      guard let opcode = PickleOpcode(rawValue: code) else {
        let letter = (0x21...0x7E).contains(code) ? " (`\(UnicodeScalar(code))`)" : ""
        throw failure("opcode \(code)\(letter) is not one that `torch.save` writes for tensors")
      }
      guard (number == 0) == (opcode == .protocol) else {
        throw failure("the pickle has to begin with its protocol, and to name it once")
      }
      if opcode == .stop { return try result() }
      do { try execute(opcode) } catch let error as PyTorchObjects.Failure { throw failure(error.problem) }
    }
    throw failure("more than \(Self.maximumOpcodes) opcodes")
  }

  private mutating func result() throws -> PickleValue {
    guard stack.count == 1, marks.isEmpty else {
      throw failure("the pickle ends with \(stack.count) values and \(marks.count) marks; expected one value")
    }
    guard cursor.remaining == 0 else {
      throw failure("\(cursor.remaining) bytes follow the end of the pickle")
    }
    return stack[0]
  }

  private mutating func execute(_ opcode: PickleOpcode) throws {
    switch opcode {
    case .stop: break
    case .protocol:
      let version = try cursor.integer("the protocol", as: UInt8.self)
      guard (2...5).contains(version) else { throw failure("protocol \(version); 2 to 5 are read") }
    case .frame:
      let length = try cursor.integer("a frame's length", as: UInt64.self)
      guard length <= UInt64(cursor.remaining) else {
        throw failure("a frame of \(length) bytes, but \(cursor.remaining) are left")
      }

    case .none: stack.append(.none)
    case .true: stack.append(.bool(true))
    case .false: stack.append(.bool(false))
    case .integer1: stack.append(.integer(Int(try cursor.integer("an integer", as: UInt8.self))))
    case .integer2: stack.append(.integer(Int(try cursor.integer("an integer", as: UInt16.self))))
    case .integer4: stack.append(.integer(Int(try cursor.integer("an integer", as: Int32.self))))
    case .long1: try pushLong(UInt32(try cursor.integer("an integer's length", as: UInt8.self)))
    case .long4: try pushLong(try cursor.integer("an integer's length"))
    case .number:
      // The one big-endian number of the format.
      let bits = try cursor.integer("a number", as: UInt64.self).byteSwapped
      stack.append(.number(Double(bitPattern: bits)))
    case .string1: try pushString(UInt64(try cursor.integer("a string's length", as: UInt8.self)))
    case .string4: try pushString(UInt64(try cursor.integer("a string's length", as: UInt32.self)))
    case .string8: try pushString(try cursor.integer("a string's length"))

    case .mark: marks.append(stack.count)
    case .emptyTuple: pushTuple(0)
    case .tuple1: try pushTop(1)
    case .tuple2: try pushTop(2)
    case .tuple3: try pushTop(3)
    case .tuple: pushTuple(stack.count - (try popMark()))
    case .emptyList:
      lists.append([])
      stack.append(.list(lists.count - 1))
    case .append: try append(from: stack.count - 1)
    case .appends: try append(from: popMark())
    case .emptyDictionary: pushDictionary()
    case .setItem: try setItems(from: stack.count - 2)
    case .setItems: try setItems(from: popMark())

    case .memoize: memo.append(try top())
    case .put1: try put(Int(try cursor.integer("a place in the memo", as: UInt8.self)))
    case .put4: try put(Int(try cursor.integer("a place in the memo", as: UInt32.self)))
    case .get1: try get(Int(try cursor.integer("a place in the memo", as: UInt8.self)))
    case .get4: try get(Int(try cursor.integer("a place in the memo", as: UInt32.self)))

    case .global: try pushGlobal(module: try line("a module's name"), name: try line("a name"))
    case .stackGlobal:
      let name = try name(try pop())
      try pushGlobal(module: try self.name(try pop()), name: name)
    case .persistentStorage: try pushStorage(try pop())
    case .reduce:
      let arguments = try pop()
      try reduce(try pop(), arguments)
    case .build: try build()
    }
  }
}

// The stack.
extension PickleMachine {
  func failure(_ problem: String) -> FormatError { cursor.failure(problem, at: opcodeOffset) }

  /// What lies under the last mark is not there for an opcode above it.
  private func require(_ count: Int) throws {
    guard stack.count - (marks.last ?? 0) >= count else {
      throw failure("\(count) values needed, \(stack.count - (marks.last ?? 0)) on the stack")
    }
  }

  private func top() throws -> PickleValue {
    try require(1)
    return stack[stack.count - 1]
  }

  mutating func pop() throws -> PickleValue {
    try require(1)
    return stack.removeLast()
  }

  private mutating func popMark() throws -> Int {
    guard let mark = marks.popLast() else { throw failure("no mark on the stack") }
    return mark
  }

  private mutating func put(_ place: Int) throws {
    guard place <= memo.count else {
      throw failure("place \(place) of the memo, which has \(memo.count); places are filled in order")
    }
    let value = try top()
    if place == memo.count { memo.append(value) } else { memo[place] = value }
  }

  private mutating func get(_ place: Int) throws {
    guard place < memo.count else { throw failure("place \(place) of the memo, which has \(memo.count)") }
    stack.append(memo[place])
  }
}

// Plain values and containers.
extension PickleMachine {
  private mutating func pushLong(_ length: UInt32) throws {
    guard length <= 8 else { throw failure("an integer of \(length) bytes; at most 8 are read") }
    let bytes = try cursor.bytes(Int(length), of: "an integer")
    var value: Int64 = (bytes.last ?? 0) & 0x80 == 0 ? 0 : -1
    for byte in bytes.reversed() { value = value << 8 | Int64(byte) }
    stack.append(.integer(Int(value)))
  }

  private mutating func pushString(_ length: UInt64) throws {
    let start = cursor.position
    _ = try cursor.bytes(Int(clamping: length), of: "a string")
    stack.append(.string(start..<cursor.position))
  }

  private mutating func pushTop(_ count: Int) throws {
    try require(count)
    pushTuple(count)
  }

  private mutating func pushTuple(_ count: Int) {
    let start = elements.count
    elements += stack[(stack.count - count)...]
    stack.removeLast(count)
    stack.append(.tuple(start..<elements.count))
  }

  mutating func pushDictionary() {
    dictionaries.append([])
    stack.append(.dictionary(dictionaries.count - 1))
  }

  private mutating func append(from start: Int) throws {
    guard start > (marks.last ?? 0), case .list(let list) = stack[start - 1] else {
      throw failure("no list to add to on the stack")
    }
    lists[list] += stack[start...]
    stack.removeLast(stack.count - start)
  }

  private mutating func setItems(from start: Int) throws {
    guard start > (marks.last ?? 0), case .dictionary(let dictionary) = stack[start - 1],
      (stack.count - start) % 2 == 0
    else { throw failure("no dictionary, or not a key for each value, on the stack") }
    for place in stride(from: start, to: stack.count, by: 2) {
      dictionaries[dictionary].append((stack[place], stack[place + 1]))
    }
    stack.removeLast(stack.count - start)
  }

  /// An ordered dictionary may carry attributes, such as `_metadata` of `state_dict()`; no number depends on them.
  private mutating func build() throws {
    let state = try pop()
    guard case .dictionary = try top(), case .dictionary = state else {
      throw failure("attributes of \(try top().kind); only an ordered dictionary may have them")
    }
  }
}

// Names.
extension PickleMachine {
  /// Up to a line end, which is not part of it.
  private mutating func line(_ what: String) throws -> String {
    let start = cursor.position
    var length = 0
    while try cursor.integer(what, as: UInt8.self) != UInt8(ascii: "\n") {
      length += 1
      guard length <= Self.maximumNameLength else {
        throw failure("\(what) has more than \(Self.maximumNameLength) bytes")
      }
    }
    return try text(start..<start + length)
  }

  private func name(_ value: PickleValue) throws -> String {
    guard case .string(let range) = value else { throw failure("expected a name, found \(value.kind)") }
    return try text(range)
  }

  /// A string of the pickle.
  /// - Throws: `FormatError` where it is too long or not UTF-8.
  func text(_ range: Range<Int>) throws -> String {
    guard range.count <= Self.maximumNameLength else {
      throw cursor.failure(
        "a name of \(range.count) bytes; at most \(Self.maximumNameLength) are read", at: range.lowerBound)
    }
    guard let bytes = cursor.file.slice(range.lowerBound, range.count),
      let text = String(validating: bytes, as: UTF8.self)
    else { throw cursor.failure("a name is not valid UTF-8", at: range.lowerBound) }
    return text
  }

  private mutating func pushGlobal(module: String, name: String) throws {
    guard let global = PyTorchGlobal(module: module, name: name) else {
      throw failure(
        "\(quoted("\(module).\(name)")) is not one of the names that a dictionary of tensors needs; nothing in a pickle is run. Load the file where you trust it and save its state dictionary alone"
      )
    }
    stack.append(.global(global))
  }
}
