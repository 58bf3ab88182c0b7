// The inputs and outputs that the options of `command` declare.

import Experiments
import JSON

enum CommandPorts {
  static let input = OptionValueType.object([
    inputName.field, type.field, columns.field, collects.field, required.field,
  ]) {
    InputPort(
      $0[inputName], $0[type], required: $0[required], columns: $0[columns], collects: $0[collects],
      summary: "")
  }
  static let output = OptionValueType.object([outputName.field, type.field, outputColumns.field]) {
    CommandOutput(name: $0[outputName], type: $0[type], columns: $0[outputColumns])
  }

  private static let inputName = StageOption("name", .string, summary: "The port's name under `in`.")
  private static let outputName = StageOption("name", .string, summary: "The port's name.")
  private static let type = StageOption(
    "type", .choice(ArtifactType.self), default: "rows", summary: "What it holds.")
  private static let columns = StageOption(
    "columns", .list(.string, count: 0...1000), default: [], summary: "Columns rows must have.")
  private static let collects = StageOption(
    "collects", .bool, default: false,
    summary: "Whether it takes several artifacts: `{in.NAME}` is then all of their paths, one argument each.")
  private static let required = StageOption(
    "required", .bool, default: true, addedLater: true, aliases: ["optional"],
    summary:
      "Whether something must be bound to it. With `false` it may be null, as a `carry` is in the first iteration: an entry of `run` that names `{in.NAME}` is then left out, and in a line for a shell nothing stands in its place."
  )
  private static let outputColumns = StageOption(
    "columns", .list(.either(.mapped(.string, CommandColumn.init), CommandColumn.type), count: 0...1000),
    default: [],
    summary:
      "Columns rows have; with `rows: stream`, those it adds. A name alone is a column of the row, unless it is one that usually has an entry per generation (`rewards`, `feedbacks`, `scores`, …)."
  )
}

struct CommandOutput {
  let name: String
  let type: ArtifactType
  let columns: [CommandColumn]

  /// - Parameter streams: whether rows of the input `rows` keep their columns in it.
  func port(passingThrough streams: Bool) -> OutputPort {
    OutputPort(
      name, type, passesThrough: streams && type == .rows ? CommandStream.rowsPort : nil,
      columns: columns.filter { $0.per == .row }.map(\.name),
      samples: columns.filter { $0.per == .sample }.map(\.name), hasOtherColumns: true, summary: "")
  }
}

struct CommandColumn {
  let name: String
  let per: ColumnTable.Per

  private init(_ name: String, _ per: ColumnTable.Per) {
    self.name = name
    self.per = per
  }

  /// One whose name alone is written.
  init(_ name: String) {
    self.init(name, usualSampleColumns.contains { UTF8Key($0) == UTF8Key(name) } ? .sample : .row)
  }

  static let type = OptionValueType.object([nameOption.field, perOption.field]) {
    CommandColumn($0[nameOption], $0[perOption])
  }

  private static let nameOption = StageOption("name", .string, summary: "The column's name.")
  private static let perOption = StageOption(
    "per", .choice(ColumnTable.Per.self),
    summary: "Whether it holds one value per row, or a list with one entry per generation.")
}
