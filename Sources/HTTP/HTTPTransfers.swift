// Requests under way, many at once, on connections that are kept. Used by one thread.

package final class HTTPTransfers {
  package typealias Outcome = (tag: Int, result: Result<HTTPResponse, HTTPFailure>)

  /// - Throws: `HTTPFailure` (`noLibrary`).
  package init() throws {}

  /// Under way, or finished and not yet handed out by `next`.
  package private(set) var count = 0

  /// Begins a request. The tag names it in `next`; two under way must not have the same.
  package func start(_ request: HTTPRequest, tag: Int) { preconditionFailure("not built yet") }

  /// Those that have ended, in the order in which they did; waits at most so long for the first, and not at all where none is under way.
  package func next(within milliseconds: Int) -> [Outcome] { [] }

  /// Ends a request that is under way, without an outcome.
  package func cancel(_ tag: Int) {}
}
