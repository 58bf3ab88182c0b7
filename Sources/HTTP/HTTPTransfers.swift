// Requests under way, many at once, on connections that are kept. Used by one thread.

import CCurl
import System

/// A request on a kept connection that ends before a byte of a response came is sent once more, on a new one: a server that closes
/// a connection which was idle cannot be told from one that fails.
package final class HTTPTransfers {
  package typealias Outcome = (tag: Int, result: Result<HTTPResponse, HTTPFailure>)

  private let multi: OpaquePointer
  private let environment: NetworkEnvironment
  private var underWay: [OpaquePointer: Transfer] = [:]
  private var handles: [Int: OpaquePointer] = [:]
  private var ended: [Outcome] = []
  /// Handles for the next requests.
  private var idle: [OpaquePointer] = []
  /// No deadline of one under way is before it.
  private var nextDeadline = Double.infinity
  /// What a stream's function threw.
  private(set) var thrown: (any Error)?

  private static let keptConnections = 256

  /// - Throws: `HTTPFailure` (`noLibrary`).
  package convenience init() throws { try self.init(environment: NetworkEnvironment()) }

  init(environment: NetworkEnvironment) throws {
    try CurlLibrary.open()
    guard let multi = ccurl_multi_new() else { throw HTTPFailure(.other, "there is no memory for requests") }
    (self.multi, self.environment) = (multi, environment)
    ccurl_multi_set_number(multi, CCURL_MULTI_OPTION_KEPT_CONNECTIONS, Self.keptConnections)
  }

  deinit {
    for (easy, _) in underWay {
      ccurl_multi_remove(multi, easy)
      ccurl_easy_free(easy)
    }
    for easy in idle { ccurl_easy_free(easy) }
    ccurl_multi_free(multi)
  }

  /// Under way, or finished and not yet handed out by `next`.
  package var count: Int { underWay.count + ended.count }

  /// Begins a request. The tag names it in `next`; two under way must not have the same.
  package func start(_ request: HTTPRequest, tag: Int) { start(request, tag: tag, sink: .response) }

  func start(
    _ request: HTTPRequest, tag: Int, sink: Transfer.Sink, slowest: (bytes: Int, seconds: Int)? = nil
  ) {
    precondition(handles[tag] == nil, "a request with the tag \(tag) is under way")
    guard let easy = idle.popLast() ?? ccurl_easy_new() else {
      ended.append((tag, .failure(HTTPFailure(.other, "there is no memory for a request"))))
      return
    }
    begin(
      Transfer(request, tag: tag, easy: easy, environment: environment, sink: sink, slowest: slowest))
  }

  private func begin(_ transfer: Transfer) {
    var failure = transfer.prepare()
    if failure == nil {
      let code = ccurl_multi_add(multi, transfer.easy)
      if code != 0 { failure = HTTPFailure(.other, String(cString: ccurl_multi_message(code))) }
    }
    if let failure {
      idle.append(transfer.easy)
      ended.append((transfer.tag, .failure(failure)))
      return
    }
    underWay[transfer.easy] = transfer
    handles[transfer.tag] = transfer.easy
    nextDeadline = min(nextDeadline, transfer.deadline)
  }

  /// Those that have ended, in the order in which they did; waits at most so long for the first, and not at all where none is under way.
  package func next(within milliseconds: Int) -> [Outcome] { next(within: milliseconds, before: nil) }

  /// - Parameter descriptor: when it can be read, the wait is over too.
  func next(within milliseconds: Int, before descriptor: Int32?) -> [Outcome] {
    let end = monotonicSeconds() + Double(milliseconds) / 1000
    var isLast = false
    while true {
      go()
      if !ended.isEmpty || underWay.isEmpty || isLast { break }
      let left = max(0, min(end, nextDeadline) - monotonicSeconds())
      let code = ccurl_multi_wait(multi, descriptor ?? -1, Int32(min(left * 1000 + 1, 1000)))
      if code != 0 { failAll(code) }
      isLast = monotonicSeconds() >= end || descriptor != nil
    }
    defer { ended = [] }
    return ended
  }

  /// Ends a request that is under way, without an outcome.
  package func cancel(_ tag: Int) {
    ended.removeAll { $0.tag == tag }
    if let easy = handles[tag] { _ = remove(easy) }
  }

  private func go() {
    if !underWay.isEmpty {
      let code = ccurl_multi_perform(multi)
      if code != 0 { failAll(code) }
    }
    var code: Int32 = 0
    while let easy = ccurl_multi_ended(multi, &code) {
      guard let transfer = remove(easy, isReused: false) else { continue }
      switch transfer.outcome(code) {
      case .sentOn: begin(transfer)
      case .ended(let result):
        idle.append(easy)
        ended.append((transfer.tag, result))
      case .threw(let error):
        idle.append(easy)
        thrown = error
      }
    }
    let now = monotonicSeconds()
    guard now >= nextDeadline else { return }
    for transfer in underWay.values.filter({ $0.deadline <= now }).sorted(by: { $0.tag < $1.tag }) {
      _ = remove(transfer.easy)
      ended.append((transfer.tag, .failure(transfer.lateness)))
    }
    // Of those that have begun since, it is later than it was.
    nextDeadline = underWay.values.map(\.deadline).min() ?? .infinity
  }

  private func remove(_ easy: OpaquePointer, isReused: Bool = true) -> Transfer? {
    guard let transfer = underWay.removeValue(forKey: easy) else { return nil }
    handles[transfer.tag] = nil
    ccurl_multi_remove(multi, easy)
    if isReused { idle.append(easy) }
    return transfer
  }

  /// Of a library that has run out of something.
  private func failAll(_ code: Int32) {
    let failure = HTTPFailure(.other, String(cString: ccurl_multi_message(code)))
    for transfer in underWay.values.sorted(by: { $0.tag < $1.tag }) {
      _ = remove(transfer.easy)
      ended.append((transfer.tag, .failure(failure)))
    }
  }
}
