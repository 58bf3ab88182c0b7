// What the tests ask with, and what they expect of a failure.

import FaultyServer
import HTTP
import Testing

/// One request on connections of its own.
func outcome(of request: HTTPRequest, within seconds: Double = 30) throws -> Result<HTTPResponse, HTTPFailure>
{
  try outcome(of: request, on: HTTPTransfers(), within: seconds)
}

func outcome(of request: HTTPRequest, on transfers: HTTPTransfers, within seconds: Double = 30) throws
  -> Result<HTTPResponse, HTTPFailure>
{
  transfers.start(request, tag: 7)
  for _ in 0..<Int(seconds * 5) {
    if let outcome = transfers.next(within: 200).first {
      #expect(outcome.tag == 7 && transfers.count == 0)
      return outcome.result
    }
  }
  Issue.record("no outcome of \(request.url) within \(seconds) s")
  throw HTTPFailure(.other, "none")
}

func response(to request: HTTPRequest) throws -> HTTPResponse { try outcome(of: request).get() }

/// Nil of a success, which is recorded.
func failure(of request: HTTPRequest) throws -> HTTPFailure? {
  switch try outcome(of: request) {
  case .success(let response):
    Issue.record("\(request.url) gave \(response.status), \(response.body.count) bytes")
    return nil
  case .failure(let failure): return failure
  }
}

extension HTTPResponse {
  var text: String { String(decoding: body, as: UTF8.self) }
}
