// A server with OpenAI's batch interface: files, batches, and what comes of each request as a test says.

import FaultyServer
import Foundation
import JSON
import Servers
import Synchronization

final class BatchServer: Sendable {
  enum Call: String, CaseIterable, Sendable { case upload, create, list, state, content }

  /// What becomes of one request.
  enum Line: Sendable {
    case reply(JSON)
    /// In the file of errors.
    case status(Int, JSON)
    case error(String)
    /// A line that is cut short.
    case damaged
    case missing
  }

  struct State: Sendable {
    var files: [String: [JSON]] = [:]
    var contents: [String: String] = [:]
    /// The input file of each batch, and how often it was asked after.
    var batches: [String: (file: String, polls: Int)] = [:]
    var counts: [Call: Int] = [:]
    /// The uploads as they came.
    var uploads: [FaultyServer.Request] = []
    var bodies: [JSON] = []
  }

  struct Script: Sendable {
    /// How often a batch is under way when it is asked after.
    var polls = 2
    var line: @Sendable (_ body: JSON, _ batch: Int) -> Line = { body, _ in
      .reply(chatResponse(.string("to \(BatchServer.text(body))")))
    }
    /// In the order of the requests, as their text.
    var order: @Sendable ([String]) -> [String] = { $0 }
    /// In place of the right answer to a call, by how many there were of its kind.
    var fault: @Sendable (Call, Int) -> Answer? = { _, _ in nil }
    /// Whether what a call does is done, and its answer never comes; that of a file comes in part.
    var isLost: @Sendable (Call, Int) -> Bool = { _, _ in false }
    /// Another final object than that of a completed batch.
    var end: @Sendable (_ batch: String) -> [JSONObject.Member] = { _ in [] }
  }

  private let server: FaultyServer
  private let box: Box

  init(_ script: Script = Script()) throws {
    let box = Box()
    server = try FaultyServer { box.answer($0, script) }
    self.box = box
  }

  var url: String { server.url }
  var requests: [FaultyServer.Request] { server.requests }
  func count(_ call: Call) -> Int { box.state.withLock { $0.counts[call] ?? 0 } }
  var uploads: [FaultyServer.Request] { box.state.withLock { $0.uploads } }
  /// The requests of each file, in the order in which the files came.
  var files: [[JSON]] {
    box.state.withLock { state in state.files.keys.sorted().map { state.files[$0] ?? [] } }
  }
  var bodies: [JSON] { box.state.withLock { $0.bodies } }

  static func text(_ body: JSON) -> String {
    body["messages"]?.arrayValue?.last?["content"]?.stringValue ?? ""
  }

  private final class Box: Sendable {
    let state = Mutex(State())

    func answer(_ request: FaultyServer.Request, _ script: Script) -> Answer {
      let parts = request.target.split(separator: "?")[0].split(separator: "/").map(String.init)
      let call: Call
      switch (request.method, parts.count, parts.dropFirst().first) {
      case ("POST", 2, "files"): call = .upload
      case ("POST", 2, "batches"): call = .create
      case ("GET", 2, "batches"): call = .list
      case ("GET", 3, "batches"): call = .state
      case ("GET", 4, "files"): call = .content
      default: return .json(["error": ["message": "no such path"]], status: 404)
      }
      return state.withLock { state in
        let number = (state.counts[call] ?? 0) + 1
        state.counts[call] = number
        if let fault = script.fault(call, number) { return fault }
        let answer = answer(call, parts, request, script, &state)
        guard script.isLost(call, number) else { return answer }
        return call == .content ? answer.with(.cut(.body(1200))) : .hangUp
      }
    }

    private func answer(
      _ call: Call, _ parts: [String], _ request: FaultyServer.Request, _ script: Script, _ state: inout State
    ) -> Answer {
      switch call {
      case .upload:
        let id = "file-\(state.files.count + 1)"
        guard let lines = Self.lines(request) else {
          return .json(["error": ["message": "no form"]], status: 400)
        }
        state.uploads.append(request)
        state.files[id] = lines
        return .json(["id": .string(id), "object": "file", "purpose": "batch"])
      case .create:
        let id = "batch_\(state.batches.count + 1)"
        let file = request.json["input_file_id"]?.stringValue ?? ""
        guard state.files[file] != nil else { return .json(["error": ["message": "no file"]], status: 400) }
        state.bodies.append(request.json)
        state.batches[id] = (file, 0)
        return .json(object(id, state, status: "validating"))
      case .list:
        let batches = state.batches.keys.sorted().map { object($0, state, status: "in_progress") }
        return .json(["object": "list", "data": .array(batches)])
      case .state:
        let id = parts[2]
        guard let batch = state.batches[id] else {
          return .json(["error": ["message": "no batch"]], status: 404)
        }
        state.batches[id]?.polls += 1
        if batch.polls < script.polls { return .json(object(id, state, status: "in_progress")) }
        finish(id, script, &state)
        guard case .object(var done) = object(id, state, status: "completed") else { return .hangUp }
        done["output_file_id"] = .string("output-\(id)")
        if state.contents["errors-\(id)"] != nil { done["error_file_id"] = .string("errors-\(id)") }
        for (name, value) in script.end(id) { done[name] = value }
        return .json(.object(done))
      case .content:
        guard let text = state.contents[parts[2]] else {
          return .json(["error": ["message": "gone"]], status: 404)
        }
        return .text(text, headers: [("Content-Type", "application/octet-stream")])
      }
    }

    private func object(_ id: String, _ state: State, status: String) -> JSON {
      let batch = state.batches[id]
      let total = state.files[batch?.file ?? ""]?.count ?? 0
      return [
        "id": .string(id), "object": "batch", "status": .string(status), "errors": .null,
        "input_file_id": .string(batch?.file ?? ""), "output_file_id": .null, "error_file_id": .null,
        "request_counts": [
          "total": .int(Int64(total)), "completed": .int(Int64(min(batch?.polls ?? 0, total))), "failed": 0,
        ],
      ]
    }

    private func finish(_ id: String, _ script: Script, _ state: inout State) {
      let number = Int(id.dropFirst(6)) ?? 0
      var output: [String] = []
      var errors: [String] = []
      for request in state.files[state.batches[id]?.file ?? ""] ?? [] {
        let name = request["custom_id"] ?? .null
        func line(_ status: Int, _ body: JSON) -> String {
          let value: JSON = [
            "id": "x", "custom_id": name,
            "response": ["status_code": .int(Int64(status)), "request_id": "y", "body": body], "error": .null,
          ]
          return value.text()
        }
        switch script.line(request["body"] ?? .null, number) {
        case .reply(let body): output.append(line(200, body))
        case .status(let status, let body): errors.append(line(status, body))
        case .error(let code):
          let value: JSON = [
            "custom_id": name, "response": .null, "error": ["code": .string(code), "message": "not in time"],
          ]
          errors.append(value.text())
        case .damaged: output.append(String(line(200, chatResponse("lost")).dropLast(30)))
        case .missing: break
        }
      }
      state.contents["output-\(id)"] = script.order(output).map { $0 + "\n" }.joined()
      if !errors.isEmpty { state.contents["errors-\(id)"] = errors.joined(separator: "\n") }
    }

    /// The requests of an upload, strictly read.
    private static func lines(_ request: FaultyServer.Request) -> [JSON]? {
      let type = request.header("content-type") ?? ""
      let mark = "multipart/form-data; boundary="
      guard type.hasPrefix(mark) else { return nil }
      let boundary = type.dropFirst(mark.count)
      let text = "\r\n" + request.text
      let parts = text.components(separatedBy: "\r\n--\(boundary)")
      guard parts.count == 4, parts[0].isEmpty, parts[3] == "--\r\n",
        parts[1] == "\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch"
      else { return nil }
      let file = parts[2].components(separatedBy: "\r\n\r\n")
      guard file.count == 2, file[0].contains("name=\"file\"; filename=\"requests.jsonl\""),
        file[1].hasSuffix("\n")
      else { return nil }
      let lines = file[1].split(separator: "\n").map { try? JSON(parsing: String($0)) }
      return lines.contains { $0 == nil } ? nil : lines.compactMap { $0 }
    }
  }
}
