// MLflow's REST interface, as far as a run needs it. Source: mlflow.org, "REST API", version 2.0.

import HTTP
import JSON
import Runner
import System

/// What a server said that did not do what it was asked.
package struct MLflowError: Error, CustomStringConvertible {
  /// Nil where there was no answer.
  let status: Int?
  let message: String
  package var description: String { message }
}

/// A token is in the environment, as MLflow has it. Connections are kept between calls.
struct MLflowServer {
  /// `http://127.0.0.1:5000`
  let uri: String
  private let token: String?
  private let connections = Connections()

  private final class Connections {
    private var transfers: HTTPTransfers?

    /// - Throws: `HTTPFailure`.
    func response(to request: HTTPRequest) throws -> HTTPResponse {
      let transfers = try self.transfers ?? HTTPTransfers()
      self.transfers = transfers
      transfers.start(request, tag: 0)
      while true {
        if let outcome = transfers.next(within: 1000).first { return try outcome.result.get() }
      }
    }
  }

  private static let patience = HTTPRequest.Patience(connect: 5, firstByte: 30, whole: 30)
  private static let largestAnswer = 4 << 20

  init(uri: String) {
    self.uri = uri.hasSuffix("/") ? String(uri.dropLast()) : uri
    token = ChildProcess.ownEnvironment.first { $0.name == "MLFLOW_TRACKING_TOKEN" }?.value
  }

  /// - Throws: `MLflowError` with the server's words.
  func post(_ call: String, _ body: JSON) throws -> JSON {
    try answer("POST", "/api/2.0/mlflow/\(call)", body: .bytes(Array(body.text().utf8)))
  }

  /// Nil of what there is not.
  func get(_ call: String, _ query: (name: String, value: String)) throws -> JSON? {
    do {
      return try answer(
        "GET", "/api/2.0/mlflow/\(call)", query: "?\(query.name)=\(PercentEncoding.encoded(query.value))")
    } catch let error as MLflowError where error.status == 404 {
      return nil
    }
  }

  /// Where the server keeps artifacts itself, as it does by default.
  func upload(_ path: String, to artifact: String) throws {
    _ = try answer(
      "PUT", "/api/2.0/mlflow-artifacts/artifacts/\(artifact)", body: .file(path),
      type: "application/octet-stream")
  }

  private func answer(
    _ method: String, _ path: String, query: String = "", body: HTTPRequest.Body? = nil,
    type: String = "application/json"
  ) throws -> JSON {
    var headers = [(name: "Content-Type", value: type)]
    if let token { headers.append(("Authorization", "Bearer \(token)")) }
    let response: HTTPResponse
    do {
      response = try connections.response(
        to: HTTPRequest(
          method, uri + path + query, headers: headers, body: body, patience: Self.patience,
          largestBody: Self.largestAnswer))
    } catch let failure as HTTPFailure where failure.kind == .tooLarge {
      throw MLflowError(status: nil, message: "`\(uri)` sends without end")
    } catch let failure as HTTPFailure {
      throw MLflowError(status: nil, message: "`\(uri)` is not reached: \(failure)")
    }
    let answer = try? JSON(parsing: response.body)
    guard (200..<300).contains(response.status) else {
      let words = answer?["message"]?.stringValue ?? answer?["error_code"]?.stringValue
      throw MLflowError(
        status: response.status,
        message:
          "`\(uri)` answers \(path) with \(response.status)\(words.map { ": \($0.prefix(300))" } ?? "")")
    }
    return answer ?? .null
  }
}
