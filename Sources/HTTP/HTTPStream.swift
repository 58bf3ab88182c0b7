// One body that is handed on as it comes, such as a file that is fetched.

import System

package struct HTTPStream {
  /// In the request the limit of the body counts from the offset, and how long it may take in all is as it says there.
  package var request: HTTPRequest
  /// Asks for the bytes from there on.
  package var offset: Int
  /// A response that brings fewer bytes a second for so many seconds is given up (`wholeTimeout`).
  package var slowest: (bytes: Int, seconds: Int)

  package init(_ request: HTTPRequest, from offset: Int = 0, slowest: (bytes: Int, seconds: Int) = (1000, 60))
  { (self.request, self.offset, self.slowest) = (request, offset, slowest) }

  /// Waits until all of it was handed on. The body is not expanded where it is compressed: bytes are what the server keeps.
  /// - Parameters:
  ///   - signals: one that comes ends it.
  ///   - checkpoint: called several times a second; what it throws ends it.
  ///   - take: gets the bytes of a response with status 200, or 206 behind an offset, that begins there; of any other it gets none.
  /// - Returns: the response without its body. Status 200 to a request with an offset: the server does not give parts.
  /// - Throws: `HTTPFailure`; `RunError` when a signal came; what `take` throws, which ends it.
  package func run(
    stoppedBy signals: SignalDescriptor? = nil, checkpoint: () throws -> Void = {},
    _ take: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> HTTPResponse {
    var request = request
    if offset > 0 { request.headers.append(("Range", "bytes=\(offset)-")) }
    return try withoutActuallyEscaping(take) { take in
      let transfers = try HTTPTransfers()
      transfers.start(
        request, tag: 0, sink: .stream(from: offset, take: take), slowest: slowest)
      while true {
        let outcomes = transfers.next(within: 200, before: signals?.descriptor)
        try checkpoint()
        if let signal = signals?.next() { throw RunError.stopped(by: signal) }
        if let thrown = transfers.thrown { throw thrown }
        for outcome in outcomes { return try outcome.result.get() }
      }
    }
  }
}
