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
  func answerEach(threads: Int, _ answer: @Sendable (Line) throws -> JSON) throws {
    try readBlocks { bytes, lines, first in
      let answers = try mapConcurrently(lines.count, threads: threads) { index in
        Result { try answer(line(first + index, bytes[lines[index]])).text() }
      }
      var output = ""
      for found in answers {
        switch found {
        case .success(let text): output += text + "\n"
        case .failure(let error):
          // What was answered before a wrong line is kept.
          try standardOutput(output)
          throw error
        }
      }
      try standardOutput(output)
    }
  }

  func readEach(_ body: (Line) throws -> Void) throws {
    try readBlocks { bytes, lines, first in
      for (index, range) in lines.enumerated() { try body(line(first + index, bytes[range])) }
    }
  }

  /// Calls `body` with bytes, the lines in them, and the number of the first of these.
  private func readBlocks(_ body: ([UInt8], [Range<Int>], Int) throws -> Void) throws {
    var bytes: [UInt8] = []
    var number = 1
    try file.readBlocks { block in
      // What is left of the block before has no line end.
      var position = bytes.count
      var start = 0
      var lines: [Range<Int>] = []
      bytes += block
      while let end = bytes[position...].firstIndex(of: 0x0A) {
        lines.append(start..<end)
        start = end + 1
        position = start
      }
      if !lines.isEmpty { try body(bytes, lines, number) }
      number += lines.count
      bytes.removeSubrange(..<start)
      guard bytes.count <= Self.mostBytes else {
        throw RunError(.input, "`\(name)`: line \(number): longer than \(Self.mostBytes) bytes")
      }
    }
    if !bytes.isEmpty { try body(bytes, [bytes.indices], number) }
  }

  private func line(_ number: Int, _ bytes: ArraySlice<UInt8>) throws -> Line {
    do {
      return Line(source: name, number: number, value: try bytes.withUnsafeBytes { try JSON(parsing: $0) })
    } catch let error as JSONError {
      throw RunError(
        .input, "`\(name)`: line \(number): not JSON: byte \(error.offset + 1) of the line: \(error.message)")
    }
  }
}
