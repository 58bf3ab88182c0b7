// `data`: prompts from data files.

import JSON
import Runner

package struct DataStage: Stage {
  package init() {}

  package static let declaration = StageDeclaration(
    name: "data",
    summary: "Reads prompts from data files, through a template over its fields.",
    version: 2,
    inputs: [],
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
    let paths = context.options[DataOptions.path]
    let options = try DataOptions(context.options)
    var reader = DataReader(options)
    let expected = Self.recordCount(paths) ?? 0
    try writeRows(to: context.output("rows", .rows)) { writer in
      try reader.read(
        DataFiles(paths),
        pause: { count in
          try context.checkCancellation()
          context.progress(count, of: max(count, expected), unit: "records")
        }, { try writer.append($0) })
    }
    for skipped in reader.skipped { context.log("skipped \(skipped)") }
    context.leaveOut(reader.skippedCount, "bad lines")
    guard reader.rowCount > 0 else { throw InputError(reader.whyEmpty(paths)) }
    context.progress(reader.rowCount, of: reader.rowCount, unit: "rows")
  }
}
