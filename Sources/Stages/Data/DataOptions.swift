// The options of `data`, and what they are decoded to.

import JSON
import Models
import Runner

struct DataOptions {
  static let path = StageOption(
    "path", .files(split: "split"),
    aliases: [
      "dataset", "dataset_path", "data_path", "file", "data", "train_file", "data_files", "data_dir",
    ],
    summary:
      "data files: Parquet, JSON Lines, a JSON array of objects, CSV, TSV or lines of text. A file; a pattern (`data/*.jsonl`, with `**` for any folders); a folder that is laid out as on the Hugging Face hub; a data set of the hub (`{hf: datasets/OWNER/NAME@REVISION, sha256: …}`, with `/FILE` behind the revision a file, folder or pattern of it); or a list of these. They are read in the order of their names' bytes, the entries of a list as they stand"
  )
  static let split = StageOption(
    "split", .optional(.string), default: nil, addedLater: true, aliases: ["dataset_split"],
    summary:
      "of a folder or data set: which of its files are read, as on the hub: `data/train-00000-of-00001.parquet`, `train/…` and `train.jsonl` are `train`; a folder with several splits needs it"
  )
  static let format = StageOption<(any DataFormat.Type)?>(
    "format", .optional(.choice(dataFormats.map { ($0.name, $0) })), default: nil, addedLater: true,
    aliases: ["file_type"],
    summary:
      "the format of the file; without it a file that begins with `PAR1` is Parquet, one that begins with `[` a JSON array and any other JSON Lines, whatever its name. `csv` and `tsv` have a first line of column names, and every value is a text; of `text` each line, a blank one too, is a record with the field `text`"
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
  static let id = StageOption(
    "id", .optional(.string), default: nil,
    summary: "the field that names a row; without it the id is a hash of the line's content and a count")
  static let keep = StageOption(
    "keep", .list(.string, count: 0...64), default: [], aliases: ["columns", "fields"],
    summary: "fields that become columns beside `prompt`")
  static let samples = StageOption(
    "samples", .list(.string, count: 0...64), default: [],
    summary:
      "fields that become columns with one entry for each text in `generations`, which must be among them"
  )
  static let conditions = StageOption(
    "where", .list(RecordCondition.type, count: 0...16), default: [], aliases: ["filter"],
    summary: "keep only lines that satisfy every condition")
  static let limit = StageOption(
    "limit", .optional(.integer(1...Int.max)), default: nil,
    aliases: ["max_rows", "num_rows", "max_samples", "num_samples", "count", "n"],
    summary: "stop reading after this many rows")
  static let onBadRow = StageOption(
    "on_bad_row", .choice(OnBadRow.self), default: "fail",
    summary:
      "what to do with a line that is not a JSON object or lacks a field; skipped lines are counted")

  enum OnBadRow: String, CaseIterable { case fail, skip }

  static let fields = [
    path.field, split.field, format.field, prompt.field, RecordMessages.field.field,
    RecordMessages.lastTurn.field, cuttable.field, id.field, keep.field, samples.field,
    conditions.field,
    limit.field, onBadRow.field,
  ]

  let format: (any DataFormat.Type)?
  /// Nil where the prompt is the last text of the user.
  let template: PromptTemplate?
  let messages: RecordMessages?
  let cuttable: [String]
  let id: String?
  let columns: DataColumns
  let conditions: [RecordCondition]
  let limit: Int
  let skipsBadRows: Bool

  /// - Throws: `InputError` for options that do not fit each other.
  init(_ options: StageOptions) throws {
    format = options[Self.format]
    messages = RecordMessages(options)
    do {
      template = try Self.template(options)
    } catch {
      throw InputError("option `prompt`: \(error)")
    }
    cuttable = options[Self.cuttable]
    if let name = Self.notInTemplate(cuttable, template) {
      throw InputError("option `cuttable`: `\(name)` is not a field of `prompt`")
    }
    id = options[Self.id]
    columns = DataColumns(options.json)
    if let twice = columns.repeated.first {
      throw InputError("option `keep` or `samples`: the column `\(twice.name)` exists already")
    }
    guard !columns.lacksGenerations else {
      throw InputError(
        "option `samples`: its columns need the column `generations`; add it to `keep`")
    }
    conditions = options[Self.conditions]
    limit = options[Self.limit] ?? Int.max
    skipsBadRows = options[Self.onBadRow] == .skip
  }

  /// Nil for the default beside `messages`.
  static func template(_ options: StageOptions) throws(PromptTemplate.Failure) -> PromptTemplate? {
    let source = options[prompt]
    if options[RecordMessages.field] != nil, .string(source) == prompt.field.defaultValue { return nil }
    return try PromptTemplate(source)
  }

  /// Of the cuttable fields one that does not stand in the prompt.
  static func notInTemplate(_ cuttable: [String], _ template: PromptTemplate?) -> String? {
    let names = Set((template?.fieldNames ?? []).map(UTF8Key.init))
    return cuttable.first { !names.contains(UTF8Key($0)) }
  }

  /// The fields that rows are made of; nil where an id is made of all.
  var neededFields: [String]? {
    id.map {
      [$0] + (template?.fieldNames ?? []) + (messages?.fields ?? []) + columns.fieldNames
        + conditions.map(\.field)
    }
  }
}
