// The calls of batch interfaces: each is made again while the server may answer later.

import Experiments
import Glibc
import HTTP
import JSON
import System

struct BatchCalls {
  let run: AskRun
  let interface: any BatchInterface.Type
  let checkpoint: () throws -> Void

  /// Beside the tags of jobs and that of the model's description.
  private static let tag = -2
  /// Bytes a second that what is handed over has at least.
  private static let slowestUpload = 50_000.0
  /// A line of a batch's results that is longer is no reply.
  private static let longestLine = 256 << 20

  // MARK: - Batches

  /// - Parameters:
  ///   - mark: written down in the record.
  ///   - taken: batches of other records.
  func create(_ record: BatchRecord, mark: String, except taken: Set<String>) throws -> BatchRecord.Batch {
    var isFirst = true
    let batch = try retrying("a batch") {
      // An answer that was lost may have been that of a batch.
      if !isFirst, let batch = try interface.find(record, mark: mark, except: taken, self) { return batch }
      isFirst = false
      let body = interface.creation(record, mark: mark, run.model)
      let state = try interface.state(json("POST", interface.path, body: body, isOnce: true))
      return BatchRecord.Batch(name: state.id, isCertain: true)
    }
    guard let batch else { throw noBatches(at: interface.path) }
    return batch
  }

  /// Nil where the server knows nothing of it.
  func state(_ batch: String) throws -> BatchState? {
    try retrying("batch `\(batch)`") { try interface.state(json("GET", "\(interface.path)/\(batch)")) }
  }

  // MARK: - Requests

  var reader: ResponseReader { ResponseReader(model: run.model, secret: run.secret, now: ServerGate.now()) }

  /// Gives each line of what is at a path, and after a fault those before it once more.
  /// - Returns: false where the server knows nothing of it.
  func lines(of path: String, _ take: ([UInt8]) throws -> Void) throws -> Bool {
    let got: Void? = try retrying("`\(path)`") {
      var line: [UInt8] = []
      var isTooLong = false
      let stream = HTTPStream(
        HTTPRequest(
          "GET", "\(run.model.url)/\(path)", headers: run.headers,
          patience: HTTPRequest.Patience(
            connect: run.limits.connect, firstByte: run.limits.firstByte, whole: 86_400),
          largestBody: 1 << 40))
      let response: HTTPResponse
      do {
        response = try stream.run(checkpoint: checkpoint) { bytes in
          var rest = bytes[...]
          while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            if !isTooLong { try take(line + rest[..<end]) }
            (line, isTooLong) = ([], false)
            rest = rest[(end + 1)...]
          }
          isTooLong = isTooLong || line.count + rest.count > Self.longestLine
          if isTooLong { line = [] } else { line += rest }
        }
      } catch let failure as HTTPFailure {
        throw reader.failure(failure)
      }
      guard 200..<300 ~= response.status else { throw reader.status(response) }
      if !line.isEmpty { try take(line) }
    }
    return got != nil
  }

  /// - Parameter isOnce: on a connection of its own: a request on one that was kept may be sent twice.
  /// - Throws: `ServerFailure` where there is no answer; what the checkpoint throws.
  func json(
    _ method: String, _ path: String, body: HTTPRequest.Body? = nil,
    contentType: String = "application/json", isOnce: Bool = false
  ) throws -> JSON {
    let limits = run.limits
    let type = body == nil ? [] : [(name: "Content-Type", value: contentType)]
    var seconds = 0.0
    if case .file(let path) = body { seconds = Double(FileStatus.of(path)?.size ?? 0) / Self.slowestUpload }
    let request = HTTPRequest(
      method, "\(run.model.url)/\(path)", headers: type + run.headers, body: body,
      patience: HTTPRequest.Patience(
        connect: limits.connect, firstByte: max(limits.firstByte, seconds), whole: max(limits.whole, seconds))
    )
    return try reader.json(try send(request, isOnce: isOnce))
  }

  private func send(_ request: HTTPRequest, isOnce: Bool) throws -> Result<HTTPResponse, HTTPFailure> {
    guard let transfers = isOnce ? try? HTTPTransfers() : run.transfers else {
      preconditionFailure("a call before the run was opened")
    }
    var isEnded = false
    transfers.start(request, tag: Self.tag)
    defer { if !isEnded { transfers.cancel(Self.tag) } }
    while true {
      for outcome in transfers.next(within: 200) where outcome.tag == Self.tag {
        isEnded = true
        return outcome.result
      }
      try checkpoint()
    }
  }

  /// - Parameter attempt: throws `ServerFailure` where there is no answer.
  /// - Returns: nil where the server has nothing there.
  func retrying<T>(_ what: String, _ attempt: () throws -> T) throws -> T? {
    let attempts = run.limits.attempts
    var tries = 0
    while true {
      if let pause = try run.gate?.pause(), pause > 0 { try wait(pause) }
      do { return try attempt() } catch let failure as ServerFailure {
        tries += 1
        run.asker.totals.failedRequests += 1
        switch failure.kind {
        case .hopeless(.missing): return nil
        case .hopeless(let reason): throw run.hopeless(reason, failure)
        case .rejected: throw run.ended("refuses \(what): \(failure)")
        case .busy, .unreachable, .unusable: break
        }
        guard tries < attempts else {
          throw run.ended("stays away: \(tries) tries at \(what), the last: \(failure)")
        }
        let asked = failure.wait ?? 0
        guard asked <= run.limits.longestPause else {
          throw run.ended("asks to be left alone for \(run.amount(asked.rounded(.up))) s (\(failure))")
        }
        let pause = max(run.asker.options.backoff.seconds(0, tries: tries), asked)
        run.asker.totals.retried += 1
        run.notes.retry(failure, wait: pause, tries: tries + 1, of: attempts)
        try wait(pause)
      }
    }
  }

  /// With the checkpoint five times a second.
  func wait(_ seconds: Double) throws {
    let end = monotonicSeconds() + seconds
    while true {
      try checkpoint()
      let left = end - monotonicSeconds()
      guard left > 0 else { return }
      usleep(UInt32(max(1, min(left, 0.2) * 1e6)))
    }
  }

  func noBatches(at path: String) -> RunError {
    run.ended("has no batches: nothing is at `\(run.model.url)/\(path)`; `mode: live` asks one by one")
  }
}
