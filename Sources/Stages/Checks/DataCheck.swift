// `data`, before it runs: its template and conditions against the first records of its files.

import JSON
import Runner
import System

extension DataStage {
  /// Files of this size are read whole, and what is wrong with them is certain; of larger ones as much is looked at.
  static let bytesChecked = 1 << 17

  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    let options = stage.options
    let template: PromptTemplate?
    do {
      template = try DataOptions.template(options)
    } catch {
      findings.error(.badTemplate, "`prompt`: \(error)", at: .option("prompt"))
      return findings
    }
    checkMessages(options, &findings)
    let columns = DataColumns(options.json)
    if let twice = columns.repeated.first {
      findings.error(
        .wrongValue, "`\(twice.option)` names `\(twice.name)`, but a column of this name exists already",
        at: .option("\(twice.option).\(twice.index)"), label: "given twice",
        help: "`id` and `prompt` always exist; write each other field once, under `keep` or `samples`")
      return findings
    }
    if columns.lacksGenerations {
      findings.error(
        .conflictingOptions,
        "`samples` names columns with one entry per generation, but `generations` is not kept",
        at: .option("samples"), label: "needs `generations`", help: "add `generations` to `keep`")
      return findings
    }
    let cuttable = options[DataOptions.cuttable]
    if let name = DataOptions.notInTemplate(cuttable, template) {
      let index = cuttable.firstIndex { UTF8Key($0) == UTF8Key(name) } ?? 0
      findings.error(
        .unknownField, "`cuttable` names `\(name)`, which is not a field of `prompt`",
        at: .option("cuttable.\(index)"), label: "not in the prompt",
        help: Suggestion.helpOrList(
          for: name, among: template?.fieldNames ?? [], what: "the fields of `prompt` are")
      )
      return findings
    }
    findings.declare(
      Fact.templateFields, .array((template?.fieldNames ?? []).map { .string($0) }), of: "rows")
    findings.declare(Fact.cuttableFields, .array(cuttable.map { .string($0) }), of: "rows")
    let markers = template?.literal.markers ?? []
    if !markers.isEmpty { findings.declare(Fact.markers, .array(markers.map { .string($0) }), of: "rows") }
    if let decoded = try? DataOptions(options) {
      checkFiles(at: options[DataOptions.path], decoded, &findings)
    }
    return findings
  }

  private static func checkMessages(_ options: StageOptions, _ findings: inout StageFindings) {
    guard options[RecordMessages.lastTurn] == .drop else { return }
    let count = options[RecordMessages.field]?.count ?? 0
    if count != 1 {
      findings.error(
        .conflictingOptions,
        count == 0
          ? "`last_turn` says what becomes of the last turn of `messages`, which are not read"
          : "`messages` names \(count) fields, which differ in their last turns, and `last_turn` drops these",
        at: .option("last_turn"),
        label: count == 0 ? "has nothing to act on" : "leaves nothing to tell apart",
        help: count == 0 ? "write `messages: FIELD`" : "remove it, or name one field")
    }
  }

  private static func checkFiles(at paths: [String], _ options: DataOptions, _ findings: inout StageFindings)
  {
    // A file that is missing is said elsewhere.
    guard !paths.isEmpty, paths.allSatisfy({ FileStatus.of($0)?.isRegularFile == true }) else { return }
    var reader = DataReader(options)
    do {
      try reader.read(DataFiles(paths, limit: bytesChecked)) { _ in }
    } catch {
      guard let option = reader.faultyOption else {
        findings.error(
          .wrongData, "\(error)", at: .option("path"), label: paths.count == 1 ? "this file" : "these files",
          inInput: true)
        return
      }
      let names = reader.fieldsOfFirstRecord
      let missing = fields(of: option, options).first { name in
        !names.contains { $0.utf8.elementsEqual(name.utf8) }
      }
      findings.error(
        .unknownField, "\(error)", at: .option(option),
        help: missing.flatMap { Suggestion.nearest(to: $0, among: names) }.map { "did you mean `\($0)`?" },
        inInput: true)
      return
    }
    if reader.isWhole, reader.rowCount == 0 {
      findings.error(.noRows, reader.whyEmpty(paths), at: .option(emptyOption(reader)), inInput: true)
    } else if reader.isWhole {
      findings.declare(Fact.rows, .int(Int64(reader.rowCount)), of: "rows")
    } else if reader.rowCount == 0, reader.recordCount > 0 {
      findings.warning(
        .noRowsSeen,
        "of the first \(reader.recordCount) \(reader.unit) of `\(paths[0])` none is taken: \(reader.skippedCount) are bad, "
          + "\(reader.unmatchedCount) do not satisfy `where`",
        at: .option(emptyOption(reader)), label: "none of them fits")
    }
  }

  /// What an option names.
  private static func fields(of option: String, _ options: DataOptions) -> [String] {
    switch option {
    case "prompt": options.template?.fieldNames ?? []
    case "messages": options.messages?.fields ?? []
    case "keep", "samples": options.columns.fieldNames
    case "where": options.conditions.map(\.field)
    default: options.id.map { [$0] } ?? []
    }
  }

  private static func emptyOption(_ reader: DataReader) -> String {
    reader.unmatchedCount > 0 ? "where" : "path"
  }
}

extension DrawStage {
  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    findings.pass(stage.artifacts("rows"), to: "rows")
    guard let count = stage.options[Self.count] else { return findings }
    if !stage.options[replacement], let rows = stage.artifact("rows")?.facts[Fact.rows]?.intValue,
      count > rows
    {
      findings.error(
        .tooFewRows, "`count` asks for \(count) rows without replacement, but the input has \(rows)",
        at: .option("count"), label: "more than there are",
        help: "ask for fewer, write `count: all`, or allow `replacement: true`", inInput: true)
    }
    findings.declare(Fact.rows, .int(Int64(count)), of: "rows")
    return findings
  }
}
