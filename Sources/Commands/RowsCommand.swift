// `plumb rows FILE|ADDRESS`: a look into a data file or into what a stage wrote.

import ArgumentParser
import Glibc
import JSON
import Models
import Runner
import Stages
import System

struct RowsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rows", abstract: "Look into data files, or into what a stage wrote.",
    discussion: """
      Takes what `path` of `data` takes: a file, a pattern in quotes, a folder that is laid out as on the Hugging Face hub, or a data set of the \
      hub, which is fetched into the model cache; or a result: EXPERIMENT.yaml::STAGE or EXPERIMENT.yaml::STAGE.OUTPUT as \
      `\(Program.name) plan` shows stages, runs/NAME/ID::STAGE of one run, or a stage's address alone for the last run. A terminal \
      gets a table, or where its columns do not fit, one record after the other, long texts cut; a pipe gets the same as lines of \
      fields with a tab between them, whole, where `\\` stands before an n, t, r or \\ that is a line break, a tab, a carriage \
      return or a backslash. Reading stops with the last row that is shown.

      With --tokens the ids and pieces are shown that a model gets: of EXPERIMENT.yaml::STAGE for a stage that reads a model exactly \
      what it gives it as the experiment is now, up to where it would begin to compute, with what is trained on or scored in colour; \
      with `-m MODEL` the prompt and generations of any rows, or the fields that --columns names.

        \(Program.name) rows data/train.parquet --columns prompt,label --where label=1
        \(Program.name) rows 'data/part-*.jsonl' --count
        \(Program.name) rows hf:datasets/OWNER/NAME@main --split train --head 3
        \(Program.name) rows experiments/quickstart.yaml::quark@last.judge --where 'rewards>0.9'
        \(Program.name) rows quark@2.pool --count
        \(Program.name) rows experiments/quickstart.yaml::quark@1.train --tokens --head 3
      """)

  @Argument(
    help: ArgumentHelp(
      "A data file, pattern or folder, hf:datasets/OWNER/NAME@REVISION (with /FILE behind it a file, folder or pattern of it), EXPERIMENT.yaml::ADDRESS, RUN_DIRECTORY::ADDRESS, or the address of a stage of the last run.",
      valueName: "file-or-address"), completion: .file())
  var source: String

  @Option(help: "Of a folder or data set: the split whose files are meant.")
  var split: String?

  @Option(help: "Of a folder or data set: the configuration of its README that is meant.")
  var config: String?

  @Option(help: "Rows at most.")
  var head = 10

  @Flag(help: "All rows.")
  var all = false

  @Option(
    name: .customLong("where"),
    help: ArgumentHelp(
      """
      Only rows where this holds; may be repeated. Between field and value: = != < > <= >= or ~ (contains). A field of an \
      object is written with a dot; of a list one element is enough.
      """, valueName: "field=value"),
    transform: RowCondition.init)
  var conditions: [RowCondition] = []

  @Option(
    name: .customLong("columns"),
    help: ArgumentHelp("Only these fields, in this order.", valueName: "a,b"))
  var columnList: NameList?
  private var columns: [String]? { columnList?.names }

  @Option(
    help: ArgumentHelp(
      "Format of the file (default: told by its first bytes, CSV and TSV by its name).",
      valueName: RecordFile.formats.joined(separator: "|")))
  var format: String?

  @Flag(help: "Print one JSON object a line.")
  var json = false

  @Flag(help: "Print one record after the other, texts whole.")
  var full = false

  @Flag(help: "Print only how many rows there are.")
  var count = false

  @Flag(
    help: """
      Print of each field how many values of which kind it has, how many rows lack it, how many values differ, and how long its texts \
      (in characters) and lists or how large its numbers are.
      """)
  var stats = false

  @Flag(help: "Show the ids and pieces that a model gets.")
  var tokens = false

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "For --tokens, whose tokenizer: a model folder or GGUF file, a tokenizer.json, EXPERIMENT.yaml::ADDRESS, or a remote model.",
      valueName: "model"), completion: .file())
  var model: String?

  @OptionGroup var parameters: ParameterArguments
  @OptionGroup var storage: StoreArguments

  func validate() throws {
    if head < 1 { throw ValidationError("--head must be at least 1, found \(head)") }
    if let format, !RecordFile.formats.contains(format) {
      throw ValidationError(
        "--format must be one of \(RecordFile.formats.joined(separator: ", ")), found \(format)")
    }
    for (names, isBoth) in [
      ("--count and --stats", count && stats), ("--count and --json", count && json),
      ("--full and --json", full && json), ("--full and --stats", full && stats),
      ("--tokens and --count", tokens && count), ("--tokens and --stats", tokens && stats),
      ("--tokens and --full", tokens && full),
    ] where isBoth {
      throw ValidationError("\(names) exclude each other")
    }
    if model != nil, !tokens { throw ValidationError("--model needs --tokens") }
    if tokens, model == nil, columns != nil || !conditions.isEmpty {
      throw ValidationError(
        "--tokens of a stage shows what it gives its model; --columns and --where need --model")
    }
    if let model { _ = try remoteSource(model) }
  }

  func run() throws {
    finish {
      if tokens {
        try showTokens()
        return .done
      }
      switch try rowSource() {
      case .files(let paths): try show(paths, format: format ?? RecordFile.formatByName(paths))
      case .rows(let path, _): try show([path], format: "jsonl")
      case .metrics(let path):
        let value = try JSON(parsing: try File.read(path))
        try standardOutput(value.text(json ? .compact : .pretty) + "\n")
      }
      return .done
    }
  }

  private func showTokens() throws {
    guard let model else {
      guard FileStatus.of(source) == nil, let address = ResultAddress(source) else {
        throw RunError(
          .commandLine,
          "--tokens takes a stage, EXPERIMENT.yaml::STAGE, found `\(source)`; with `-m MODEL` it takes any rows"
        )
      }
      let found = try RowTokens.inputs(of: address, parameters, limit: all ? .max : head, storage)
      try print(found.inputs, RowTokens(tokenizer: found.tokenizer))
      if found.count > found.inputs.count {
        standardError("the first \(found.inputs.count) of \(found.count); --head N or --all shows more\n")
      }
      return
    }
    let shown = RowTokens(
      tokenizer: try openTokenizer(try ModelPlace(model, parameters, storage: storage).path))
    guard case .some(let (paths, format)) = try rowFiles() else {
      throw RunError(.commandLine, "`\(source)` holds no rows")
    }
    var file = RecordFile(paths, format: format)
    var inputs: [ModelInput] = []
    var place = 0
    try readEach(&file) { row in
      guard all || place < head else { return false }
      place += 1
      inputs += try shown.inputs(of: row, place: place, fields: columns)
      return true
    }
    try print(inputs, shown)
  }

  private func rowSource() throws -> RowSource {
    try RowSource(source, split: split, config: config, parameters, storage: storage)
  }

  private func rowFiles() throws -> (paths: [String], format: String?)? {
    switch try rowSource() {
    case .files(let paths): (paths, format ?? RecordFile.formatByName(paths))
    case .rows(let path, _): ([path], "jsonl")
    case .metrics: nil
    }
  }

  private func print(_ inputs: [ModelInput], _ tokens: RowTokens) throws {
    let layout: RowTokens.Layout
    if json {
      layout = .json
    } else if let columns = terminalColumns(1) {
      layout = .terminal(columns: columns, isColored: usesColor(1))
    } else {
      layout = .separated
      try standardOutput(RowTokens.heading)
    }
    for (index, input) in inputs.enumerated() {
      if case .terminal = layout, index > 0 { try standardOutput("\n") }
      try standardOutput(tokens.text(of: input, layout))
    }
  }

  private func show(_ paths: [String], format: String?) throws {
    let needed = columns.map { $0 + conditions.map(\.field) }
    var file = RecordFile(paths, format: format, fields: needed)
    if count {
      var number = 0
      try readEach(&file) { _ in
        number += 1
        return true
      }
      try standardOutput("\(number)\n")
    } else if stats {
      var statistics = RowStatistics()
      try readEach(&file) { row in
        try statistics.add(columns.map { names in chosen(names, of: row) } ?? row)
        return true
      }
      try standardOutput(json ? statistics.json : statistics.text)
    } else {
      try printRows(&file)
    }
  }

  private func chosen(_ names: [String], of row: JSON) -> JSON {
    .object(JSONObject(names.compactMap { name in RecordFile.value(name, in: row).map { (name, $0) } }))
  }

  private func printRows(_ file: inout RecordFile) throws {
    var printer = RowPrinter(layout, names: columns)
    let limit = all ? .max : head
    var hasMore = false
    try readEach(&file) { row in
      guard printer.added < limit else {
        hasMore = true
        return false
      }
      try printer.add(row)
      return true
    }
    try printer.finish()
    if printer.added == 0 {
      standardError(conditions.isEmpty ? "no rows\n" : "no row where all of this holds\n")
    }
    if hasMore {
      standardError("the first \(printer.added); --head N or --all shows more, --count counts them\n")
    }
    if !printer.unshown.isEmpty {
      let names = printer.unshown.map { quoted($0) }.joined(separator: ", ")
      standardError("fields that only later rows have are not shown: \(names); name them with --columns\n")
    }
  }

  private var layout: RowPrinter.Layout {
    if json { return .json }
    let columns = terminalColumns(1)
    if full { return .records(columns: columns ?? 100) }
    return columns.map { .terminal(columns: $0) } ?? .separated
  }

  /// The rows of which every condition holds, until `body` says false.
  /// - Throws: `RunError` (2) where no row has a field that a condition names.
  private func readEach(_ file: inout RecordFile, _ body: (JSON) throws -> Bool) throws {
    var isSeen = conditions.map { _ in false }
    var first: [JSON] = []
    while let row = try file.next() {
      var holds = true
      for (index, condition) in conditions.enumerated() {
        let value = RecordFile.value(condition.field, in: row)
        if value != nil { isSeen[index] = true }
        holds = holds && condition.holds(of: value)
      }
      if isSeen.contains(false), first.count < 100 { first.append(row) }
      if holds, try !body(row) { return }
    }
    if let index = isSeen.firstIndex(of: false), !first.isEmpty {
      throw RunError(.commandLine, missingField(conditions[index].field, in: first))
    }
  }
}
