// The options of `data`, and what they are decoded to.

import Experiments
import JSON
import Models

struct DataOptions {
  static let path = StageOption(
    "path", .files(split: "split", config: "config"),
    aliases: [
      "dataset", "dataset_path", "data_path", "file", "data", "train_file", "data_files", "data_dir",
    ],
    summary:
      "data files: Parquet, JSON Lines, a JSON array of objects, CSV, TSV or lines of text; all but Parquet may be compressed with gzip or zstd. A file; a pattern (`data/*.jsonl`, with `**` for any folders); a folder that is laid out as on the Hugging Face hub; a data set of the hub (`{hf: datasets/OWNER/NAME@REVISION, sha256: …}`, with `/FILE` behind the revision a file, folder or pattern of it); or a list of these. They are read in the order of their names' bytes, the entries of a list as they stand"
  )
  static let split = StageOption(
    "split", .optional(.string), default: nil, addedLater: true, aliases: ["dataset_split"],
    summary:
      "of a folder or data set: which of its files are read, as on the hub: `data/train-00000-of-00001.parquet`, `train/…` and `train.jsonl` are `train`; a folder with several splits needs it"
  )
  static let config = StageOption(
    "config", .optional(.string), default: nil, addedLater: true,
    aliases: ["config_name", "subset", "dataset_config", "dataset_config_name"],
    summary:
      "of a folder or data set whose `README.md` names configurations (`configs:` at its top, as on the hub): which of them is read; needed where there are several and none is the default"
  )
  static let format = StageOption<(any DataFormat.Type)?>(
    "format", .optional(.choice(dataFormats.map { ($0.name, $0) })), default: nil, addedLater: true,
    aliases: ["file_type"],
    summary:
      "the format of the file; without it a file that begins with `PAR1` is Parquet, one that begins with `[` a JSON array and any other JSON Lines, whatever its name; of a compressed file what it expands to is meant. `csv` and `tsv` have a first line of column names, and every value is a text; of `text` each line, a blank one too, is a record with the field `text`"
  )
  static let derived = StageOption(
    "fields", .mapping(DerivedField.type, count: 0...64), default: [:], addedLater: true,
    summary:
      "new fields, made of those of the record and of each other: a template (`{whole: \"{post} {summary}\"}`), or a part of a field (`{post: {from: prompt, after_first: \"POST: \", before_last: \"\\nTL;DR:\"}}`); the other options read them as they read the record's, and rather than one of the same name"
  )
  static let strip = StageOption<StrippedFields>(
    "strip",
    .either(
      .mapped(.bool) { $0 ? .all : .none },
      .mapped(.list(.string, count: 0...64)) { .named(Set($0.map(UTF8Key.init))) }), default: false,
    original: true, addedLater: true,
    summary:
      "fields whose texts are read without white space at their ends, as `str.strip` of Python; `true` for all that the options read"
  )
  static let prompt = StageOption(
    "prompt", .string, default: "{prompt}", aliases: ["template", "prompt_template"],
    summary:
      "the prompt; `{field}` and `{outer.inner}` insert a field: text as it is, an integer with all its digits, another number in its shortest form (`1.10` as `1.1`, `1e2` as `100.0`); `{{` and `}}` are braces; special tokens of a model may be written around fields, never in them"
  )
  static let cuttable = StageOption(
    "cuttable", .list(.string, count: 0...16), default: [], addedLater: true,
    summary:
      "fields of `prompt` that a later stage may cut (`cut: {field: …}`) where a text is too long: the column `prompt_fields` says where they stand, in UTF-8 bytes"
  )
  static let generations = StageOption(
    "generations", .list(.string, count: 0...64), default: [], addedLater: true,
    aliases: ["completions", "responses", "continuations"],
    summary:
      "given texts as the generations of a row, each a template as `prompt` is one: `[\"{chosen}\", \"{rejected}\"]`; whatever they spell is text"
  )
  static let id = StageOption(
    "id", .optional(.string), default: nil,
    summary: "the field that names a row; without it the id is a hash of the line's content and a count")
  static let keep = StageOption<[(name: String, value: String)]>(
    "keep",
    .either(
      .mapped(.list(.string, count: 0...64)) { $0.map { (name: $0, value: $0) } },
      .mapping(.string, count: 0...64)), default: [], aliases: ["columns"],
    summary: "fields that become columns beside `prompt`; a mapping gives them other names: `{column: field}`"
  )
  static let samples = StageOption<[(name: String, value: DataColumns.Source)]>(
    "samples",
    .either(
      .mapped(.list(.string, count: 0...64)) { $0.map { (name: $0, value: .field($0)) } },
      .mapping(
        .either(.mapped(.string) { .field($0) }, .mapped(.list(.string, count: 1...64)) { .list($0) }),
        count: 0...64)), default: [],
    summary:
      "fields that become columns with one entry for each text in `generations`, which must be there; a mapping gives them other names, or makes a list of one field for each text: `{rewards: [score_a, score_b]}`"
  )
  static let conditions = StageOption(
    "where", .list(RecordCondition.type, count: 0...16), default: [], aliases: ["filter"],
    summary: "keep only lines that satisfy every condition")
  static let dedup = StageOption<[String]>(
    "dedup", .either(.mapped(.string) { [$0] }, .list(.string, count: 0...16)), default: [], addedLater: true,
    aliases: ["deduplicate", "unique", "drop_duplicates"],
    summary: "of rows that have the same in this field, or in all of these, the first stays")
  static let partition = StageOption<Partition?>(
    "partition", .optional(Partition.type), default: nil, addedLater: true,
    aliases: ["train_test_split", "split_ratio"],
    summary:
      "one part of the rows: which part a row is in follows from its id, or a field, and a seed alone, whatever other rows there are"
  )
  static let shuffle = StageOption(
    "shuffle", RowShuffle.type, default: false, addedLater: true,
    summary:
      "the order of the rows is random: it follows from their ids and a seed, 0 for `true`; all rows are read before the first is written"
  )
  static let skip = StageOption(
    "skip", .integer(0...Int.max), default: 0, addedLater: true, aliases: ["offset"],
    summary: "leave out this many rows at the start")
  static let limit = StageOption(
    "limit", .optional(.integer(1...Int.max)), default: nil,
    aliases: ["max_rows", "num_rows", "max_samples", "num_samples", "count", "n"],
    summary: "stop reading after this many rows")
  static let onBadRow = StageOption(
    "on_bad_row", .choice(OnBadRow.self), default: "fail",
    summary:
      "what to do with a line that is not a JSON object or lacks a field; skipped lines are counted")

  enum OnBadRow: String, CaseIterable { case fail, skip }

  /// Those that choose rows stand in the order in which they do.
  static let fields = [
    path.field, split.field, config.field, format.field, derived.field, strip.field, prompt.field,
    RecordMessages.field.field, RecordMessages.lastTurn.field, cuttable.field,
    generations.field,
    id.field, keep.field, samples.field, conditions.field, dedup.field, partition.field, shuffle.field,
    skip.field, limit.field, onBadRow.field,
  ]

  let format: (any DataFormat.Type)?
  let derived: DerivedFields
  let stripped: StrippedFields
  /// Nil where the prompt is the last text of the user.
  let template: PromptTemplate?
  let messages: RecordMessages?
  let cuttable: [String]
  let generations: [PromptTemplate]
  let id: String?
  let columns: DataColumns
  let conditions: [RecordCondition]
  let dedup: [String]
  let partition: Partition?
  /// The seed; nil keeps the order of the file.
  let shuffle: Int?
  let skip: Int
  let limit: Int
  let skipsBadRows: Bool

  /// - Throws: `InputError` for the first problem.
  init(_ options: StageOptions) throws {
    var problems: [OptionProblem] = []
    self.init(options, &problems)
    guard let first = problems.first else { return }
    throw InputError("option \(first.message)\(first.help.map { "; " + $0 } ?? "")")
  }

  /// - Parameter problems: what is wrong with the options, by themselves or beside each other.
  init(_ options: StageOptions, _ problems: inout [OptionProblem]) {
    format = options[Self.format]
    derived = DerivedFields(options[Self.derived], &problems)
    stripped = options[Self.strip]
    messages = RecordMessages(options)
    template =
      messages != nil && .string(options[Self.prompt]) == Self.prompt.field.defaultValue
      ? nil : Self.template(options[Self.prompt], "prompt", &problems)
    cuttable = options[Self.cuttable]
    generations = options[Self.generations].enumerated().map {
      Self.template($1, "generations.\($0)", &problems)
    }
    id = options[Self.id]
    columns = DataColumns(options.json)
    conditions = options[Self.conditions]
    dedup = options[Self.dedup]
    partition = options[Self.partition]
    shuffle = options[Self.shuffle]
    skip = options[Self.skip]
    limit = options[Self.limit] ?? Int.max
    skipsBadRows = options[Self.onBadRow] == .skip
    if let problem = RecordMessages.problem(options) { problems.append(problem) }
    problems += Self.problems(cuttable: cuttable, template)
    problems += columns.problems
    problems += conditions.indices.compactMap { conditions[$0].problem(at: $0) }
    if let problem = partition?.problem { problems.append(problem) }
  }

  private static func template(_ text: String, _ option: String, _ problems: inout [OptionProblem])
    -> PromptTemplate
  {
    do {
      return try PromptTemplate(text)
    } catch {
      problems.append(
        OptionProblem(
          code: .badTemplate, option: option, message: "`\(option)`: \(error)", label: "not a template"))
      return PromptTemplate()
    }
  }

  private static func problems(cuttable: [String], _ template: PromptTemplate?) -> [OptionProblem] {
    let names = template?.fieldNames ?? []
    return cuttable.enumerated().compactMap { index, name in
      if names.contains(where: { UTF8Key($0) == UTF8Key(name) }) { return nil }
      return OptionProblem(
        code: .unknownField, option: "cuttable.\(index)",
        message: "`cuttable` names `\(name)`, which is not a field of `prompt`", label: "not in the prompt",
        help: Suggestion.helpOrList(for: name, among: names, what: "the fields of `prompt` are"))
    }
  }

  var countsTokens: Bool { conditions.contains(where: \.countsTokens) }

  /// The fields of the record that rows are made of; nil where an id is made of all.
  var neededFields: [String]? {
    id.map { id in
      derived.recordFields(
        behind: [id] + (template?.fieldNames ?? []) + (messages?.fields ?? [])
          + generations.flatMap(\.fieldNames) + columns.fieldNames
          + conditions.flatMap(\.fieldNames) + dedup + (partition?.by.map { [$0] } ?? []))
    }
  }
}
