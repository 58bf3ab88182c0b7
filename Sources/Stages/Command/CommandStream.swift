// A program that reads rows on standard input and answers each on standard output, driven row by row: every answer is
// journaled when it comes, so that a crash loses at most the rows in flight, and rows may be cut into shards.

import Glibc
import JSON
import Runner
import System

struct CommandStream: RowStage {
  static let declaration = CommandStage.declaration
  static func declaration(for options: JSON) -> StageDeclaration { CommandStage.declaration(for: options) }
  static let rowsPort = "rows"

  func itemCount(of row: Row, options: StageOptions) -> Int { 1 }

  /// The row with the answer's columns, the row's own first.
  func assemble(_ row: Row, results: [JSON], options: StageOptions) -> Row? {
    var row = row
    // What is said of a prompt goes with it.
    if results.first?["prompt"] != nil { row[ModelText.literalsColumn] = nil }
    for (name, value) in results.first?.objectValue?.members ?? [] { row[name] = value }
    return row
  }

  func process(_ items: [RowItem], context: StageContext, emit: (RowItem, JSON) throws -> Void) throws {
    let program = try Program(context)
    let questions = try Pipe()
    let answers = try Pipe()
    var ends = Ends(writing: questions.writing, reading: answers.reading)
    defer { ends.close() }
    let process: ChildProcess
    do {
      defer { for end in [questions.reading, answers.writing] { Glibc.close(end) } }
      process = try program.start(descriptors: [questions.reading, answers.writing, 2])
    }
    let output = CommandStage.declaration(for: context.options.json).outputs.first
    var reader = AnswerReader(
      items, columns: output?.columns ?? [], samples: output?.samples ?? [], program: program.name)
    do {
      try exchange(items, &ends, context) { try reader.take($0, emit) }
      ends.close()
      let ending = try program.waitForEnd(of: process, context)
      guard ending == .exited(0) else {
        throw RunError(
          .stageFailed,
          "\(program.describe(ending)) after \(reader.count) of \(items.count) rows; finished rows are kept")
      }
      try reader.checkComplete()
    } catch {
      if process.ending() == nil { program.stop(process) }
      throw error
    }
  }

  /// Until it has closed its standard output.
  private func exchange(
    _ items: [RowItem], _ ends: inout Ends, _ context: StageContext, _ take: ([UInt8]) throws -> Void
  ) throws {
    var next = 0
    var pending: ArraySlice<UInt8> = []
    var partial: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while ends.reading >= 0 {
      try context.checkCancellation()
      if pending.isEmpty, next < items.count {
        pending = Array((items[next].row.columns.text() + "\n").utf8)[...]
        next += 1
      }
      if pending.isEmpty { ends.closeWriting() }
      var waits = [pollfd(fd: ends.reading, events: Int16(POLLIN), revents: 0)]
      if ends.writing >= 0 { waits.append(pollfd(fd: ends.writing, events: Int16(POLLOUT), revents: 0)) }
      if poll(&waits, nfds_t(waits.count), 100) < 0, errno != EINTR {
        throw SystemError("wait for", "a program", code: errno)
      }
      if waits.count > 1, waits[1].revents != 0 {
        let count = pending.withUnsafeBytes { write(ends.writing, $0.baseAddress, $0.count) }
        if count > 0 {
          pending = pending.dropFirst(count)
        } else if count < 0, errno != EAGAIN, errno != EINTR {
          // It reads no more; whether it answered all is seen at its end.
          ends.closeWriting()
          pending = []
          next = items.count
        }
      }
      guard waits[0].revents != 0 else { continue }
      let count = read(ends.reading, &buffer, buffer.count)
      if count > 0 {
        partial += buffer[..<count]
        while let newline = partial.firstIndex(of: 0x0A) {
          try take(Array(partial[..<newline]))
          partial.removeSubrange(...newline)
        }
      } else if count == 0 {
        if !partial.isEmpty { try take(partial) }
        ends.closeReading()
      } else if errno != EAGAIN, errno != EINTR {
        throw SystemError("read from", "a program", code: errno)
      }
    }
  }
}

/// Our ends of its pipes; -1 once closed.
private struct Ends {
  private(set) var writing: Int32
  private(set) var reading: Int32

  init(writing: Int32, reading: Int32) {
    self.writing = writing
    self.reading = reading
    for end in [writing, reading] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
  }

  mutating func closeWriting() {
    if writing >= 0 { Glibc.close(writing) }
    writing = -1
  }

  mutating func closeReading() {
    if reading >= 0 { Glibc.close(reading) }
    reading = -1
  }

  mutating func close() {
    closeWriting()
    closeReading()
  }
}

/// Checks each answer and hands it on.
struct AnswerReader {
  private var open: [UTF8Key: RowItem] = [:]
  private var answered: [UTF8Key: Int] = [:]
  private let items: [RowItem]
  private let columns: [String]
  private let samples: [String]
  private let program: String
  private var line = 0

  var count: Int { answered.count }

  /// `samples`: columns with one entry per generation of the row.
  init(_ items: [RowItem], columns: [String], samples: [String] = [], program: String) {
    self.items = items
    self.columns = columns
    self.samples = samples
    self.program = program
    for item in items { open[UTF8Key(item.row.id)] = item }
  }

  /// - Throws: `RunError` naming the line and the rule.
  mutating func take(_ bytes: [UInt8], _ emit: (RowItem, JSON) throws -> Void) throws {
    line += 1
    if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return }
    let value: JSON
    do { value = try JSON(parsing: bytes) } catch let error as JSONError {
      let shown = String(decoding: bytes.prefix(60), as: UTF8.self)
      throw wrong(
        "is not JSON: \(error.message) (column \(error.column)): `\(shown)\(bytes.count > 60 ? "…" : "")`")
    }
    guard case .object(var object) = value else { throw wrong("is not an object but \(value.kind)") }
    guard let id = object["id"]?.stringValue else { throw wrong("has no string `id`") }
    if let earlier = answered[UTF8Key(id)] { throw wrong("answers row `\(id)` again, after line \(earlier)") }
    guard let item = open[UTF8Key(id)] else { throw wrong("answers row `\(id)`, which it was not given") }
    object["id"] = nil
    for column in columns + samples where object[column] == nil {
      throw wrong("lacks the column `\(column)` for row `\(id)`")
    }
    let generations = (object["generations"] ?? item.row["generations"])?.arrayValue
    for column in samples {
      guard let values = object[column]?.arrayValue, values.count == generations?.count else {
        let found =
          object[column]?.arrayValue.map { "\($0.count) entries" } ?? object[column]?.kind ?? "nothing"
        throw wrong(
          "has \(found) in `\(column)` for row `\(id)`; expected a list of \(generations?.count ?? 0), one entry per generation"
        )
      }
    }
    answered[UTF8Key(id)] = line
    try emit(item, .object(object))
  }

  func checkComplete() throws {
    guard let missing = items.first(where: { answered[UTF8Key($0.row.id)] == nil }) else { return }
    throw RunError(
      .stageFailed,
      "\(program) ended with status 0 but did not answer \(items.count - answered.count) of \(items.count) rows; the first is `\(missing.row.id)`"
    )
  }

  private func wrong(_ what: String) -> RunError {
    RunError(.stageFailed, "line \(line) of the standard output of \(program) \(what)")
  }
}
