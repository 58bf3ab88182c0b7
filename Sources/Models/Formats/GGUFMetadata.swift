// Typed access to a GGUF file's metadata, with errors that name the key.

import JSON
import System

extension GGUFFile {
  package func value(_ key: String) -> GGUFValue? {
    metadataIndex(key).map { metadata[$0].value }
  }

  func failure(_ key: String, _ problem: String) -> FormatError {
    FormatError(
      path: file.path, part: "metadata \(quoted(key))",
      offset: metadataIndex(key).map { metadataOffsets[$0] },
      problem)
  }

  private func wanted(_ key: String, _ kind: String, _ found: GGUFValue?) -> FormatError {
    failure(
      key, found.map { "expected \(kind), found \($0.kind)" } ?? "expected \(kind), but the key is missing")
  }

  package func string(_ key: String) throws -> String? {
    guard let value = value(key) else { return nil }
    guard case .string(let text) = value else { throw wanted(key, "a string", value) }
    return text
  }

  package func bool(_ key: String) throws -> Bool? {
    guard let value = value(key) else { return nil }
    guard case .bool(let flag) = value else { throw wanted(key, "a boolean", value) }
    return flag
  }

  /// An integer of any width and sign that fits `Int`.
  package func integer(_ key: String) throws -> Int? {
    guard let value = value(key) else { return nil }
    let number: Int?
    switch value {
    case .unsigned(let value): number = Int(exactly: value)
    case .signed(let value): number = Int(exactly: value)
    default: throw wanted(key, "an integer", value)
    }
    guard let number else { throw failure(key, "the integer is out of range") }
    return number
  }

  /// A number; a 32-bit one is taken at its shortest decimal form, as its author wrote it (`1e-05`).
  package func number(_ key: String) throws -> Double? {
    guard let value = value(key) else { return nil }
    switch value {
    case .float32(let value): return Double("\(value)") ?? Double(value)
    case .float64(let value): return value
    case .unsigned(let value): return Double(value)
    case .signed(let value): return Double(value)
    default: throw wanted(key, "a number", value)
    }
  }

  /// An id of 0 ..< count.
  func specialTokenID(_ key: String, count: Int) throws -> Int? {
    guard let id = try integer(key) else { return nil }
    guard id >= 0, id < count else {
      throw failure(key, "token id \(id) is outside the vocabulary of \(count)")
    }
    return id
  }

  package func requiredInteger(_ key: String) throws -> Int {
    guard let value = try integer(key) else { throw wanted(key, "an integer", nil) }
    return value
  }

  package func requiredBool(_ key: String) throws -> Bool {
    guard let value = try bool(key) else { throw wanted(key, "a boolean", nil) }
    return value
  }

  package func requiredNumber(_ key: String) throws -> Double {
    guard let value = try number(key) else { throw wanted(key, "a number", nil) }
    return value
  }

  /// The key of what a directory has as `plumb.json`.
  static let plumbKey = "plumb.json"

  private func array(_ key: String) throws -> GGUFArray? {
    guard let value = value(key) else { return nil }
    guard case .array(let array) = value else { throw wanted(key, "an array", value) }
    return array
  }

  package func strings(_ key: String) throws -> [String]? {
    guard let array = try array(key) else { return nil }
    guard array.elementType == .string else { throw failure(key, "expected an array of strings") }
    var cursor = ByteCursor(file: file, position: array.offset, part: "metadata \(quoted(key))")
    var strings: [String] = []
    // The array was walked when the file was opened: it has this many strings.
    strings.reserveCapacity(array.count)
    for index in 0..<array.count { strings.append(try cursor.string("string \(index)")) }
    return strings
  }

  /// Of an array of strings those at some places.
  package func strings(_ key: String, at places: Set<Int>) throws -> [Int: String]? {
    guard let array = try array(key) else { return nil }
    guard array.elementType == .string else { throw failure(key, "expected an array of strings") }
    var cursor = ByteCursor(file: file, position: array.offset, part: "metadata \(quoted(key))")
    var strings: [Int: String] = [:]
    var next = 0
    for place in places.sorted() where place < array.count {
      try cursor.skipStrings(place - next)
      strings[place] = try cursor.string("string \(place)")
      next = place + 1
    }
    return strings
  }

  package func integers(_ key: String) throws -> [Int]? {
    guard let array = try array(key) else { return nil }
    var cursor = ByteCursor(file: file, position: array.offset, part: "metadata \(quoted(key))")
    var integers: [Int] = []
    integers.reserveCapacity(array.count)
    for _ in 0..<array.count {
      switch array.elementType {
      case .float32, .float64, .bool, .string, .array: throw failure(key, "expected an array of integers")
      default: break
      }
      switch try cursor.value(array.elementType) {
      case .unsigned(let value):
        guard let value = Int(exactly: value) else { throw failure(key, "an integer is out of range") }
        integers.append(value)
      case .signed(let value):
        guard let value = Int(exactly: value) else { throw failure(key, "an integer is out of range") }
        integers.append(value)
      default: throw failure(key, "expected an array of integers")
      }
    }
    return integers
  }
}
