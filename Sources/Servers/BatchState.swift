// What a server says of a batch: OpenAI's object `batch`, and the lines of its files.

import HTTP
import JSON
import Runner
import System

struct BatchState {
  enum Status: String {
    case validating, finalizing, completed, failed, expired, cancelling, cancelled
    case inProgress = "in_progress"
  }

  let id: String
  /// Nil of a word that is not known, and of one under way.
  let status: Status?
  var done = 0
  var total: Int?
  var outputFile: String?
  var errorFile: String?
  /// Of one that failed: codes and messages.
  var errors: [(code: String?, message: String)] = []

  init(_ value: JSON) throws(ServerFailure) {
    let field = ResponseField(value)
    id = try Self.name(field.member("id"))
    status = Status(rawValue: try field.member("status").text())
    for name in ["output_file_id", "error_file_id"] {
      let file = try field.member(name)
      guard file.isThere, try !file.text().isEmpty else { continue }
      if name == "output_file_id" {
        outputFile = try Self.name(file)
      } else {
        errorFile = try Self.name(file)
      }
    }
    let counts = try field.member("request_counts")
    if counts.isThere, let total = try? counts.member("total").integer() {
      self.total = total
      done =
        ((try? counts.member("completed").integer()) ?? 0)
        .addingReportingOverflow((try? counts.member("failed").integer()) ?? 0).partialValue
    }
    for error in value["errors"]?["data"]?.arrayValue ?? [] {
      errors.append((error["code"]?.stringValue, error["message"]?.stringValue ?? error.text()))
    }
  }

  /// One that stands in an address as it is.
  static func name(_ field: ResponseField) throws(ServerFailure) -> String {
    let text = try field.text()
    let isName = text.utf8.allSatisfy {
      ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || "-_.:".utf8.contains($0)
    }
    guard isName, 1...256 ~= text.utf8.count, text != ".", text != ".." else {
      throw .unusable("`\(field.path)` is no name")
    }
    return text
  }
}

/// `{"custom_id": …, "response": {"status_code": …, "body": …}, "error": …}`
struct BatchLine {
  let key: ReplyJournal.Key
  /// As one that came alone.
  let result: Result<HTTPResponse, ServerFailure>

  /// The body of a response may be nested as deep as one that comes alone.
  private static let depth = 64 + 3

  /// Nil of a line that is none, which costs its request.
  init?(_ bytes: [UInt8], _ reader: ResponseReader) {
    let parsed = bytes.withUnsafeBytes { JSON.parsed($0, maximumDepth: Self.depth) }
    guard case .success(let line) = parsed,
      let digest = line["custom_id"]?.stringValue.flatMap({ Digest(hex: $0) })
    else { return nil }
    key = ReplyJournal.Key(digest: digest)
    if let response = line["response"], let status = response["status_code"]?.intValue {
      let body = Array((response["body"] ?? .null).text().utf8)
      result = .success(HTTPResponse(status: status, headers: [], body: body))
    } else {
      let error = line["error"]
      let words = [error?["code"]?.stringValue, error?["message"]?.stringValue].compactMap { $0 }
      result = .failure(
        ServerFailure(
          .busy, "no response",
          words.isEmpty
            ? "its line in the batch has no response"
            : "no response in the batch: \(reader.shown(words.joined(separator: ": ")))"))
    }
  }
}
