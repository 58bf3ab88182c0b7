// What becomes of a reply: the values that were read out of it, or why there are none.

import Experiments
import JSON

package enum AnnotationOutcome: String, CaseIterable, Sendable {
  /// The parser read what it reads.
  case parsed
  /// The reply is not written as the parser reads it.
  case unparsable
  /// The reply says what is none of the values that are allowed.
  case offList = "off_list"
  /// There is no reply.
  case error

  /// How a count of them is called in the log and the record, in the plural.
  var noun: String {
    switch self {
    case .parsed: "replies parsed"
    case .unparsable: "replies unparsable"
    case .offList: "replies off list"
    case .error: "replies missing"
    }
  }
}

/// Of one sample.
struct Annotation: Sendable {
  /// Nil for a sample about which nothing was asked.
  let outcome: AnnotationOutcome?
  /// As it was given; kept where the rows do not have it already.
  var reply: String?
  /// For each of the parser's columns; empty where nothing was read.
  var values: [JSON] = []
  /// Of an outcome that is not `parsed`: the row, the sample, what is wrong.
  var problem: String?
  /// How often it was asked.
  let attempts: Int
  let isTruncated: Bool

  /// - Parameter keepsReply: whether the annotator's replies are a column.
  init(_ reply: Reply, to item: RowItem, _ parser: any ReplyParser, keepsReply: Bool) throws {
    (attempts, isTruncated) = (reply.attempts, reply.isTruncated)
    let place = "row `\(item.row.id)`, sample \(item.item)"
    switch reply.content {
    case .none: outcome = nil
    case .failure(let reason):
      outcome = .error
      problem = "\(place): \(reason)"
    case .unusable(let text, let reason):
      outcome = .unparsable
      if keepsReply { self.reply = text }
      problem = Self.problem(place, reason, text)
    case .text(let text):
      if keepsReply { self.reply = text }
      switch try item.row.inputErrors({ try parser.parse(text) }) {
      case .parsed(let values):
        outcome = .parsed
        self.values = values
      case .unparsable(let reason):
        outcome = .unparsable
        problem = Self.problem(place, reason, text)
      case .offList(let reason):
        outcome = .offList
        problem = Self.problem(place, reason, text)
      }
    }
  }

  private static func problem(_ place: String, _ reason: String, _ reply: String) -> String {
    let shown = reply.unicodeScalars.prefix(excerptLength)
    let isWhole = shown.endIndex == reply.unicodeScalars.endIndex
    return "\(place): the reply \(reason): \(JSON.string(String(shown)).text())\(isWhole ? "" : " …")"
  }

  /// Characters of a reply that messages show.
  private static let excerptLength = 200
}

extension Annotation {
  /// As the journal keeps it.
  var json: JSON {
    var object = JSONObject([("outcome", outcome.map { .string($0.rawValue) } ?? .null)])
    if let reply { object["reply"] = .string(reply) }
    if !values.isEmpty { object["values"] = .array(values) }
    if let problem { object["problem"] = .string(problem) }
    if attempts != 1 { object["attempts"] = .int(Int64(attempts)) }
    if isTruncated { object["truncated"] = true }
    return .object(object)
  }

  init(_ json: JSON) {
    outcome = json["outcome"]?.stringValue.flatMap(AnnotationOutcome.init(rawValue:))
    reply = json["reply"]?.stringValue
    values = json["values"]?.arrayValue ?? []
    problem = json["problem"]?.stringValue
    attempts = json["attempts"]?.intValue ?? 1
    isTruncated = json["truncated"] == true
  }
}
