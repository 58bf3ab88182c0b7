// Anthropic's message batches: the call that creates one has its requests, and its results are one stream of lines.

import Experiments
import HTTP
import JSON

enum MessageBatches: BatchInterface {
  static let path = "messages/batches"
  static let mostRequests = 100_000
  /// Below the 256 MB that it takes.
  static let mostBytes = 250_000_000

  // MARK: - Requests

  static func frame(first: ReplyJournal.Key) -> BatchUpload.Frame {
    BatchUpload.Frame(head: "{\"requests\":[", separator: ",\n", tail: "]}")
  }

  static func request(_ key: ReplyJournal.Key, _ body: JSON, _ model: ServerModel) -> JSON {
    ["custom_id": .string(key.digest.hex), "params": body]
  }

  // MARK: - Creation

  /// The mark is the newest batch that is there; empty where there is none.
  static func prepare(_ record: BatchRecord, _ calls: BatchCalls) throws -> String {
    let newest = try calls.retrying("the list of batches") {
      let batches = try ResponseField(calls.json("GET", "\(path)?limit=1")).member("data").elements()
      return try batches.first.map { try BatchState.name($0.member("id")) } ?? ""
    }
    guard let newest else { throw calls.noBatches(at: path) }
    return newest
  }

  static func creation(_ record: BatchRecord, mark: String, _ model: ServerModel) -> HTTPRequest.Body {
    .file(record.uploadPath)
  }

  /// Nothing of what a batch is created from stands in the list of batches, so it is looked for among those that are newer than the
  /// mark, whatever the clocks say, and have as many requests. The results of one that has ended say whose it is. One under way says
  /// nothing, and is waited for: that costs time if it is another's, where a second batch would cost money if it is ours.
  static func find(_ record: BatchRecord, mark: String, except: Set<String>, _ calls: BatchCalls) throws
    -> BatchRecord.Batch?
  {
    let candidates = try newer(than: mark, calls).filter {
      $0.total == record.requests.count && !except.contains($0.id)
    }
    var guess: BatchRecord.Batch?
    // The oldest is the nearest to the mark.
    for candidate in candidates.reversed() {
      if case .underWay = candidate.phase {
        guess = guess ?? BatchRecord.Batch(name: candidate.id, isCertain: false)
      } else if try isOf(record, candidate, calls) {
        return BatchRecord.Batch(name: candidate.id, isCertain: true)
      }
    }
    return guess
  }

  /// The newest first, as the server lists them.
  private static func newer(than mark: String, _ calls: BatchCalls) throws -> [BatchState] {
    var batches: [BatchState] = []
    while true {
      let cursor = batches.last.map { "&after_id=\($0.id)" } ?? ""
      let page = try calls.retrying("the list of batches") {
        let page = try ResponseField(calls.json("GET", "\(path)?limit=1000\(cursor)"))
        let states = try page.member("data").elements().map { try state($0.value ?? .null) }
        return (states: states, hasMore: page.value?["has_more"]?.boolValue == true)
      }
      // A server that gives the same page again would give it for good.
      guard let page, let last = page.states.last, last.id != batches.last?.id else { return batches }
      batches += page.states.prefix { $0.id != mark }
      guard page.hasMore, batches.last?.id == last.id else { return batches }
    }
  }

  /// Thrown by whoever has read enough.
  private struct Answer: Error { let isOurs: Bool }

  private static func isOf(_ record: BatchRecord, _ batch: BatchState, _ calls: BatchCalls) throws -> Bool {
    let keys = Set(record.requests.map(\.key))
    do {
      for results in batch.results {
        _ = try calls.lines(of: results) { bytes in
          guard let line = BatchLine(bytes) else { return }
          throw Answer(isOurs: line.key.map { keys.contains($0) } ?? false)
        }
      }
    } catch let answer as Answer { return answer.isOurs }
    return false
  }

  // MARK: - State and results

  static func state(_ batch: JSON) throws(ServerFailure) -> BatchState {
    let field = ResponseField(batch)
    var state = BatchState(id: try BatchState.name(field.member("id")))
    // Not at `results_url`, which may name another host: the key goes to the model's own address alone.
    state.results = ["\(path)/\(state.id)/results"]
    let counts = try field.member("request_counts")
    func count(_ name: String) -> Int { (try? counts.member(name).count) ?? 0 }
    let cancelled = count("canceled")
    state.done = cancelled + count("succeeded") + count("errored") + count("expired")
    if counts.isThere { state.total = state.done + count("processing") }
    // A word that is not known is one of a batch under way. Of one that expired each line says so.
    if try field.member("processing_status").text() == "ended" {
      state.phase = cancelled > 0 ? .cancelled : .completed
    }
    return state
  }

  /// `{"custom_id": …, "result": {"type": "succeeded", "message": …}}`, or of another type.
  static func response(_ line: JSON, _ reader: ResponseReader) -> Result<HTTPResponse, ServerFailure> {
    let result = line["result"]
    func lacking(_ words: String) -> Result<HTTPResponse, ServerFailure> {
      .failure(ServerFailure(.busy, "no response", words))
    }
    switch result?["type"]?.stringValue {
    // An error inside says of what kind it is, as it does in a response that comes alone.
    case "succeeded": return alone(result?["message"])
    case "errored": return alone(result?["error"])
    case "expired": return lacking("the batch expired before it")
    case "canceled": return lacking("its batch was cancelled before it")
    default: return lacking("its line in the batch has no response")
    }
  }

  private static func alone(_ body: JSON?) -> Result<HTTPResponse, ServerFailure> {
    .success(HTTPResponse(status: 200, headers: [], body: Array((body ?? .null).text().utf8)))
  }
}
