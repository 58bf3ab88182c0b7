// `kind: command`: a program that answers each generation with a number.

import Experiments
import JSON
import System

/// A line of JSON for each generation on the program's standard input, a number or null for each on its standard output, in the same order. Each
/// number is stored at once.
struct CommandScorer: Scorer {
  static let kind = "command"
  static let summary =
    "a program, which reads a JSON object a line, one for each generation (`generation` and the row's columns, of those with an entry for each generation its own), and writes its score or `null` a line, in the same order; null is no score"
  static let options = [
    run.field, CommandStage.shell.field, files.field, CommandStage.env.field, version.field,
  ]
  static let columns = ["generations"]

  private static let run = StageOption(
    "run", .list(.string, count: 1...1000), summary: "the program and its arguments")
  private static let files = StageOption(
    "files", .list(.file, count: 0...1000), default: [],
    summary:
      "files the program needs, copied into its folder under their own names; their contents enter the key")
  /// Read by nobody: it is in the key.
  private static let version = StageOption(
    "version", .integer(0...1_000_000), default: 1,
    summary: "raise it when the program's results change although nothing declared has changed")

  private let words: [String]
  private let isShell: Bool
  private let files: [String]
  let environment: [String]

  init(_ options: StageOptions) {
    words = options[Self.run]
    isShell = options[CommandStage.shell]
    files = options[Self.files]
    environment = options[CommandStage.env]
  }

  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    if isShell, words.count != 1 {
      findings.error(
        .conflictingOptions,
        "with `shell: true` `run` must have one entry, the whole line; it has \(words.count)",
        at: .option("scorer.run"), label: "\(words.count) entries")
    }
    var names: Set<UTF8Key> = []
    for (index, path) in files.enumerated() where !names.insert(UTF8Key(Path.name(path))).inserted {
      findings.error(
        .wrongValue, "two of `files` are called `\(Path.name(path))`, and both are copied into one folder",
        at: .option("scorer.files.\(index)"), label: "the second")
    }
    for (index, word) in words.enumerated() {
      guard let place = ["{in.", "{out.", "{seed}", "{threads}"].first(where: { word.contains($0) }) else {
        continue
      }
      findings.error(
        .wrongValue, "`run` contains `\(place)`, which is filled in for the stage `command` alone",
        at: .option("scorer.run.\(index)"), label: "stays as it is",
        help: "the program of a scorer reads generations on its standard input")
    }
  }

  func score(_ items: [RowItem], _ context: StageContext, emit: (RowItem, Score) throws -> Void) throws {
    if items.isEmpty { return }
    let table = context.input("rows").columns
    let program = try Program(
      words, filled: words, isShell: isShell, files: files, environment: environment, context)
    var answered = 0
    try program.exchange(
      count: items.count, question: { try question(items[$0], table) }, context,
      take: { line in
        guard answered < items.count else {
          throw RunError(
            .stageFailed,
            "\(program.name) wrote more lines than the \(items.count) generations that it was given")
        }
        try emit(items[answered], try score(line, items[answered], answered, program.name))
        answered += 1
        context.progress(answered, of: items.count, unit: "generations")
      }, progress: { "\(answered) of \(items.count) generations; finished ones are kept" })
    guard answered == items.count else {
      throw RunError(
        .stageFailed,
        "\(program.name) ended with status 0 but did not answer \(items.count - answered) of \(items.count) generations; the first is generation \(items[answered].item) of row `\(items[answered].row.id)`"
      )
    }
  }

  private func question(_ item: RowItem, _ table: ColumnTable) throws -> String {
    let generation = try item.generation()
    let lists = try SampleLists(item.row, table)
    var question = JSONObject([("id", .string(item.row.id)), ("generation", .string(generation))])
    for (name, value) in item.row.columns.objectValue?.members ?? []
    where question[name] == nil && UTF8Key(name) != UTF8Key("generations") {
      question[name] = lists[name]?[item.item] ?? value
    }
    return JSON.object(question).text()
  }

  private func score(_ line: [UInt8], _ item: RowItem, _ index: Int, _ program: String) throws -> Score {
    let value = try? JSON(parsing: line)
    if value?.isNull == true { return .missing }
    guard let number = value?.doubleValue, number.isFinite else {
      let shown = String(decoding: line.prefix(60), as: UTF8.self)
      throw RunError(
        .stageFailed,
        "line \(index + 1) of the standard output of \(program), for generation \(item.item) of row `\(item.row.id)`, is `\(shown)\(line.count > 60 ? "…" : "")`; expected a number or null"
      )
    }
    return .reward(number)
  }
}
