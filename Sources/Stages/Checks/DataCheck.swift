// `data`, before it runs: its options against each other and against the first records of its files.

import Experiments
import JSON
import System

extension DataStage {
  /// Files of this size are read whole, and what is wrong with them is certain; of larger ones as much is looked at.
  static let bytesChecked = 1 << 17

  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    var problems: [OptionProblem] = []
    let options = DataOptions(stage.options, &problems)
    for problem in problems {
      findings.error(
        problem.code, problem.message, at: .option(problem.option), label: problem.label, help: problem.help)
    }
    checkTokenizer(stage, options, &findings)
    guard problems.isEmpty else { return findings }
    func declare(_ name: String, _ texts: [String]) {
      findings.declare(name, .array(texts.map { .string($0) }), of: "rows")
    }
    declare(Fact.prompts, [KnownPrompts.shared.declare(stage.options)])
    declare(Fact.templateFields, options.template?.fieldNames ?? [])
    declare(Fact.cuttableFields, options.cuttable)
    let markers = options.template?.literal.markers ?? []
    if !markers.isEmpty { declare(Fact.markers, markers) }
    checkFiles(at: stage.options[DataOptions.path], options, &findings)
    return findings
  }

  private static func checkTokenizer(
    _ stage: StageCheck, _ options: DataOptions, _ findings: inout StageFindings
  ) {
    let index = options.conditions.firstIndex(where: \.countsTokens)
    if let index, !stage.isBound("tokenizer") {
      findings.error(
        .missingInput, "`where` counts tokens, which needs the input `tokenizer`",
        at: .option("where.\(index).tokens"), label: "of which model?",
        help: "name the model that will read the text: `in: {tokenizer: MODEL}`")
    } else if index == nil, stage.isBound("tokenizer") {
      findings.warning(
        .unusedInput, "no condition of `where` counts tokens, so `tokenizer` is not read",
        at: .input("tokenizer"), label: "not read", help: "remove it")
    }
  }

  private static func checkFiles(at paths: [String], _ options: DataOptions, _ findings: inout StageFindings)
  {
    // A file that is missing is said elsewhere.
    guard !paths.isEmpty, paths.allSatisfy({ FileStatus.of($0)?.isRegularFile == true }) else { return }
    let files = DataFiles(paths, limit: bytesChecked)
    var reader = DataReader(options, tokenizer: nil)
    do {
      try reader.read(files) { _ in }
    } catch {
      guard let misfit = reader.misfit else {
        findings.error(
          .wrongData, "\(error)", at: .option("path"), label: paths.count == 1 ? "this file" : "these files",
          inInput: true)
        return
      }
      let names = options.derived.names + reader.fieldsOfFirstRecord
      findings.error(
        .unknownField, "\(error)", at: .option(misfit.option),
        help: misfit.missing.flatMap { Suggestion.nearest(to: $0, among: names) }.map {
          "did you mean `\($0)`?"
        },
        inInput: true)
      return
    }
    let count =
      options.shuffle == nil ? reader.rowCount : min(options.limit, max(0, reader.rowCount - options.skip))
    if reader.isWhole, reader.rowCount == 0 {
      findings.error(.noRows, reader.whyEmpty(files), at: .option(emptyOption(reader)), inInput: true)
    } else if reader.isWhole, count == 0 {
      findings.error(
        .noRows, "\(files.name): all \(reader.rowCount) rows are skipped", at: .option("skip"), inInput: true)
    } else if reader.isWhole, !options.countsTokens {
      findings.declare(Fact.rows, .int(Int64(count)), of: "rows")
    } else if reader.recordCount > 0, reader.leftOut.bad + reader.leftOut.filtered == reader.recordCount {
      findings.warning(
        .noRowsSeen,
        "of the first \(reader.recordCount) \(reader.unit) of `\(paths[0])` none is taken: \(reader.leftOut.bad) are bad, "
          + "\(reader.leftOut.filtered) do not satisfy `where`",
        at: .option(emptyOption(reader)), label: "none of them fits")
    }
  }

  /// The option that left the rows out, or the file.
  private static func emptyOption(_ reader: DataReader) -> String {
    let leftOut = reader.leftOut
    if leftOut.filtered > 0 { return "where" }
    if leftOut.ofOtherParts > 0 { return "partition" }
    return leftOut.skipped > 0 ? "skip" : "path"
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
