// A server with Anthropic's message batches: what comes of each request as a test says, and batches of somebody else beside ours.

import FaultyServer
import JSON
import Servers
import Synchronization

final class MessageBatchServer: Sendable {
  enum Call: String, CaseIterable, Sendable { case create, list, state, results }

  /// What becomes of one request.
  enum Line: Sendable {
    case message(JSON)
    case errored(type: String, String)
    case expired
    case cancelled
    /// A line that is cut short.
    case damaged
    case missing
  }

  struct Batch: Sendable {
    let id: String
    /// As they came: `custom_id` and `params`.
    let requests: [JSON]
    var polls = 0
    var lines: [String] = []
    var counts: [String: Int] = [:]
    var isEnded = false
  }

  struct State: Sendable {
    /// In the order in which they were created.
    var batches: [Batch] = []
    var counts: [Call: Int] = [:]
    var bodies: [FaultyServer.Request] = []
  }

  struct Script: Sendable {
    /// How often a batch is under way when it is asked after.
    var polls = 2
    /// - Parameter batch: its number, from 1.
    var line: @Sendable (_ params: JSON, _ batch: Int) -> Line = { params, _ in
      .message(messageResponse("to \(BatchServer.text(params))"))
    }
    /// In the order of the requests, as their text.
    var order: @Sendable ([String]) -> [String] = { $0 }
    /// In place of the right answer to a call, by how many there were of its kind.
    var fault: @Sendable (Call, Int) -> Answer? = { _, _ in nil }
    /// Whether what a call does is done, and its answer never comes; results come in part.
    var isLost: @Sendable (Call, Int) -> Bool = { _, _ in false }
    /// Whether a call never reaches the server, and gets no answer.
    var isDropped: @Sendable (Call, Int) -> Bool = { _, _ in false }
    /// What is said of where results are.
    var resultsURL: @Sendable (_ batch: String) -> JSON = { _ in .null }
    /// Requests of somebody else's batch, that is created before ours is.
    var others: @Sendable (Call, Int) -> [String]? = { _, _ in nil }
    /// Batches on a page of the list at most.
    var page = 1000
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
  /// The calls that created a batch of ours.
  var creations: [FaultyServer.Request] { box.state.withLock { $0.bodies } }
  /// How many requests each of our batches has.
  var sizes: [Int] { creations.map { $0.json["requests"]?.arrayValue?.count ?? -1 } }

  private final class Box: Sendable {
    let state = Mutex(State())

    func answer(_ request: FaultyServer.Request, _ script: Script) -> Answer {
      let target = request.target.split(separator: "?", maxSplits: 1).map(String.init)
      let parts = target[0].split(separator: "/").map(String.init)
      guard parts.starts(with: ["v1", "messages", "batches"]) else {
        return error(404, "not_found_error", "no such path")
      }
      let call: Call
      switch (request.method, parts.count) {
      case ("POST", 3): call = .create
      case ("GET", 3): call = .list
      case ("GET", 4): call = .state
      case ("GET", 5) where parts[4] == "results": call = .results
      default: return error(404, "not_found_error", "no such path")
      }
      guard request.header("anthropic-version") == "2023-06-01" else {
        return error(400, "invalid_request_error", "no version")
      }
      return state.withLock { state in
        let number = (state.counts[call] ?? 0) + 1
        state.counts[call] = number
        if let others = script.others(call, number) {
          let requests = others.map { name -> JSON in ["custom_id": .string(name), "params": [:]] }
          add(requests, &state)
        }
        if let fault = script.fault(call, number) { return fault }
        if script.isDropped(call, number) { return .hangUp }
        let answer = answer(call, parts, target.count > 1 ? target[1] : "", request, script, &state)
        guard script.isLost(call, number) else { return answer }
        return call == .results ? answer.with(.cut(.body(900))) : .hangUp
      }
    }

    private func error(_ status: Int, _ type: String, _ message: String) -> Answer {
      .json(
        ["type": "error", "error": ["type": .string(type), "message": .string(message)]], status: status)
    }

    private func add(_ requests: [JSON], _ state: inout State) {
      state.batches.append(Batch(id: "msgbatch_\(state.batches.count + 1)", requests: requests))
    }

    private func answer(
      _ call: Call, _ parts: [String], _ query: String, _ request: FaultyServer.Request, _ script: Script,
      _ state: inout State
    ) -> Answer {
      switch call {
      case .create:
        guard request.header("content-type") == "application/json",
          request.json.objectValue?.members.map(\.key) == ["requests"],
          let requests = request.json["requests"]?.arrayValue, !requests.isEmpty,
          requests.allSatisfy(isRequest),
          Set(requests.map { $0["custom_id"]?.stringValue }).count == requests.count
        else { return error(400, "invalid_request_error", "not as it should be") }
        state.bodies.append(request)
        add(requests, &state)
        return .json(object(state.batches[state.batches.count - 1], script))
      case .list: return list(query, script, state)
      case .state:
        guard let index = state.batches.firstIndex(where: { $0.id == parts[3] }) else {
          return error(404, "not_found_error", "no such batch")
        }
        if state.batches[index].polls >= script.polls { end(&state.batches[index], index + 1, script) }
        state.batches[index].polls += 1
        return .json(object(state.batches[index], script))
      case .results:
        guard let batch = state.batches.first(where: { $0.id == parts[3] }), batch.isEnded else {
          return error(404, "not_found_error", "no results")
        }
        let text = batch.lines.map { $0 + "\n" }.joined()
        return .text(text, headers: [("Content-Type", "application/x-jsonl")])
      }
    }

    private func isRequest(_ request: JSON) -> Bool {
      let name = request["custom_id"]?.stringValue ?? ""
      let isName = name.utf8.allSatisfy {
        ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || "-_".utf8.contains($0)
      }
      return request.objectValue?.members.map(\.key) == ["custom_id", "params"] && isName
        && 1...64 ~= name.utf8.count && request["params"]?["max_tokens"]?.intValue != nil
    }

    /// The newest first.
    private func list(_ query: String, _ script: Script, _ state: State) -> Answer {
      var rest = Array(state.batches.reversed())
      var limit = 20
      for pair in query.split(separator: "&") {
        let words = pair.split(separator: "=").map(String.init)
        if words[0] == "limit" { limit = Int(words[1]) ?? 0 }
        if words[0] == "after_id" { rest = Array(rest.drop { $0.id != words[1] }.dropFirst()) }
      }
      let page = rest.prefix(min(limit, script.page))
      return .json([
        "data": .array(page.map { object($0, script) }), "has_more": .bool(page.count < rest.count),
        "first_id": page.first.map { .string($0.id) } ?? .null,
        "last_id": page.last.map { .string($0.id) } ?? .null,
      ])
    }

    private func object(_ batch: Batch, _ script: Script) -> JSON {
      func count(_ name: String) -> JSON { .int(Int64(batch.counts[name] ?? 0)) }
      return [
        "id": .string(batch.id), "type": "message_batch",
        "processing_status": batch.isEnded ? "ended" : "in_progress",
        "request_counts": [
          "processing": .int(Int64(batch.isEnded ? 0 : batch.requests.count)),
          "succeeded": count("succeeded"), "errored": count("errored"), "canceled": count("canceled"),
          "expired": count("expired"),
        ],
        "created_at": "2026-01-01T00:00:00Z",
        "results_url": batch.isEnded ? script.resultsURL(batch.id) : .null,
      ]
    }

    private func end(_ batch: inout Batch, _ number: Int, _ script: Script) {
      guard !batch.isEnded else { return }
      batch.isEnded = true
      for request in batch.requests {
        func add(_ type: String, _ member: (name: String, value: JSON)? = nil) {
          var result = JSONObject([("type", .string(type))])
          if let member { result[member.name] = member.value }
          let line: JSON = ["custom_id": request["custom_id"] ?? .null, "result": .object(result)]
          batch.counts[type, default: 0] += 1
          batch.lines.append(line.text())
        }
        switch script.line(request["params"] ?? .null, number) {
        case .message(let message): add("succeeded", ("message", message))
        case .errored(let type, let words):
          let error: JSON = [
            "type": "error", "error": ["type": .string(type), "message": .string(words)],
            "request_id": "req_1",
          ]
          add("errored", ("error", error))
        case .expired: add("expired")
        case .cancelled: add("canceled")
        case .damaged:
          add("succeeded", ("message", messageResponse("lost")))
          batch.lines[batch.lines.count - 1].removeLast(30)
        case .missing: batch.counts["succeeded", default: 0] += 1
        }
      }
      batch.lines = script.order(batch.lines)
    }
  }
}

/// A right response of `messages`.
func messageResponse(_ text: String) -> JSON {
  [
    "id": "msg_1", "type": "message", "role": "assistant", "model": "tiny-1",
    "content": [["type": "text", "text": .string(text)]], "stop_reason": "end_turn",
    "stop_sequence": .null, "usage": ["input_tokens": 7, "output_tokens": 3],
  ]
}
