// From a response over HTTP to a reply, or to why there is none.

import Experiments
import HTTP
import JSON
import System

struct ResponseReader {
  let model: ServerModel
  /// The key's value with the name of its variable: taken out of all that is kept or shown.
  let secret: (name: String, value: String)?
  /// The clock, in seconds since 1970.
  let now: Double

  typealias Reading = (response: JSON, reply: ServerReply)

  func read(_ result: Result<HTTPResponse, HTTPFailure>) -> Result<Reading, ServerFailure> {
    do throws(ServerFailure) {
      let json = try json(result)
      return .success((json, try reply(json)))
    } catch {
      return .failure(error)
    }
  }

  /// Of a response that is no reply, or not yet one.
  func json(_ result: Result<HTTPResponse, HTTPFailure>) throws(ServerFailure) -> JSON {
    switch result {
    case .failure(let failure): throw self.failure(failure)
    case .success(let response):
      guard 200..<300 ~= response.status else { throw status(response) }
      let json = try json(response)
      if let failure = errorInside(json, response) { throw failure }
      return json
    }
  }

  private func reply(_ json: JSON) throws(ServerFailure) -> ServerReply {
    do { return try model.serverInterface.reply(json, model) } catch {
      var failure = error
      failure.usage = model.serverInterface.usage(json)
      throw failure
    }
  }

  private func json(_ response: HTTPResponse) throws(ServerFailure) -> JSON {
    let bytes = cleaned(response.body)
    let parsed = bytes.withUnsafeBytes { JSON.parsed($0) }
    switch parsed {
    case .success(let json): return json
    case .failure(let error):
      if bytes.isEmpty { throw .unusable("the response is empty") }
      if isPage(response) { throw .unusable("the response is a web page and no JSON: \(excerpt(bytes))") }
      throw .unusable("the response is not JSON: \(error): \(excerpt(bytes))")
    }
  }

  private func isPage(_ response: HTTPResponse) -> Bool {
    response.header("content-type")?.lowercased().contains("html") == true
      || response.body.first { $0 > 0x20 } == UInt8(ascii: "<")
  }

  // MARK: - Failures

  func failure(_ failure: HTTPFailure) -> ServerFailure {
    let text = shown(failure.description)
    switch failure.kind {
    case .noLibrary: return ServerFailure(.hopeless(.noLibrary), "no libcurl", text)
    case .badAddress, .tls, .tooManyRedirects:
      return ServerFailure(.hopeless(.address), "address", text)
    case .tooLarge: return ServerFailure(.rejected, "too large", text)
    case .notFound: return ServerFailure(.unreachable, "host not found", text)
    case .refused: return ServerFailure(.unreachable, "connection refused", text)
    case .connectTimeout: return ServerFailure(.unreachable, "no connection in time", text)
    case .firstByteTimeout, .wholeTimeout:
      var timeout = ServerFailure(.unreachable, "no response in time", text)
      timeout.isOverload = true
      return timeout
    case .cut: return ServerFailure(.unreachable, "connection cut", text)
    case .other: return ServerFailure(.unreachable, "no response", text)
    }
  }

  func status(_ response: HTTPResponse) -> ServerFailure {
    let error = (try? json(response)).flatMap(ErrorInside.init)
    let said =
      error.map { shown($0.message) }
      ?? (response.body.isEmpty || isPage(response) ? "" : excerpt(cleaned(response.body)))
    return failure(
      response.status, said.isEmpty ? "HTTP \(response.status)" : "HTTP \(response.status): \(said)", error,
      response)
  }

  private func failure(
    _ status: Int, _ description: String, _ error: ErrorInside?, _ response: HTTPResponse
  ) -> ServerFailure {
    switch status {
    case 300..<400:
      let target = response.header("location").map { " to \(quoted(shown($0)))" } ?? ""
      return ServerFailure(
        .hopeless(.address), "\(status)",
        "the server sends requests on\(target), where they do not follow, since the key would go along; write that address"
      )
    case 401, 403: return ServerFailure(.hopeless(.key), "\(status)", description)
    case 402: return ServerFailure(.hopeless(.quota), "\(status)", description)
    case 404, 405, 410: return ServerFailure(.hopeless(.missing), "\(status)", description)
    case 429 where error?.isQuota == true:
      return ServerFailure(.hopeless(.quota), "\(status)", description)
    case 501, 505: return ServerFailure(.rejected, "\(status)", description)
    case 408, 409, 425, 429, 500...:
      var busy = ServerFailure(.busy, "\(status)", description)
      busy.wait = RetryAfter.seconds(response, now: now)
      busy.isOverload = status == 429 || status == 503 || status == 529 || error?.isOverload == true
      return busy
    default: return ServerFailure(.rejected, "\(status)", description)
    }
  }

  /// A response that says of an error, though its status says of none.
  private func errorInside(_ json: JSON, _ response: HTTPResponse) -> ServerFailure? {
    guard let error = ErrorInside(json) else { return nil }
    let text = "the response has an error inside: \(shown(error.message))"
    if let status = error.status { return failure(status, text, error, response) }
    return .unusable(text)
  }

  // MARK: - What is shown

  private static let shortestSecret = 8

  /// Without the key, which a server may repeat.
  private func cleaned(_ bytes: [UInt8]) -> [UInt8] {
    // What is shorter is no secret, and stands in every text.
    guard let secret, secret.value.utf8.count >= Self.shortestSecret,
      bytes.firstRange(of: secret.value) != nil
    else { return bytes }
    return bytes.replacing(secret.value, with: secret.name)
  }

  /// Bounded, without secrets and without what disturbs a terminal.
  func shown(_ text: String) -> String {
    let bytes = cleaned(Array(text.utf8))
    return excerpt(bytes)
  }

  private func excerpt(_ bytes: [UInt8]) -> String {
    // Masked before it is cut: half a key has no shape.
    let text = SecretText.masked(String(decoding: bytes.prefix(1 << 14), as: UTF8.self))
    return TerminalText.line(text, columns: 300)
  }
}

extension [UInt8] {
  /// Where a text first stands.
  fileprivate func firstRange(of text: String, from start: Int = 0) -> Range<Int>? {
    guard !text.isEmpty else { return nil }
    return withUnsafeBytes { bytes in
      var text = text
      return text.withUTF8 { wanted in
        bytes.firstRange(of: UnsafeRawBufferPointer(wanted), from: start)
      }
    }
  }

  fileprivate func replacing(_ text: String, with name: String) -> [UInt8] {
    var result: [UInt8] = []
    var start = 0
    while let range = firstRange(of: text, from: start) {
      result += self[start..<range.lowerBound]
      result += "[\(name)]".utf8
      start = range.upperBound
    }
    return result + self[start...]
  }
}

/// The `error` of a response, in the forms in which servers write it.
private struct ErrorInside {
  let message: String
  /// The type and the code, in lower case.
  private let names: [String]
  private let number: Int?

  /// Nil where there is none.
  init?(_ json: JSON) {
    guard let object = json.objectValue else { return nil }
    let error = object["error"].flatMap { $0.isNull ? JSON?.none : $0 }
    // FastAPI's and vLLM's own: `{"detail": …}`, `{"object": "error", "message": …}`.
    let isError = object["object"]?.stringValue == "error" || object["type"]?.stringValue == "error"
    guard error != nil || isError || object["detail"] != nil && object.count == 1 else { return nil }
    let place = error ?? json
    names = ["type", "code", "status"].compactMap { place[$0]?.stringValue?.lowercased() }
    number = place["code"]?.intValue ?? place["status"]?.intValue
    message =
      place.stringValue ?? place["message"]?.stringValue ?? place["detail"]?.stringValue ?? place.text()
  }

  private func has(_ parts: String...) -> Bool {
    names.contains { name in parts.contains { name.contains($0) } }
  }

  var isQuota: Bool { has("insufficient_quota", "billing", "credit") }
  var isOverload: Bool { has("rate_limit", "overloaded", "too_many", "resource_exhausted") || number == 429 }

  /// The status that says the same; nil where nobody knows.
  var status: Int? {
    if let number, 300..<600 ~= number { return number }
    if let text = names.compactMap({ Int($0) }).first, 300..<600 ~= text { return text }
    if isQuota { return 402 }
    if isOverload { return 429 }
    if has("overload", "unavailable") { return 503 }
    if has("timeout", "server_error", "api_error", "internal") { return 500 }
    if has("authentication", "permission", "invalid_api_key", "unauthenticated") { return 401 }
    if has("not_found") { return 404 }
    if has("invalid", "bad_request", "badrequest", "too_large", "content_policy") { return 400 }
    return nil
  }
}
