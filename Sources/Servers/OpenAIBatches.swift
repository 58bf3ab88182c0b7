// OpenAI's batches: a file of requests is uploaded, a batch is made of it, and results come as files.

import Experiments
import HTTP
import JSON
import System

enum OpenAIBatches: BatchInterface {
  static let path = "batches"
  static let mostRequests = 50_000
  static let mostBytes = 100_000_000

  // MARK: - Requests

  /// A form with the file inside.
  static func frame(first: ReplyJournal.Key) -> BatchUpload.Frame {
    let boundary = boundary(first)
    return BatchUpload.Frame(
      head:
        "--\(boundary)\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"requests.jsonl\"\r\nContent-Type: application/jsonl\r\n\r\n",
      separator: "\n", tail: "\n\r\n--\(boundary)--\r\n")
  }

  /// No line of JSON holds a carriage return, so none can end the part before its end; and none holds its own digest.
  private static func boundary(_ first: ReplyJournal.Key) -> String {
    "requests-\(Digest.of(text: first.digest.hex).hex.prefix(32))"
  }

  static func request(_ key: ReplyJournal.Key, _ body: JSON, _ model: ServerModel) -> JSON {
    [
      "custom_id": .string(key.digest.hex), "method": "POST", "url": .string(endpointPath(model)),
      "body": body,
    ]
  }

  /// `/v1/chat/completions`
  private static func endpointPath(_ model: ServerModel) -> String {
    let host = model.endpoint.utf8.drop { $0 != UInt8(ascii: "/") }.dropFirst(2)
    return String(Substring(host.drop { $0 != UInt8(ascii: "/") }))
  }

  // MARK: - Creation

  /// Uploads the file, whose name is the mark: each batch says of which file it is.
  static func prepare(_ record: BatchRecord, _ calls: BatchCalls) throws -> String {
    let type = record.requests.first.map { "multipart/form-data; boundary=\(boundary($0.key))" } ?? ""
    let name = try calls.retrying("the upload of a batch") {
      let file = try calls.json("POST", "files", body: .file(record.uploadPath), contentType: type)
      return try BatchState.name(ResponseField(file).member("id"))
    }
    guard let name else { throw calls.noBatches(at: "files") }
    return name
  }

  static func creation(_ record: BatchRecord, mark: String, _ model: ServerModel) -> HTTPRequest.Body {
    let body: JSON = [
      "input_file_id": .string(mark), "endpoint": .string(endpointPath(model)), "completion_window": "24h",
    ]
    return .bytes(Array(body.text().utf8))
  }

  static func find(_ record: BatchRecord, mark: String, except: Set<String>, _ calls: BatchCalls) throws
    -> BatchRecord.Batch?
  {
    let found: BatchRecord.Batch?? = try calls.retrying("the list of batches") {
      let batches = try ResponseField(calls.json("GET", "\(path)?limit=100")).member("data").elements()
      for batch in batches where batch.value?["input_file_id"]?.stringValue == mark {
        return BatchRecord.Batch(name: try BatchState.name(batch.member("id")), isCertain: true)
      }
      return nil
    }
    return found ?? nil
  }

  // MARK: - State and results

  static func state(_ batch: JSON) throws(ServerFailure) -> BatchState {
    let field = ResponseField(batch)
    var state = BatchState(id: try BatchState.name(field.member("id")))
    for name in ["output_file_id", "error_file_id"] {
      let file = try field.member(name)
      guard file.isThere, try !file.text().isEmpty else { continue }
      state.results.append("files/\(try BatchState.name(file))/content")
    }
    let counts = try field.member("request_counts")
    if counts.isThere, let total = try? counts.member("total").integer() {
      state.total = total
      state.done =
        ((try? counts.member("completed").integer()) ?? 0)
        .addingReportingOverflow((try? counts.member("failed").integer()) ?? 0).partialValue
    }
    switch try field.member("status").text() {
    case "completed": state.phase = .completed
    case "expired": state.phase = .expired
    case "cancelled": state.phase = .cancelled
    case "failed":
      let errors = batch["errors"]?["data"]?.arrayValue ?? []
      state.phase = .failed(
        errors.map { ($0["code"]?.stringValue, $0["message"]?.stringValue ?? $0.text()) })
    // A word that is not known is one of a batch under way.
    default: state.phase = .underWay
    }
    return state
  }

  /// `{"custom_id": …, "response": {"status_code": …, "body": …}, "error": …}`
  static func response(_ line: JSON, _ reader: ResponseReader) -> Result<HTTPResponse, ServerFailure> {
    if let response = line["response"], let status = response["status_code"]?.intValue {
      let body = Array((response["body"] ?? .null).text().utf8)
      return .success(HTTPResponse(status: status, headers: [], body: body))
    }
    let error = line["error"]
    let words = [error?["code"]?.stringValue, error?["message"]?.stringValue].compactMap { $0 }
    return .failure(
      ServerFailure(
        .busy, "no response",
        words.isEmpty
          ? "its line in the batch has no response"
          : "no response in the batch: \(reader.shown(words.joined(separator: ": ")))"))
  }
}
