// The columns of a row, from the fields of a record: its prompt by the template, given texts, and the fields that are kept.

import Experiments
import JSON

struct RowBuilder {
  private let template: PromptTemplate?
  private let messages: RecordMessages?
  private let cuttable: [String]
  private let generations: [PromptTemplate]
  private let columns: DataColumns

  init(_ options: DataOptions) {
    template = options.template
    messages = options.messages
    cuttable = options.cuttable
    generations = options.generations
    columns = options.columns
  }

  /// The first is the id, which is null until it is known.
  /// - Throws: `BadRecord`.
  func columns(of fields: RecordFields) throws -> [JSONObject.Member] {
    let found = try messages?.found(in: fields)
    // No name comes twice: `DataColumns.problems`.
    var members: [JSONObject.Member] = []
    members.reserveCapacity(4 + columns.columns.count)
    members.append(("id", .null))
    members += try prompt(of: fields) ?? [("prompt", .string(found?.prompt ?? ""))]
    if let found {
      members.append((Conversation.column, found.json))
      if !found.answers.isEmpty {
        members.append(("generations", .array(found.answers.map { .string($0) })))
      }
    }
    if !generations.isEmpty {
      let texts = try generations.map {
        JSON.string(try fields.filled($0, option: "generations").text.text)
      }
      members.append(("generations", .array(texts)))
    }
    for column in columns.columns {
      switch column.source {
      case .field(let name): members.append((column.name, try fields.field(name, option: column.option)))
      case .list(let names):
        members.append((column.name, .array(try names.map { try fields.field($0, option: column.option) })))
      }
    }
    if !columns.samples.isEmpty { try checkSamples(JSONObject(distinct: members), fields.place) }
    return members
  }

  /// By the template; nil without one.
  private func prompt(of fields: RecordFields) throws -> [JSONObject.Member]? {
    guard let template else { return nil }
    let prompt = try fields.filled(template, option: "prompt")
    var members: [JSONObject.Member] = [("prompt", .string(prompt.text.text))]
    if let literals = prompt.text.literalsJSON { members.append((ModelText.literalsColumn, literals)) }
    if !cuttable.isEmpty {
      members.append((PromptTemplate.Filled.fieldsColumn, prompt.places(of: cuttable)))
    }
    return members
  }

  private func checkSamples(_ made: JSONObject, _ place: RecordPlace) throws {
    func bad(_ reason: String) -> BadRecord { BadRecord(place: place, reason: reason) }
    guard let generations = made["generations"]?.arrayValue else {
      throw bad("`generations` is \(made["generations"]?.kind ?? "missing"); expected a list of texts")
    }
    for name in columns.samples {
      guard let value = made[name], let values = value.arrayValue else {
        throw bad(
          "`\(name)` is \(made[name]?.kind ?? "missing"); expected a list with one entry per generation")
      }
      guard values.count == generations.count else {
        throw bad(
          "`\(name)` has \(values.count) entries, but there are \(generations.count) generations")
      }
    }
  }
}
