// The calls of OpenAI's batch interface: each is made again while the server may answer later.

import Glibc
import HTTP
import JSON
import Runner
import System

extension BatchRun {
  /// Beside the tags of jobs and that of the model's description.
  private static let tag = -2
  /// Bytes a second that an upload has at least.
  private static let slowestUpload = 50_000.0
  /// A line of a batch's files that is longer is no reply.
  private static let longestLine = 256 << 20

  var endpointPath: String {
    let address = run.model.endpoint.utf8
    let host = address.drop { $0 != UInt8(ascii: "/") }.dropFirst(2)
    return String(Substring(host.drop { $0 != UInt8(ascii: "/") }))
  }

  // MARK: - Calls

  /// - Returns: the server's name for the file.
  func upload(_ path: String, _ contentType: String) throws -> String {
    let bytes = FileStatus.of(path)?.size ?? 0
    let most = Double(bytes) / Self.slowestUpload
    let name = try retrying("the upload of a batch") {
      let value = try json("POST", "files", body: .file(path), contentType: contentType, atLeast: most)
      return try BatchState.name(ResponseField(value).member("id"))
    }
    guard let name else { throw noBatches("files") }
    return name
  }

  /// - Returns: the server's name for the batch.
  func create(_ file: String) throws -> String {
    let body: JSON = [
      "input_file_id": .string(file), "endpoint": .string(endpointPath), "completion_window": "24h",
    ]
    var isFirst = true
    let name = try retrying("a batch") {
      // An answer that was lost may have been that of a batch.
      if !isFirst, let name = try find(file) { return name }
      isFirst = false
      return try BatchState(json("POST", "batches", body: .bytes(Array(body.text().utf8)), isOnce: true)).id
    }
    guard let name else { throw noBatches("batches") }
    return name
  }

  /// The batch of a file of requests; nil where the server has none.
  func find(_ file: String) throws -> String? {
    let found: String?? = try retrying("the list of batches") {
      let batches = try ResponseField(json("GET", "batches?limit=100")).member("data").elements()
      for batch in batches where batch.value?["input_file_id"]?.stringValue == file {
        return try BatchState.name(batch.member("id"))
      }
      return nil
    }
    return found ?? nil
  }

  /// Nil where the server knows nothing of it.
  func state(_ batch: String) throws -> BatchState? {
    try retrying("batch `\(batch)`") { try BatchState(json("GET", "batches/\(batch)")) }
  }

  /// Gives each line of a file, and after a fault those before it once more.
  /// - Returns: false where the server knows nothing of it.
  func lines(of file: String, _ take: ([UInt8]) throws -> Void) throws -> Bool {
    let got: Void? = try retrying("file `\(file)`") {
      var line: [UInt8] = []
      var isTooLong = false
      let stream = HTTPStream(
        HTTPRequest(
          "GET", "\(run.model.url)/files/\(file)/content", headers: run.headers,
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

  // MARK: - Requests

  var reader: ResponseReader { ResponseReader(model: run.model, secret: run.secret, now: ServerGate.now()) }

  private func json(
    _ method: String, _ path: String, body: HTTPRequest.Body? = nil,
    contentType: String = "application/json", atLeast seconds: Double = 0, isOnce: Bool = false
  ) throws -> JSON {
    let limits = run.limits
    let type = body == nil ? [] : [(name: "Content-Type", value: contentType)]
    let request = HTTPRequest(
      method, "\(run.model.url)/\(path)", headers: type + run.headers, body: body,
      patience: HTTPRequest.Patience(
        connect: limits.connect, firstByte: max(limits.firstByte, seconds), whole: max(limits.whole, seconds))
    )
    return try reader.json(try send(request, isOnce: isOnce))
  }

  /// - Parameter isOnce: on a connection of its own: a request on one that was kept may be sent twice.
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
  private func retrying<T>(_ what: String, _ attempt: () throws -> T) throws -> T? {
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

  private func noBatches(_ path: String) -> RunError {
    run.ended("has no batches: nothing is at `\(run.model.url)/\(path)`; `mode: live` asks one by one")
  }
}
