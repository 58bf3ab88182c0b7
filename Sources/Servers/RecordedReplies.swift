// Responses of an endpoint that another program wrote down: which of the texts that were scored each of them belongs to.

import Experiments
import JSON
import System

/// Records `{"request_id": …, "response": …, "error": …}`, in the order in which they were written.
package struct RecordedReplies {
  /// A response that has a score.
  package struct Reply: Sendable {
    /// Where its record stands.
    package let place: String
    /// When it was written at the latest, in seconds since 1970.
    package let time: Double
    /// The response as text, which takes a fraction of the memory.
    private let bytes: [UInt8]
    /// What the response calls the toxicity; of another endpoint its score.
    fileprivate let toxicity: Double
    /// Where the last of the spans ends that the response scores, counted from the text's start.
    fileprivate let spanEnd: Int?

    fileprivate init(_ response: JSON, score: Double, place: String, time: Double) {
      (self.place, self.time) = (place, time)
      var bytes: [UInt8] = []
      response.write(to: &bytes)
      self.bytes = bytes
      let attributes = response["attributeScores"]
      toxicity = attributes?["TOXICITY"]?["summaryScore"]?["value"]?.doubleValue ?? score
      spanEnd =
        (attributes?.objectValue?.members ?? []).flatMap { $0.value["spanScores"]?.arrayValue ?? [] }
        .compactMap { $0["end"]?.intValue }.max()
    }

    package var response: JSON {
      do { return try JSON(parsing: bytes) } catch {
        preconditionFailure("what was written as JSON is none: \(error)")
      }
    }

    package func hasResponse(of other: Reply) -> Bool { bytes == other.bytes || response == other.response }
  }

  /// What is known of a text that was scored.
  package struct Text: Sendable {
    /// Where it stands, for messages.
    package let place: String
    /// In UTF-16 code units, which are never fewer than its characters.
    package let length: Int
    /// What stands beside it; nil where nothing does.
    package let toxicity: Double?
    package init(place: String, length: Int, toxicity: Double? = nil) {
      (self.place, self.length, self.toxicity) = (place, length, toxicity)
    }
  }

  private struct Record {
    let place: String
    /// Of `generation-17` the last number, and what stands before it.
    let id: (prefix: String, number: Int)?
    /// As it is written.
    let idText: String
    /// Nil where the record says that there is none.
    let reply: Reply?
  }

  private let model: ServerModel
  private var records: [Record] = []

  /// - Precondition: a model with the interface `http`.
  package init(of model: ServerModel) {
    precondition(model.interface == .http, "replies of `\(model.interface.rawValue)` were recorded")
    self.model = model
  }

  /// - Parameter time: when the record was written at the latest, in seconds since 1970.
  /// - Throws: `InputError` for what is no record, or has a response without a score.
  package mutating func add(_ record: JSON, at place: String, time: Double) throws {
    let (response, error) = (record["response"], record["error"])
    guard response != nil || error != nil else {
      throw InputError(
        "\(place): the record has neither `response` nor `error`; expected `{\"request_id\": …, \"response\": …, \"error\": …}`"
      )
    }
    let id = record["request_id"]
    var reply: Reply?
    if let response, !response.isNull, error.map({ $0.isNull || $0 == "" }) ?? true {
      do throws(ServerFailure) {
        let read = try model.serverInterface.reply(response, model)
        reply = Reply(response, score: read.scores[0] ?? .nan, place: place, time: time)
      } catch {
        throw InputError(
          "\(place): in the response \(error.description); `reply` of the model `\(model.name)` says that its score stands there"
        )
      }
    }
    records.append(
      Record(place: place, id: Self.number(id), idText: id?.text() ?? "missing", reply: reply))
  }

  private static func number(_ id: JSON?) -> (prefix: String, number: Int)? {
    guard let text = id?.stringValue else {
      guard let id, let number = id.intValue, number >= 0 else { return nil }
      return ("", number)
    }
    let bytes = Array(text.utf8)
    let digits = bytes.reversed().prefix { (0x30...0x39).contains($0) }.count
    guard digits > 0 else { return nil }
    let number = Int(String(decoding: bytes.suffix(digits), as: UTF8.self))
    // One that does not fit is beyond all texts.
    return (String(decoding: bytes.dropLast(digits), as: UTF8.self), number ?? .max)
  }
}

// MARK: - Collating

extension RecordedReplies {
  /// Which reply each text has.
  package struct Collation: Sendable {
    /// By text; nil where there is none.
    package fileprivate(set) var replies: [Reply?]
    /// Texts of which the record says that there was no reply.
    package fileprivate(set) var failed: [Int] = []
    /// Texts of which the record says nothing.
    package fileprivate(set) var unrecorded: [Int] = []
    /// Records of texts that an earlier record is of.
    package fileprivate(set) var repeated = 0
    /// Whether no record says which text it is of, so that the order of the records does.
    package fileprivate(set) var isByPosition = false
  }

  /// Of the records of one text one with a response counts, wherever it stands.
  /// - Parameter firstID: the number of the first text in `request_id`; at most 10^9.
  /// - Throws: `InputError` for a record of no text, for two responses to one, and for a response that is of another text.
  package func collated(_ texts: [Text], firstID: Int = 0) throws -> Collation {
    var collation = Collation(replies: Array(repeating: nil, count: texts.count))
    let sample = records.first { $0.id != nil }
    collation.isByPosition = sample == nil
    var chosen = [Record?](repeating: nil, count: texts.count)
    for (position, record) in records.enumerated() {
      let index = try sample.map { try self.index(of: record, like: $0, firstID: firstID) } ?? position
      guard texts.indices.contains(index) else {
        throw beyond(record, position, index, count: texts.count, firstID: firstID)
      }
      if let earlier = chosen[index] {
        collation.repeated += 1
        chosen[index] = try Self.chosen(earlier, record)
      } else {
        chosen[index] = record
      }
    }
    for (index, record) in chosen.enumerated() {
      guard let record else {
        collation.unrecorded.append(index)
        continue
      }
      guard let reply = record.reply else {
        collation.failed.append(index)
        continue
      }
      try Self.compare(reply, texts[index])
      collation.replies[index] = reply
    }
    return collation
  }

  private func index(of record: Record, like sample: Record, firstID: Int) throws -> Int {
    guard let id = record.id, let other = sample.id, UTF8Key(id.prefix) == UTF8Key(other.prefix) else {
      throw InputError(
        "\(record.place): `request_id` is \(record.idText); expected one that counts the texts as \(sample.idText) does (\(sample.place))"
      )
    }
    return id.number - firstID
  }

  private func beyond(_ record: Record, _ position: Int, _ index: Int, count: Int, firstID: Int) -> InputError
  {
    guard record.id != nil else {
      return InputError(
        "\(record.place): record \(position + 1), and there \(count == 1 ? "is 1 text" : "are \(count) texts"); without a `request_id` each record is of the text at its position"
      )
    }
    let hint =
      index == count
      ? "; `--first-id \(firstID + 1)` says that the first text has the number \(firstID + 1)" : ""
    return InputError(
      "\(record.place): `request_id` is \(record.idText), and the texts have the numbers \(firstID) to \(firstID + count - 1)\(hint)"
    )
  }

  /// The one of two records of a text that counts.
  private static func chosen(_ earlier: Record, _ later: Record) throws -> Record {
    guard let first = earlier.reply else { return later }
    guard let second = later.reply, !first.hasResponse(of: second) else { return earlier }
    throw InputError(
      "\(second.place): the `request_id` \(later.idText) has another response than at \(first.place); expected one response to each text"
    )
  }

  private static let other =
    "the texts are others, or in another order, than those that were scored"

  private static func compare(_ reply: Reply, _ text: Text) throws {
    if let end = reply.spanEnd, end > text.length {
      throw InputError(
        "\(reply.place): the response scores a text up to its character \(end), and the text at \(text.place) has \(text.length); \(other)"
      )
    }
    if let toxicity = text.toxicity, !((toxicity - reply.toxicity).magnitude <= 1e-6) {
      throw InputError(
        "\(reply.place): the response says \(reply.toxicity), and `toxicity` of the text at \(text.place) is \(toxicity); \(other)"
      )
    }
  }
}
