// Lines to a program's standard input and lines from its standard output, both at once.

import Experiments
import Glibc
import System

extension Program {
  /// Starts it, writes it a line for each question and hands on each line that it answers, until it has ended.
  /// - Parameters:
  ///   - question: without the end of its line.
  ///   - take: an answer, without it.
  ///   - progress: how far it came, for the error of one that fails: "3 of 8 rows".
  /// - Throws: `RunError` when it ends with a failure, `CancellationError`, and what `question` and `take` throw.
  func exchange(
    count: Int, question: (Int) throws -> String, _ context: StageContext, take: ([UInt8]) throws -> Void,
    progress: () -> String
  ) throws {
    let questions = try Pipe()
    let answers = try Pipe()
    var ends = Ends(writing: questions.writing, reading: answers.reading)
    defer { ends.close() }
    let process: ChildProcess
    do {
      defer { for end in [questions.reading, answers.writing] { Glibc.close(end) } }
      process = try start(descriptors: [questions.reading, answers.writing, 2])
    }
    do {
      try talk(&ends, count: count, question: question, context, take)
      ends.close()
      let ending = try waitForEnd(of: process, context)
      guard ending == .exited(0) else {
        throw RunError(.stageFailed, "\(describe(ending)) after \(progress())")
      }
    } catch {
      if process.ending() == nil { stop(process) }
      throw error
    }
  }

  /// Until it has closed its standard output.
  private func talk(
    _ ends: inout Ends, count: Int, question: (Int) throws -> String, _ context: StageContext,
    _ take: ([UInt8]) throws -> Void
  ) throws {
    var next = 0
    var pending: ArraySlice<UInt8> = []
    var partial: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while ends.reading >= 0 {
      try context.checkCancellation()
      if pending.isEmpty, next < count {
        pending = Array((try question(next) + "\n").utf8)[...]
        next += 1
      }
      if pending.isEmpty { ends.closeWriting() }
      var waits = [pollfd(fd: ends.reading, events: Int16(POLLIN), revents: 0)]
      if ends.writing >= 0 { waits.append(pollfd(fd: ends.writing, events: Int16(POLLOUT), revents: 0)) }
      if poll(&waits, nfds_t(waits.count), 100) < 0, errno != EINTR {
        throw SystemError("wait for", "a program", code: errno)
      }
      if waits.count > 1, waits[1].revents != 0 {
        let written = pending.withUnsafeBytes { write(ends.writing, $0.baseAddress, $0.count) }
        if written > 0 {
          pending = pending.dropFirst(written)
        } else if written < 0, errno != EAGAIN, errno != EINTR {
          // It reads no more; whether it answered all is seen at its end.
          ends.closeWriting()
          pending = []
          next = count
        }
      }
      guard waits[0].revents != 0 else { continue }
      let received = read(ends.reading, &buffer, buffer.count)
      if received > 0 {
        partial += buffer[..<received]
        while let newline = partial.firstIndex(of: 0x0A) {
          try take(Array(partial[..<newline]))
          partial.removeSubrange(...newline)
        }
      } else if received == 0 {
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
