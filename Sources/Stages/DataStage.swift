// `data`: prompts from a data file.

import JSON
import Models
import Runner

package struct DataStage: Stage {
  package init() {}

  static let path = StageOption(
    "path", .file, aliases: ["dataset", "dataset_path", "data_path", "file", "data", "train_file"],
    summary: "a data file: Parquet, JSON Lines, a JSON array of objects, CSV or TSV")
  static let format = StageOption<(any DataFormat.Type)?>(
    "format", .optional(.choice(dataFormats.map { ($0.name, $0) })), default: nil, addedLater: true,
    aliases: ["file_type"],
    summary:
      "the format of the file; without it a file that begins with `PAR1` is Parquet, one that begins with `[` a JSON array and any other JSON Lines, whatever its name. `csv` and `tsv` have a first line of column names, and every value is a text"
  )
  static let prompt = StageOption(
    "prompt", .string, default: "{prompt}", aliases: ["template", "prompt_template"],
    summary:
      "the prompt; `{field}` and `{outer.inner}` insert a field: text as it is, an integer with all its digits, another number in its shortest form (`1.10` as `1.1`, `1e2` as `100.0`); `{{` and `}}` are braces; special tokens of a model may be written around fields, never in them"
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
    "where", .list(LineCondition.type, count: 0...16), default: [], aliases: ["filter"],
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

  package static let declaration = StageDeclaration(
    name: "data",
    summary: "Reads prompts from a data file, through a template over its fields.",
    version: 2,
    inputs: [],
    outputs: [
      OutputPort(
        "rows", .rows, columns: ["prompt"], hasOtherColumns: false,
        summary: "one row for each line that was kept")
    ],
    options: [
      path.field, format.field, prompt.field, id.field, keep.field, samples.field, conditions.field,
      limit.field, onBadRow.field,
    ], estimate: estimate)

  package static func declaration(for options: JSON) -> StageDeclaration {
    let columns = DataColumns(options)
    return declaration.giving("rows", columns: columns.rows, samples: columns.samples)
  }

  package func run(_ context: StageContext) throws {
    let options = context.options
    var reader = try DataReader(options: options)
    let path = options[Self.path]
    try reader.read(DataSource(path: path), checkCancellation: context.checkCancellation)
    for skipped in reader.skipped.prefix(20) { context.log("skipped \(skipped)") }
    context.leaveOut(reader.skipped.count, "bad lines")
    guard !reader.rows.isEmpty else { throw InputError(reader.whyEmpty(path)) }
    context.progress(reader.rows.count, of: reader.rows.count, unit: "rows")
    try writeRows(reader.rows, to: context.output("rows", .rows))
  }
}

/// Which fields become columns: `samples` with one entry per generation, and of `keep` those that usually have one, where the rows
/// have generations.
private struct DataColumns {
  let rows: [String]
  let samples: [String]

  init(_ options: JSON) {
    let keep = DataStage.keep.value(in: options) ?? []
    let listed = DataStage.samples.value(in: options) ?? []
    let hasGenerations = (keep + listed).contains { UTF8Key($0) == UTF8Key("generations") }
    let usual = Set(hasGenerations ? usualSampleColumns.map(UTF8Key.init) : [])
    rows = keep.filter { !usual.contains(UTF8Key($0)) }
    samples = listed + keep.filter { usual.contains(UTF8Key($0)) }
  }
}

/// A condition that a line must satisfy.
struct LineCondition {
  let field: String
  let value: JSON

  private static let field = StageOption(
    "field", .string, summary: "a field, or a path of fields joined by dots")
  private static let value = StageOption<JSON>(
    "is",
    .mapped(
      .optional(
        .either(
          .mapped(.bool) { JSON.bool($0) }, .mapped(.integer(Int.min...Int.max)) { .int(Int64($0)) },
          .mapped(.number(-1e300...1e300)) { .double($0) }, .mapped(.string) { .string($0) }))
    ) { $0 ?? .null },
    summary: "the value it must have; `null` matches a field that is present and null")

  static let type = OptionValueType.object([field.field, value.field]) {
    LineCondition(field: $0[field], value: $0[value])
  }
}

/// Turns the records of a file into rows.
struct DataReader {
  private let template: PromptTemplate
  private let idField: String?
  private let keep: [String]
  /// What the option `samples` lists.
  private let listed: [String]
  /// Columns with one entry per generation: those listed, and of `keep` those that usually have one.
  private let samples: [String]
  private let conditions: [LineCondition]
  private let limit: Int
  private let skipsBadRows: Bool
  private let format: (any DataFormat.Type)?

  private(set) var rows: [Row] = []
  /// `place: reason` of every bad record left out.
  private(set) var skipped: [String] = []
  private(set) var recordCount = 0
  /// What the format calls its records.
  private(set) var unit = ""
  /// Whether the records that were read, up to `limit`, are all that the file has.
  private(set) var isWhole = false
  private(set) var fieldsOfFirstRecord: [String] = []
  private(set) var unmatched = 0
  /// Where each id that the file gives stands.
  private var givenIDs: [UTF8Key: RecordPlace] = [:]
  /// How often each content hash came so far.
  private var occurrences: [UInt64: Int] = [:]

  /// The option that the record at which reading ended does not fit; nil when the record is wrong by itself.
  private(set) var faultyOption: String?

  /// Said when no row was taken.
  func whyEmpty(_ path: String) -> String {
    recordCount == 0
      ? "\(path): the file holds no rows"
      : "\(path): none of \(recordCount) \(unit) was taken: \(skipped.count) were bad, "
        + "\(unmatched) did not satisfy `where`"
  }

  init(options: StageOptions) throws {
    do {
      template = try PromptTemplate(options[DataStage.prompt])
    } catch {
      throw InputError("option `prompt`: \(error)")
    }
    idField = options[DataStage.id]
    keep = options[DataStage.keep]
    listed = options[DataStage.samples]
    samples = DataColumns(options.json).samples
    var seen: Set<UTF8Key> = [UTF8Key("id"), UTF8Key("prompt"), UTF8Key(ModelText.literalsColumn)]
    for name in keep + listed where !seen.insert(UTF8Key(name)).inserted {
      throw InputError("option `keep` or `samples`: the column `\(name)` exists already")
    }
    guard samples.isEmpty || seen.contains(UTF8Key("generations")) else {
      throw InputError(
        "option `samples`: its columns need the column `generations`; add it to `keep`")
    }
    conditions = options[DataStage.conditions]
    limit = options[DataStage.limit] ?? Int.max
    skipsBadRows = options[DataStage.onBadRow] == .skip
    format = options[DataStage.format]
  }

  /// The fields that rows are made of; nil where an id is made of all.
  private var needed: [String]? {
    idField.map { [$0] + template.fieldNames + keep + listed + conditions.map(\.field) }
  }

  mutating func read(_ source: DataSource, checkCancellation: () throws -> Void) throws {
    var source = source
    source.needed = needed
    var records = try source.records(format)
    unit = type(of: records).unit
    isWhole = records.isWhole
    while rows.count < limit {
      do {
        recordCount += 1
        guard let record = try records.next() else {
          recordCount -= 1
          break
        }
        if recordCount % 4096 == 0 { try checkCancellation() }
        try take(record, of: source.path)
      } catch let error as BadRecord {
        let text = "\(error.place.inside(source.path)): \(error.reason)"
        guard skipsBadRows else {
          faultyOption = error.option
          throw InputError(text)
        }
        skipped.append(text)
      }
    }
  }

  private mutating func take(_ record: DataRecord, of path: String) throws {
    let source = record.value
    if fieldsOfFirstRecord.isEmpty { fieldsOfFirstRecord = source.objectValue?.keys ?? [] }
    for condition in conditions {
      guard try field(condition.field, of: record, option: "where") == condition.value else {
        unmatched += 1
        return
      }
    }
    let prompt: ModelText
    do {
      prompt = try template.text(of: source)
    } catch {
      throw BadRecord(place: record.place, option: "prompt", reason: "option `prompt`: \(error)")
    }
    var columns: [JSONObject.Member] = [("prompt", .string(prompt.text))]
    if let literals = prompt.literalsJSON { columns.append((ModelText.literalsColumn, literals)) }
    for (option, names) in [("keep", keep), ("samples", listed)] {
      for column in names { columns.append((column, try field(column, of: record, option: option))) }
    }
    try checkSamples(JSONObject(columns), of: record)
    let id = try identifier(of: record, path: path)
    rows.append(Row(.object(JSONObject([("id", .string(id))] + columns))))
  }

  private func checkSamples(_ columns: JSONObject, of record: DataRecord) throws {
    guard !samples.isEmpty else { return }
    guard let generations = columns["generations"]?.arrayValue else {
      throw BadRecord(
        place: record.place,
        reason: "`generations` is \(columns["generations"]?.kind ?? "missing"); expected a list of texts")
    }
    for name in samples {
      guard let value = columns[name], let values = value.arrayValue else {
        throw BadRecord(
          place: record.place,
          reason:
            "`\(name)` is \(columns[name]?.kind ?? "missing"); expected a list with one entry per generation")
      }
      guard values.count == generations.count else {
        throw BadRecord(
          place: record.place,
          reason: "`\(name)` has \(values.count) entries, but there are \(generations.count) generations")
      }
    }
  }

  private func field(_ name: String, of record: DataRecord, option: String) throws -> JSON {
    guard let value = PromptTemplate.value(name, in: record.value) else {
      throw BadRecord(
        place: record.place, option: option,
        reason:
          "option `\(option)`: no field `\(name)`; the row has \(PromptTemplate.fields(of: record.value))")
    }
    return value
  }

  /// A given id must be new, whatever `on_bad_row` says: which of two rows is meant cannot be guessed. A
  /// derived id depends on the record's content alone, so it stays when lines move, when options change, and
  /// when members are written in another order.
  private mutating func identifier(of record: DataRecord, path: String) throws -> String {
    guard let idField else {
      let hash = hash64(record.value.text(.canonical))
      let occurrence = occurrences[hash, default: 0] + 1
      occurrences[hash] = occurrence
      let digits = String(hash, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits + "-\(occurrence)"
    }
    let id: String
    switch try field(idField, of: record, option: "id") {
    case .string(let text) where !text.isEmpty: id = text
    case .int(let number): id = String(number)
    case .largeInteger(let digits): id = digits
    case let other:
      let found = other.stringValue == nil ? other.kind : "an empty string"
      throw BadRecord(
        place: record.place, option: "id",
        reason: "option `id`: field `\(idField)` is \(found); expected text or an integer")
    }
    if let first = givenIDs.updateValue(record.place, forKey: UTF8Key(id)) {
      throw InputError(
        "\(record.place.inside(path)): the id `\(id)` was given before, \(first.short)")
    }
    return id
  }
}
