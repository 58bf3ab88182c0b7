// JSON texts, one a line, as they arrive: every error names its line.

import Glibc
import JSON
import System

struct JSONLines {
  enum Source {
    case standardInput
    case file(String)
  }

  /// One line's value.
  struct Line {
    let source: String
    /// From 1.
    let number: Int
    let value: JSON

    func failure(_ problem: String) -> RunError {
      RunError(.input, "`\(source)`: line \(number): \(problem)")
    }

    func string() throws -> String {
      guard let text = value.stringValue else { throw failure("expected a JSON string, found \(value.kind)") }
      return text
    }

    /// - Parameter count: of tokens; ids are below it.
    func ids(below count: Int) throws -> [Int32] {
      guard let elements = value.arrayValue else {
        throw failure("expected a JSON array of token ids, found \(value.kind)")
      }
      return try elements.enumerated().map { index, element in
        guard case .int(let number) = element, let id = Int32(exactly: number), (0..<count).contains(Int(id))
        else {
          throw failure(
            "element \(index): expected a token id from 0 to \(count - 1), found \(quoted(element.text(), limit: 80))"
          )
        }
        return id
      }
    }
  }

  private let file: File
  private let name: String
  private var pending: [UInt8] = []
  private var number = 0

  /// Longer ones are refused, since a line is held whole.
  private static let mostBytes = 1 << 28

  /// - Throws: `RunError`, `FileKindError`.
  init(_ source: Source) throws {
    switch source {
    case .standardInput: (file, name) = (File(descriptor: 0, path: "standard input"), "standard input")
    case .file(let path):
      name = path
      do { file = try File.openToRead(path) } catch let error as SystemError
        where !error.isMachineFault || error.code == EACCES
      {
        throw RunError(.input, "`\(path)`: \(UserFileError(path: path, cause: .refused(error.code)).reason)")
      }
    }
  }

  /// Prints an answer for each line, no later than the next block of input is waited for.
  mutating func answerEach(_ answer: (Line) throws -> JSON) throws {
    var output = ""
    do {
      try readEach(
        { line in output += try answer(line).text() + "\n" },
        afterBlock: {
          try standardOutput(output)
          output = ""
        })
    } catch {
      // What was answered before a wrong line is kept.
      try standardOutput(output)
      throw error
    }
  }

  mutating func readEach(_ body: (Line) throws -> Void, afterBlock: () throws -> Void = {}) throws {
    try file.readBlocks { block in
      var rest = block[...]
      while let end = rest.firstIndex(of: 0x0A) {
        pending += rest[..<end]
        try read(body)
        rest = rest[(end + 1)...]
      }
      pending += rest
      guard pending.count <= Self.mostBytes else {
        throw RunError(.input, "`\(name)`: line \(number + 1): longer than \(Self.mostBytes) bytes")
      }
      try afterBlock()
    }
    if !pending.isEmpty { try read(body) }
    try afterBlock()
  }

  private mutating func read(_ body: (Line) throws -> Void) throws {
    number += 1
    defer { pending.removeAll(keepingCapacity: true) }
    let value: JSON
    do { value = try JSON(parsing: pending) } catch let error as JSONError {
      throw RunError(
        .input, "`\(name)`: line \(number): not JSON: byte \(error.offset + 1) of the line: \(error.message)")
    }
    try body(Line(source: name, number: number, value: value))
  }
}
