// MLflow's REST interface, as far as a run needs it. Source: mlflow.org, "REST API", version 2.0.

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

/// Speaks by curl, which is there for fetching models; a token is in the environment, as MLflow has it, and reaches curl by its standard
/// input alone.
struct MLflowServer: Sendable {
  /// `http://127.0.0.1:5000`
  let uri: String
  private let token: String?

  /// Seconds to reach it, and for a whole answer.
  private static let patience = (connect: 5, whole: 30)

  init(uri: String) {
    self.uri = uri.hasSuffix("/") ? String(uri.dropLast()) : uri
    token = ChildProcess.ownEnvironment.first { $0.name == "MLFLOW_TRACKING_TOKEN" }?.value
  }

  /// - Throws: `MLflowError` with the server's words.
  func post(_ call: String, _ body: JSON) throws -> JSON {
    try answer(["request = \"POST\"", "data-binary = \(quoted(body.text()))"], "/api/2.0/mlflow/\(call)")
  }

  /// Nil of what there is not.
  func get(_ call: String, _ query: (name: String, value: String)) throws -> JSON? {
    do {
      return try answer(
        ["get", "data-urlencode = \(quoted("\(query.name)=\(query.value)"))"], "/api/2.0/mlflow/\(call)")
    } catch let error as MLflowError where error.status == 404 {
      return nil
    }
  }

  /// Where the server keeps artifacts itself, as it does by default.
  func upload(_ path: String, to artifact: String) throws {
    _ = try answer(
      ["upload-file = \(quoted(path))"], "/api/2.0/mlflow-artifacts/artifacts/\(artifact)",
      type: "application/octet-stream")
  }

  private func answer(_ options: [String], _ path: String, type: String = "application/json") throws -> JSON {
    var lines = options + ["url = \(quoted(uri + path))", "header = \(quoted("Content-Type: \(type)"))"]
    if let token { lines.append("header = \(quoted("Authorization: Bearer \(token)"))") }
    var output: [UInt8] = []
    let (ending, errors) = try ChildProcess.stream(
      "curl",
      arguments: [
        "--disable", "--silent", "--show-error", "--connect-timeout", "\(Self.patience.connect)",
        "--max-time",
        "\(Self.patience.whole)", "--max-redirs", "0", "--proto", "=http,https", "--config", "-",
        "--write-out", "\n%{http_code}",
      ], environment: ChildProcess.ownEnvironment, input: lines.joined(separator: "\n") + "\n"
    ) { bytes in
      guard output.count < 1 << 22 else {
        throw MLflowError(status: nil, message: "`\(uri)` sends without end")
      }
      output += bytes
    }
    guard ending == .exited(0) else {
      let words = errors.split(separator: "\n").last.map(String.init) ?? "curl gave no message"
      throw MLflowError(status: nil, message: "`\(uri)` is not reached: \(words)")
    }
    let end = output.lastIndex(of: UInt8(ascii: "\n")) ?? 0
    let status = Int(String(decoding: output[output.index(after: end)...], as: UTF8.self)) ?? 0
    let body = try? JSON(parsing: Array(output[..<end]))
    guard (200..<300).contains(status) else {
      let words = body?["message"]?.stringValue ?? body?["error_code"]?.stringValue
      throw MLflowError(
        status: status,
        message: "`\(uri)` answers \(path) with \(status)\(words.map { ": \($0.prefix(300))" } ?? "")")
    }
    return body ?? .null
  }

  /// As curl's configuration has texts.
  private func quoted(_ text: String) -> String {
    "\""
      + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
      .replacing(
        "\r", with: "\\r") + "\""
  }
}
