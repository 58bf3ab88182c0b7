// `data`: prompts, and given texts, from data files.

import Experiments
import JSON
import Models

package struct DataStage: Stage {
  package init() {}

  package static let declaration = StageDeclaration(
    name: "data",
    summary: "Reads prompts from data files, through a template over its fields.",
    version: 2,
    inputs: [
      InputPort(
        "tokenizer", .model, required: false,
        summary: "the model whose tokenizer counts `tokens` in `where`; only its tokenizer is read")
    ],
    outputs: [
      OutputPort(
        "rows", .rows, columns: ["prompt"], hasOtherColumns: false,
        summary: "one row for each line that was kept")
    ],
    options: DataOptions.fields, estimate: estimate)

  package static func declaration(for options: JSON) -> StageDeclaration {
    let columns = DataColumns(options)
    return declaration.giving("rows", columns: columns.rows, samples: columns.samples)
  }

  package func run(_ context: StageContext) throws {
    let options = try DataOptions(context.options)
    let files = DataFiles(context.options[DataOptions.path])
    var reader = DataReader(options, tokenizer: try tokenizer(options, context))
    let count = try writeRows(to: context.output("rows", .rows)) { writer in
      try Self.write(files, options, with: &reader, to: &writer, context)
    }
    report(reader, context)
    guard count > 0 else {
      throw InputError(
        reader.rowCount == 0
          ? reader.whyEmpty(files)
          : "\(files.name): all \(reader.rowCount) rows were skipped; write a smaller `skip`")
    }
    context.progress(count, of: count, unit: "rows")
  }

  /// - Returns: how many rows were written.
  private static func write(
    _ files: DataFiles, _ options: DataOptions, with reader: inout DataReader, to writer: inout RowWriter,
    _ context: StageContext
  ) throws -> Int {
    let expected = recordCount(files.paths) ?? 0
    func pause(_ count: Int) throws {
      try context.checkCancellation()
      context.progress(count, of: max(count, expected), unit: "records")
    }
    guard let seed = options.shuffle else {
      // Two closures that write: one of them is called at a time.
      try reader.read(
        files, pause: pause, direct: DirectRows(options),
        giveWritten: { id, rest in
          try writer.appendLine { line in
            line.append(raw: DirectLines.beforeID.bytes)
            line.append(raw: id)
            line.append(raw: rest)
          }
        }, { try writer.append($0) })
      return reader.rowCount
    }
    var shuffle = RowShuffle(seed: seed)
    try reader.read(files, pause: pause) { try shuffle.append($0) }
    let lines = shuffle.lines(skipping: options.skip, limit: options.limit)
    reader.leftOut.skipped = min(options.skip, reader.rowCount)
    for line in lines { try writer.append(line: line) }
    return lines.count
  }

  private func tokenizer(_ options: DataOptions, _ context: StageContext) throws -> Tokenizer? {
    guard options.countsTokens else { return nil }
    guard let model = context.inputs["tokenizer"] else {
      throw InputError("option `where`: `tokens` needs the input `tokenizer`")
    }
    return try openTokenizer(model.path)
  }

  private func report(_ reader: DataReader, _ context: StageContext) {
    for bad in reader.badRecords { context.log("skipped \(bad)") }
    context.leaveOut(reader.leftOut.bad, "bad lines")
    context.leaveOut(reader.leftOut.filtered, "rows by where")
    context.leaveOut(reader.leftOut.repeated, "repeated rows")
    context.leaveOut(reader.leftOut.ofOtherParts, "rows of other parts")
    context.leaveOut(reader.leftOut.skipped, "rows at the start")
  }
}
