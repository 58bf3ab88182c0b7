// Which columns the rows of `data` have beside `id` and `prompt`, as its options say.

import Experiments
import JSON

struct DataColumns {
  struct Column {
    let name: String
    let source: Source
    /// `keep` or `samples`, and where in it the column is written.
    let option: String
    let place: String
  }

  enum Source: Equatable {
    /// The value of a field.
    case field(String)
    /// A list of the values of these.
    case list([String])
  }

  /// In the order in which rows have them.
  let columns: [Column]
  /// Those with one entry for each generation: `generations`, what `samples` lists, and of `keep` what usually has one, where the
  /// rows have generations.
  let samples: [String]
  /// How many generations a row has by its options; nil where its record says.
  private let generationCount: Int?
  /// Whether both given texts and the last turns of conversations are to be the generations.
  private let hasBoth: Bool
  /// Whether the places of cuttable fields are a column, and whether conversations are.
  private let (hasPlaces, hasMessages): (Bool, Bool)

  /// As far as the options are written rightly.
  init(_ options: JSON) {
    let kept = (DataOptions.keep.value(in: options) ?? []).map { ($0.name, Source.field($0.value)) }
    let declared = (DataOptions.samples.value(in: options) ?? []).map { ($0.name, $0.value) }
    let messages = RecordMessages.field.value(in: options) ?? nil
    let given = DataOptions.generations.value(in: options) ?? []
    let answers = RecordMessages.lastTurn.value(in: options) == .drop ? [] : messages?.conversations ?? []
    columns = Self.columns(kept, "keep", options) + Self.columns(declared, "samples", options)
    generationCount = [given.count, answers.count].first { $0 > 0 }
    hasBoth = !given.isEmpty && !answers.isEmpty
    hasMessages = messages != nil
    hasPlaces = !(DataOptions.cuttable.value(in: options) ?? []).isEmpty
    let hasGenerations =
      generationCount != nil || columns.contains { UTF8Key($0.name) == UTF8Key("generations") }
    let usual = Set(hasGenerations ? usualSampleColumns.map(UTF8Key.init) : [])
    samples =
      (generationCount == nil ? [] : ["generations"]) + declared.map(\.0)
      + kept.map(\.0).filter { usual.contains(UTF8Key($0)) }
  }

  private static func columns(_ columns: [(String, Source)], _ option: String, _ options: JSON) -> [Column] {
    let isList = options[option]?.arrayValue != nil
    return columns.enumerated().map { index, column in
      Column(
        name: column.0, source: column.1, option: option,
        place: "\(option).\(isList ? String(index) : column.0)")
    }
  }

  /// Those with one value a row.
  var rows: [String] {
    let samples = Set(samples.map(UTF8Key.init))
    return (hasPlaces ? [PromptTemplate.Filled.fieldsColumn] : [])
      + (hasMessages ? [Conversation.column] : [])
      + columns.map(\.name).filter { !samples.contains(UTF8Key($0)) }
  }

  /// The fields that they are made of.
  var fieldNames: [String] {
    columns.flatMap { column in
      switch column.source {
      case .field(let name): [name]
      case .list(let names): names
      }
    }
  }

  var problems: [OptionProblem] {
    var problems: [OptionProblem] = []
    let always = ["id", "prompt", ModelText.literalsColumn, PromptTemplate.Filled.fieldsColumn]
    var seen = Set(
      (always + (hasMessages ? [Conversation.column] : []) + (generationCount == nil ? [] : ["generations"]))
        .map(
          UTF8Key.init))
    if hasBoth {
      problems.append(
        OptionProblem(
          code: .conflictingOptions, option: "generations",
          message: "`generations` gives texts, and so do the last turns of `messages`", label: "given twice",
          help: "remove it, or write `last_turn: drop`"))
    }
    for column in columns {
      if !seen.insert(UTF8Key(column.name)).inserted {
        problems.append(
          OptionProblem(
            option: column.place,
            message: "`\(column.option)` names `\(column.name)`, but a column of this name exists already",
            label: "given twice",
            help:
              "`id` and `prompt` always exist; write each other column once, under `keep`, `samples` or `generations`"
          ))
      }
      if case .list(let names) = column.source, let generationCount, names.count != generationCount {
        problems.append(
          OptionProblem(
            code: .conflictingOptions, option: column.place,
            message:
              "`\(column.place)` has \(names.count) fields, but there are \(generationCount) generations",
            label: "expected \(generationCount)", help: "write one field for each of `generations`"))
      }
    }
    if !samples.isEmpty, !seen.contains(UTF8Key("generations")) {
      problems.append(
        OptionProblem(
          code: .conflictingOptions, option: "samples",
          message:
            "`samples` names columns with one entry per generation, but the rows have no `generations`",
          label: "needs `generations`",
          help: "add `generations` to it, or write the texts as the option `generations`"))
    }
    return problems
  }
}
