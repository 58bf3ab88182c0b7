// Which columns the rows of `data` have beside `id` and `prompt`, as its options say.

import JSON

struct DataColumns {
  /// A column that holds what a field of the record holds.
  struct Column {
    let name: String
    /// `keep` or `samples`.
    let option: String
    /// Where in the option it stands.
    let index: Int
  }

  /// In the order in which rows have them.
  let columns: [Column]
  /// Those with one entry for each generation: what `samples` lists, and of `keep` what usually has one, where the rows have
  /// generations.
  let samples: [String]
  /// Whether the places of cuttable fields are a column.
  private let hasPlaces: Bool
  /// Whether conversations are, and whether their last turns are the generations.
  private let (hasMessages, hasAnswers): (Bool, Bool)

  /// As far as the options are written rightly.
  init(_ options: JSON) {
    func listed(_ names: [String], _ option: String) -> [Column] {
      names.enumerated().map { Column(name: $1, option: option, index: $0) }
    }
    let kept = DataOptions.keep.value(in: options) ?? []
    let declared = DataOptions.samples.value(in: options) ?? []
    columns = listed(kept, "keep") + listed(declared, "samples")
    hasPlaces = !(DataOptions.cuttable.value(in: options) ?? []).isEmpty
    hasMessages = (RecordMessages.field.value(in: options) ?? nil) != nil
    hasAnswers = hasMessages && RecordMessages.lastTurn.value(in: options) != .drop
    let hasGenerations =
      hasAnswers || columns.contains { UTF8Key($0.name) == UTF8Key("generations") }
    let usual = Set(hasGenerations ? usualSampleColumns.map(UTF8Key.init) : [])
    samples = (hasAnswers ? ["generations"] : []) + declared + kept.filter { usual.contains(UTF8Key($0)) }
  }

  /// Those with one value a row.
  var rows: [String] {
    let samples = Set(samples.map(UTF8Key.init))
    return (hasPlaces ? [PromptTemplate.Filled.fieldsColumn] : [])
      + (hasMessages ? [Conversation.column] : [])
      + columns.map(\.name).filter { !samples.contains(UTF8Key($0)) }
  }

  /// Columns whose names were given before, or that always exist.
  var repeated: [Column] {
    var seen = Set(
      (["id", "prompt", ModelText.literalsColumn, PromptTemplate.Filled.fieldsColumn]
        + (hasMessages ? [Conversation.column] : []) + (hasAnswers ? ["generations"] : [])).map(UTF8Key.init))
    return columns.filter { !seen.insert(UTF8Key($0.name)).inserted }
  }

  /// Whether columns go by generations that the rows do not have.
  var lacksGenerations: Bool {
    !samples.isEmpty && !samples.contains { UTF8Key($0) == UTF8Key("generations") }
  }

  var fieldNames: [String] { columns.map(\.name) }
}
