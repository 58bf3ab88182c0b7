// Everything a server can do wrong, each with what is made of it.

import FaultyServer
import JSON
import Runner
import Servers
import System
import Testing

/// One server's behaviour towards one question.
struct Fault: CustomTestStringConvertible, Sendable {
  enum Expected: Sendable {
    /// This text, after so many requests.
    case reply(String, requests: Int)
    case finish(ServerReply.Finish, text: String)
    /// A failure of the question whose words hold these, after so many requests.
    case failure(String, requests: Int)
    /// The end of the run with exit 7, in words that hold these, after so many requests.
    case end(String, requests: Int)
  }
  let name: String
  /// One a request; the last again and again.
  let answers: [Answer]
  let expected: Expected
  var testDescription: String { name }

  init(_ name: String, _ answers: Answer..., expected: Expected) {
    (self.name, self.answers, self.expected) = (name, answers, expected)
  }
}

private let good = chatAnswer("fine")
private func json(_ text: String, status: Int = 200, _ headers: (String, String)...) -> Answer {
  .text(
    text, status: status,
    headers: headers.map { (name: $0.0, value: $0.1) } + [("Content-Type", "application/json")])
}
private func message(_ status: Int, _ text: String, type: String = "x", _ headers: (String, String)...)
  -> Answer
{
  .json(
    ["error": ["message": .string(text), "type": .string(type)]], status: status,
    headers: headers.map { (name: $0.0, value: $0.1) })
}
private let goodText = chatResponse("fine").text()
private func replaced(_ old: String, _ new: String) -> Answer {
  let parts = goodText.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
  precondition(parts.count == 2, "`\(old)` is not in the right response")
  return json("\(parts[0])\(new)\(parts[1])")
}

private let statuses = [
  Fault("429 then right", message(429, "slow down"), good, expected: .reply("fine", requests: 2)),
  Fault(
    "429 with Retry-After 0", message(429, "slow down", ("Retry-After", "0")), good,
    expected: .reply("fine", requests: 2)),
  Fault(
    "429 with a negative Retry-After", message(429, "slow down", ("Retry-After", "-5")), good,
    expected: .reply("fine", requests: 2)),
  Fault(
    "429 with Retry-After of a day", message(429, "slow down", ("Retry-After", "86400")), good,
    expected: .end("asks to be left alone for 86400 s", requests: 1)),
  Fault(
    "429 for good", message(429, "slow down"),
    expected: .end("answers no request: 3 tries, the last: HTTP 429: slow down", requests: 3)),
  Fault(
    "429 since the quota is used up", message(429, "no money", type: "insufficient_quota"), good,
    expected: .end("has no quota left", requests: 1)),
  Fault("402", message(402, "pay"), good, expected: .end("has no quota left", requests: 1)),
  Fault("408 then right", Answer(408), good, expected: .reply("fine", requests: 2)),
  Fault("409 then right", Answer(409), good, expected: .reply("fine", requests: 2)),
  Fault("425 then right", Answer(425), good, expected: .reply("fine", requests: 2)),
  Fault("500 then right", message(500, "oops"), good, expected: .reply("fine", requests: 2)),
  Fault(
    "502 with a web page then right", .text("<html>Bad gateway</html>", status: 502), good,
    expected: .reply("fine", requests: 2)),
  Fault("503 then right", message(503, "Loading model"), good, expected: .reply("fine", requests: 2)),
  Fault(
    "503 with Retry-After then right", message(503, "later", ("Retry-After", "0.05")), good,
    expected: .reply("fine", requests: 2)),
  Fault("529 then right", message(529, "overloaded"), good, expected: .reply("fine", requests: 2)),
  Fault(
    "503 for good", message(503, "later"), expected: .end("answers no request: 3 tries", requests: 3)),
  Fault(
    "400", message(400, "temperature must be at most 2"),
    expected: .failure("HTTP 400: temperature must be at most 2", requests: 1)),
  Fault("413", Answer(413), expected: .failure("HTTP 413", requests: 1)),
  Fault(
    "422", json(#"{"detail":"no such field"}"#, status: 422), expected: .failure("no such field", requests: 1)
  ),
  Fault("501", Answer(501), expected: .failure("HTTP 501", requests: 1)),
  Fault("401", message(401, "bad key"), expected: .end("refuses a request without a key", requests: 1)),
  Fault("403", message(403, "not you"), expected: .end("refuses a request without a key", requests: 1)),
  Fault(
    "404", message(404, "no such model"),
    expected: .end("has no model `tiny`, or nothing at all, at", requests: 1)),
  Fault("204 without a body", Answer(204), good, expected: .reply("fine", requests: 2)),
  Fault(
    "307 to another host", .redirect(to: "http://127.0.0.2:1/v1", status: 307),
    expected: .end("sends requests on to `http://127.0.0.2:1/v1`", requests: 1)),
]

private let bodies = [
  Fault(
    "200 with an overload inside", message(200, "busy", type: "overloaded_error"), good,
    expected: .reply("fine", requests: 2)),
  Fault(
    "200 with a wrong request inside", message(200, "bad", type: "invalid_request_error"),
    expected: .failure("has an error inside: bad", requests: 1)),
  Fault(
    "200 with an error of unknown kind inside", json(#"{"error":"CUDA out of memory"}"#),
    expected: .failure("has an error inside: CUDA out of memory", requests: 3)),
  Fault(
    "200 with a status inside", json(#"{"error":{"code":503,"message":"loading"}}"#), good,
    expected: .reply("fine", requests: 2)),
  Fault(
    "200 with a web page", .text("<!doctype html><p>Log in", headers: [("Content-Type", "text/html")]),
    expected: .failure("is a web page and no JSON: <!doctype html><p>Log in", requests: 3)),
  Fault("an empty body", json(""), good, expected: .reply("fine", requests: 2)),
  Fault("an empty body for good", json(""), expected: .failure("the response is empty", requests: 3)),
  Fault(
    "JSON that ends early", json(String(goodText.dropLast(9))),
    expected: .failure("the response is not JSON", requests: 3)),
  Fault(
    "text behind the JSON", json(goodText + "x"), expected: .failure("unexpected text after", requests: 3)),
  Fault(
    "a number for a response", json("3"),
    expected: .failure("the response is an integer; expected an object", requests: 3)),
  Fault(
    "invalid UTF-8",
    Answer(
      200, body: .bytes(Array(#"{"choices":[{"message":{"content":""#.utf8) + [0xFF] + Array(#""}}]}"#.utf8))),
    expected: .failure("not valid UTF-8", requests: 3)),
  Fault("a lone surrogate", replaced("fine", #"\ud800"#), expected: .failure("lone surrogate", requests: 3)),
  Fault(
    "a key twice", replaced(#""id":"x""#, #""id":"x","id":"y""#),
    expected: .failure("duplicate key `id`", requests: 3)),
  Fault("NaN", replaced("7", "NaN"), expected: .failure("expected a value, found `N`", requests: 3)),
  Fault(
    "nested too deeply", json(String(repeating: "[", count: 100_000)),
    expected: .failure("nested deeper", requests: 3)),
  Fault("no choices", json("{}"), expected: .failure("`choices` is missing; expected a list", requests: 3)),
  Fault(
    "choices that are none", json(#"{"choices":[]}"#), expected: .failure("`choices` is empty", requests: 3)),
  Fault(
    "choices of a wrong type", json(#"{"choices":{}}"#),
    expected: .failure("`choices` is an object", requests: 3)),
  Fault(
    "a choice of a wrong type", json(#"{"choices":["x"]}"#),
    expected: .failure("`choices[0]` is a string; expected an object", requests: 3)),
  Fault(
    "a message of a wrong type", json(#"{"choices":[{"message":"x"}]}"#),
    expected: .failure("`choices[0].message` is a string", requests: 3)),
  Fault(
    "no message", json(#"{"choices":[{"index":0}]}"#),
    expected: .failure("`choices[0].message` is missing", requests: 3)),
  Fault(
    "content of a wrong type", .json(chatResponse(3)),
    expected: .failure("`choices[0].message.content` is an integer; expected text", requests: 3)),
  Fault(
    "content that is null", .json(chatResponse(nil)),
    expected: .failure("`choices[0].message.content` is missing", requests: 3)),
  Fault(
    "a finish reason of a wrong type", .json(chatResponse("fine", finish: 3)),
    expected: .failure("`choices[0].finish_reason` is an integer", requests: 3)),
  Fault(
    "the model's name of a wrong type", replaced(#""tiny-1""#, "3"),
    expected: .failure("`model` is an integer; expected text", requests: 3)),
  Fault(
    "a refusal", .json(chatResponse(nil, message: [("refusal", "I cannot")])),
    expected: .finish(.refusal, text: "I cannot")),
  Fault(
    "filtered content", .json(chatResponse("", finish: "content_filter")),
    expected: .finish(.refusal, text: "")),
  Fault(
    "cut while thinking", .json(chatResponse(nil, finish: "length")), expected: .finish(.length, text: "")),
  Fault(
    "a call of a tool", .json(chatResponse(nil, finish: "tool_calls")),
    expected: .finish(.other("tool_calls"), text: "")),
  Fault(
    "an unknown finish reason", .json(chatResponse("fine", finish: "tired")),
    expected: .finish(.other("tired"), text: "fine")),
  Fault(
    "no finish reason", .json(chatResponse("fine", finish: nil)),
    expected: .finish(.other("no finish reason"), text: "fine")),
  Fault(
    "content in parts",
    .json(chatResponse([["type": "text", "text": "fi"], ["type": "text", "text": "ne"]])),
    expected: .reply("fine", requests: 1)),
  Fault(
    "two choices out of order",
    json(
      #"{"choices":[{"index":1,"message":{"content":"no"}},{"index":0,"message":{"content":"fine"},"finish_reason":"stop"}]}"#
    ), expected: .reply("fine", requests: 1)),
  Fault("no usage", .json(chatResponse("fine", usage: nil)), expected: .reply("fine", requests: 1)),
  Fault(
    "negative usage", .json(chatResponse("fine", usage: ["prompt_tokens": -7, "completion_tokens": 3])),
    expected: .reply("fine", requests: 1)),
  Fault(
    "usage beyond all measure",
    .json(chatResponse("fine", usage: ["prompt_tokens": 9_223_372_036_854_775_807, "completion_tokens": 3])),
    expected: .reply("fine", requests: 1)),
  Fault(
    "usage of a wrong type", .json(chatResponse("fine", usage: "much")), expected: .reply("fine", requests: 1)
  ),
  Fault(
    "an error that is null", replaced(#""id":"x""#, #""error":null"#), expected: .reply("fine", requests: 1)),
  Fault(
    "the wrong content type", .text(goodText, headers: [("Content-Type", "text/plain")]),
    expected: .reply("fine", requests: 1)),
]

private let transports = [
  Fault("compressed", good.gzipped(), expected: .reply("fine", requests: 1)),
  Fault("chunked", good.framed(.chunked(3)), expected: .reply("fine", requests: 1)),
  Fault(
    "until the connection's end", good.framed(.untilEnd).closing(), expected: .reply("fine", requests: 1)),
  Fault("a slow drip", good.paced(bytes: 64, milliseconds: 2), expected: .reply("fine", requests: 1)),
  Fault("hung up before the head", .hangUp, good, expected: .reply("fine", requests: 2)),
  Fault("cut in the head", good.with(.cut(.response(9))), good, expected: .reply("fine", requests: 2)),
  Fault("cut behind the head", good.with(.cut(.body(0))), good, expected: .reply("fine", requests: 2)),
  Fault("cut in the body", good.with(.cut(.body(20))), good, expected: .reply("fine", requests: 2)),
  Fault(
    "cut in a chunk", good.framed(.chunked(8)).with(.cut(.body(20))), good,
    expected: .reply("fine", requests: 2)),
  Fault("reset", good.with(.reset(.body(20))), good, expected: .reply("fine", requests: 2)),
  Fault("no HTTP", .raw(Array("hello\r\n\r\n".utf8)), good, expected: .reply("fine", requests: 2)),
  Fault("no response in time", .silence, good, expected: .reply("fine", requests: 2)),
  Fault("a stalled body", good.with(.stall(.body(20))), good, expected: .reply("fine", requests: 2)),
  Fault(
    "cut for good", good.with(.cut(.body(20))), expected: .end("stays away: 3 tries", requests: 3)),
  Fault(
    "100 MB", Answer(200, body: .repeated(0x20, count: 100_000_000)), expected: .failure("", requests: 1)),
  Fault(
    "no HTTP for good", .raw(Array("hello\r\n\r\n".utf8)),
    expected: .end("stays away: 3 tries", requests: 3)),
  Fault("closed after each response", good.closing(), expected: .reply("fine", requests: 1)),
]

@Suite struct FaultTests {
  @Test(arguments: statuses + bodies + transports)
  func `a fault is answered as it should be`(_ fault: Fault) throws {
    let server = try FaultyServer { request in
      fault.answers[min(request.number, fault.answers.count) - 1]
    }
    var asking = Asking(server.url)
    asking.model.limits.firstByte = 0.3
    asking.model.limits.whole = 1.5
    let asked = asking.ask("how are you?")
    let count = server.requestCount
    switch fault.expected {
    case .reply(let text, let requests):
      #expect(
        asked.reply(0)?.text == text,
        "\(String(describing: asked.outcomes)) \(String(describing: asked.error))")
      #expect(asked.error == nil)
      #expect(count == requests)
    case .finish(let finish, let text):
      #expect(asked.reply(0)?.finish == finish, "\(String(describing: asked.outcomes))")
      #expect(asked.reply(0)?.text == text)
      #expect(count == 1)
    case .failure(let words, let requests):
      #expect(asked.failure(0)?.description.contains(words) != nil)
      let description = asked.failure(0)?.description ?? ""
      #expect(words.isEmpty || description.contains(words), "\(description)")
      #expect(asked.error == nil, "\(String(describing: asked.error))")
      #expect(count == requests)
    case .end(let words, let requests):
      #expect(asked.runError?.exitCode == .remote)
      let description = asked.runError?.description ?? ""
      #expect(description.contains(words), "\(description)")
      #expect(count == requests)
      #expect(asked.outcomes.isEmpty)
    }
    // What failed is asked again by the next run; what came is not.
    let entries = try ReplyJournal.summaries(inStore: asking.folder.path).reduce(0) { $0 + $1.entries }
    #expect(entries == (asked.reply(0) == nil ? 0 : 1))
  }
}
