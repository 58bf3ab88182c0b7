// The columns of a row, from a record: its prompt by the template, and the fields that are kept.

import JSON
import Runner

struct RowBuilder {
  private let template: PromptTemplate?
  private let messages: RecordMessages?
  private let cuttable: [String]
  private let columns: DataColumns

  init(_ options: DataOptions) {
    template = options.template
    messages = options.messages
    cuttable = options.cuttable
    columns = options.columns
  }

  /// All but the id.
  /// - Throws: `BadRecord`.
  func columns(of record: DataRecord) throws -> JSONObject {
    let found = try messages?.found(in: record)
    // No name comes twice: `DataColumns.repeated`.
    var members = try prompt(of: record) ?? [("prompt", .string(found?.prompt ?? ""))]
    if let found {
      members.append((Conversation.column, found.json))
      if !found.answers.isEmpty {
        members.append(("generations", .array(found.answers.map { .string($0) })))
      }
    }
    for column in columns.columns {
      members.append((column.name, try record.field(column.name, option: column.option)))
    }
    let made = JSONObject(distinct: members)
    try checkSamples(made, of: record)
    return made
  }

  /// By the template; nil without one.
  private func prompt(of record: DataRecord) throws -> [JSONObject.Member]? {
    guard let template else { return nil }
    let prompt: PromptTemplate.Filled
    do {
      prompt = try template.filled(from: record.value)
    } catch {
      throw BadRecord(place: record.place, option: "prompt", reason: "option `prompt`: \(error)")
    }
    var members: [JSONObject.Member] = [("prompt", .string(prompt.text.text))]
    if let literals = prompt.text.literalsJSON { members.append((ModelText.literalsColumn, literals)) }
    if !cuttable.isEmpty {
      members.append((PromptTemplate.Filled.fieldsColumn, prompt.places(of: cuttable)))
    }
    return members
  }

  private func checkSamples(_ made: JSONObject, of record: DataRecord) throws {
    guard !columns.samples.isEmpty else { return }
    func bad(_ reason: String) -> BadRecord { BadRecord(place: record.place, reason: reason) }
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
