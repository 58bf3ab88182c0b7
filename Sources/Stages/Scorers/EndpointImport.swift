// Replies of an endpoint that another program wrote down, kept in the store as if `score` had asked for them.

import Experiments
import JSON
import Models
import Servers
import System

/// First the texts, then the records of replies; nothing is written before `write`.
package struct EndpointImport {
  private let model: ServerModel
  private let asker: Asker
  /// What its body names.
  private let fields: [String]
  private let attempt: Int
  private var texts: [RecordedReplies.Text] = []
  private var keys: [ReplyJournal.Key] = []
  private var records: RecordedReplies
  private var collation: RecordedReplies.Collation?

  /// - Parameter store: the store's folder.
  /// - Throws: `InputError` for a model that cannot be asked.
  /// - Precondition: a model with the interface `http`.
  package init(_ model: ServerModel, store: String) throws {
    self.model = model
    if let problem = model.problem { throw InputError("the model `\(model.name)`: \(problem)") }
    guard !model.asksByList else {
      throw InputError(
        "the model `\(model.name)` is sent several texts in one request (`reply` has a `*`), and a record has a response to each text"
      )
    }
    do { fields = try model.bodyFields() } catch {
      throw InputError("the model `\(model.name)`: `body`: \(error)")
    }
    asker = Asker(model, store: store, Asker.Options(name: model.name))
    attempt = AskedServer.firstAttempt(of: model)
    records = RecordedReplies(of: model)
  }

  /// - Parameters:
  ///   - format: as of `RecordFile`.
  ///   - columns: what is declared of the rows' columns; nil where nothing says it.
  package mutating func addTexts(of paths: [String], format: String?, columns: ColumnTable?) throws {
    var file = RecordFile(paths, format: format)
    while let row = try file.next() { try add(Row(row), at: file.place, columns) }
    guard !texts.isEmpty else { throw InputError("\(file.place): no texts") }
  }

  package mutating func addReplies(of path: String) throws {
    var file = RecordFile([path])
    let written = FileStatus.of(path).map { Double($0.modifiedNanoseconds) / 1e9 }
    var isEmpty = true
    while let record = try file.next() {
      try records.add(record, at: file.place, time: written ?? 0)
      isEmpty = false
    }
    if isEmpty { throw InputError("\(path): no records") }
  }

  /// Finds the text of each reply.
  /// - Parameter firstID: the number of the first text in `request_id`.
  package mutating func collate(firstID: Int = 0) throws {
    collation = try records.collated(texts, firstID: firstID)
  }

  private mutating func add(_ row: Row, at place: String, _ columns: ColumnTable?) throws {
    guard let generations = row["generations"]?.arrayValue else {
      throw InputError(
        "\(place): `generations` is \(row["generations"]?.kind ?? "missing"); expected a list of texts, or of objects with `text`"
      )
    }
    var row = row
    row["generations"] = .array(
      try generations.enumerated().map { index, generation in
        guard let text = generation.stringValue ?? generation["text"]?.stringValue else {
          throw InputError(
            "\(place): generation \(index) is \(generation.kind); expected a text, or an object with `text`")
        }
        return .string(text)
      })
    if !fields.contains("prompt") {
      row["prompt"] = ""
      row[ModelText.literalsColumn] = JSON?.none
    } else {
      if let prompt = row["prompt"]?["text"] { row["prompt"] = prompt }
      guard row["prompt"]?.stringValue != nil else {
        throw InputError(
          "\(place): `prompt`, which `body` of the model `\(model.name)` names, is \(row["prompt"]?.kind ?? "missing"); expected text"
        )
      }
    }
    if columns == nil { try requireOneValue(row, place) }
    let table = columns ?? ColumnTable(samples: ["generations"])
    for (index, generation) in generations.enumerated() {
      let place = "\(place), generation \(index)"
      do {
        let ask = try EndpointScorer.ask(of: RowItem(rowIndex: 0, row: row, item: index), table)
        keys.append(try asker.key(of: Question(ask, attempt: attempt)))
        let text = try sentText(ask) ?? row["generations"]?.arrayValue?[index].stringValue ?? ""
        texts.append(
          RecordedReplies.Text(
            place: place, length: text.utf16.count, toxicity: generation["toxicity"]?.doubleValue))
      } catch {
        throw InputError("\(place): \(error)")
      }
    }
  }

  /// What Perspective is sent: its responses count characters in this.
  private func sentText(_ ask: Ask) throws -> String? {
    try model.requestBody(ask)["comment"]?["text"]?.stringValue
  }

  /// In a file nothing says whether a list is one value of the row, or has an entry for each generation.
  private func requireOneValue(_ row: Row, _ place: String) throws {
    for field in fields where field != "generation" && field != "generations" {
      guard row[field]?.arrayValue != nil else { continue }
      throw InputError(
        "\(place): `\(field)`, which `body` of the model `\(model.name)` names, is a list, and nothing in a file says whether it has an entry for each generation; give the rows as EXPERIMENT.yaml::STAGE"
      )
    }
  }
}

// MARK: - Writing

extension EndpointImport {
  /// What came of the replies. A list has where the texts stand.
  package struct Written: Sendable, Equatable {
    package var added = 0
    /// In the store already, with the same response.
    package var present = 0
    /// In the store already, with another response, which stays.
    package var different: [String] = []
    /// Texts that equal an earlier one, with the same response.
    package var equal = 0
    /// Texts that equal an earlier one and have another response: the earlier one is kept.
    package var conflicting: [String] = []
    /// Texts of which the record says that there was no reply.
    package var failed: [String] = []
    /// Texts of which the record says nothing.
    package var unrecorded: [String] = []
    /// Records of texts that an earlier record is of.
    package var repeated = 0
    /// Whether the order of the records said which text each is of.
    package var isByPosition = false
  }

  /// Durable once it has returned.
  /// - Precondition: they were collated.
  package func write(to journal: ReplyJournal) throws -> Written {
    guard let collation else { preconditionFailure("replies that were not collated") }
    var written = Written()
    written.failed = collation.failed.map { texts[$0].place }
    written.unrecorded = collation.unrecorded.map { texts[$0].place }
    (written.repeated, written.isByPosition) = (collation.repeated, collation.isByPosition)
    var first: [ReplyJournal.Key: RecordedReplies.Reply] = [:]
    try journal.refresh()
    for (index, reply) in collation.replies.enumerated() {
      guard let reply else { continue }
      let key = keys[index]
      if let earlier = first[key] {
        if earlier.hasResponse(of: reply) {
          written.equal += 1
        } else {
          written.conflicting.append(texts[index].place)
        }
        continue
      }
      first[key] = reply
      if let entry = try journal.entry(key) {
        if entry.response == reply.response {
          written.present += 1
        } else {
          written.different.append(texts[index].place)
        }
        continue
      }
      try journal.append(
        key, ReplyJournal.Entry(response: reply.response, time: reply.time, attempt: attempt))
      written.added += 1
    }
    try journal.synchronize()
    return written
  }
}
