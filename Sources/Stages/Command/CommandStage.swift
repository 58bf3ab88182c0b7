// `uses: command`: any program as a stage.

import Glibc
import JSON
import Runner
import System

/// Runs a program on declared inputs. It works in a private folder that holds copies of the files it declares and nothing
/// else, so that what it reads without having said so is not found rather than missing from the key.
///
/// In `run`, `{in.NAME}` and `{out.NAME}` stand for the paths of inputs and outputs, `{seed}` for the node's seed, `{threads}` for
/// how many threads it may use.
package struct CommandStage: Stage {
  private static let ports: [String] = ["rows", "model", "metrics", "file"]

  package static let declaration = StageDeclaration(
    name: "command", summary: "Runs a program: any language, rows as JSON Lines in and out.", version: 2,
    inputs: [], outputs: [],
    options: [
      OptionField(
        "run", .list(.string, count: 1...1000),
        summary:
          "The program and its arguments; `{in.NAME}`, `{out.NAME}`, `{seed}`, `{threads}` are filled in."),
      OptionField(
        "shell", .bool, default: false, summary: "Whether the one entry of `run` is a line for `/bin/sh`."),
      OptionField(
        "files", .list(.file, count: 0...1000), default: [],
        summary:
          "Files the program needs, copied into its folder under their own names; their contents enter the key."
      ),
      OptionField(
        "inputs",
        .list(
          .object([
            OptionField("name", .string, summary: "The port's name under `in`."),
            OptionField("type", .choice(ports), default: "rows", summary: "What it holds."),
            OptionField(
              "columns", .list(.string, count: 0...1000), default: [], summary: "Columns rows must have."),
            OptionField(
              "collects", .bool, default: false,
              summary:
                "Whether it takes several artifacts: `{in.NAME}` is then all of their paths, one argument each."
            ),
          ]), count: 0...100), default: [], summary: "Its inputs."),
      OptionField(
        "outputs",
        .list(
          .object([
            OptionField("name", .string, summary: "The port's name."),
            OptionField("type", .choice(ports), default: "rows", summary: "What it holds."),
            OptionField(
              "columns",
              .list(
                .either([
                  .string,
                  .object([
                    OptionField("name", .string, summary: "The column's name."),
                    OptionField(
                      "per", .choice(["row", "sample"]),
                      summary: "Whether it holds one value per row, or a list with one entry per generation."),
                  ]),
                ]), count: 0...1000), default: [],
              summary:
                "Columns rows have; with `rows: stream`, those it adds. A name alone is a column of the row, unless it is one that usually has an entry per generation (`rewards`, `feedbacks`, `scores`, …)."
            ),
          ]), count: 1...100), summary: "Its outputs; the stage's name alone refers to the first."),
      OptionField(
        "rows", .choice(["file", "stream"]), default: "file",
        summary:
          "`stream`: the program reads rows on standard input, one per line, and answers each on standard output with an object of the row's `id` and the new columns, in any order. Each answer is stored at once, and the stage can be split into shards."
      ),
      OptionField(
        "env", .list(.string, count: 0...100), default: [],
        summary:
          "Environment variables that the program gets. Their values are stored nowhere and are in no key."),
      OptionField(
        "version", .integer(0...1_000_000), default: 1,
        summary: "Raise it when the program's results change although nothing declared has changed."),
    ])

  package static var portsFollowOptions: Bool { true }

  package static func declaration(for options: JSON) -> StageDeclaration {
    let streams = options["rows"]?.stringValue == "stream"
    func declared(_ option: String) -> [(
      name: String, type: ArtifactType, columns: [JSON], collects: Bool
    )] {
      (options[option]?.arrayValue ?? []).compactMap { port in
        guard let name = port["name"]?.stringValue,
          let type = port["type"]?.stringValue.flatMap(ArtifactType.init(rawValue:))
        else { return nil }
        return (
          name, type, port["columns"]?.arrayValue ?? [],
          port["collects"]?.boolValue ?? false
        )
      }
    }
    return StageDeclaration(
      name: declaration.name, summary: declaration.summary, version: declaration.version,
      inputs: declared("inputs").map {
        InputPort(
          $0.name, $0.type, columns: $0.columns.compactMap(\.stringValue),
          collects: $0.collects, summary: "")
      },
      outputs: declared("outputs").map { port in
        let columns = port.columns.map { ($0.stringValue ?? $0["name"]?.stringValue ?? "", isPerSample($0)) }
        return OutputPort(
          port.name, port.type, passesThrough: streams && port.type == .rows ? CommandStream.rowsPort : nil,
          columns: columns.filter { !$0.1 }.map(\.0), samples: columns.filter(\.1).map(\.0),
          hasOtherColumns: true,
          summary: "")
      },
      options: declaration.options,
      isRandom: (options["run"]?.arrayValue ?? []).contains { $0.stringValue?.contains("{seed}") ?? false },
      rowsAreIndependent: streams,
      environment: (options["env"]?.arrayValue ?? []).compactMap(\.stringValue))
  }

  private static func isPerSample(_ column: JSON) -> Bool {
    if let per = column["per"]?.stringValue { return per == "sample" }
    return usualSampleColumns.contains { UTF8Key($0) == UTF8Key(column.stringValue ?? "") }
  }

  package init() {}

  package func run(_ context: StageContext) throws {
    if context.options.string("rows") == "stream" {
      try CommandStream().run(context)
    } else {
      try runOnFiles(context)
    }
  }

  private func runOnFiles(_ context: StageContext) throws {
    let program = try Program(context)
    let process = try program.start(descriptors: [nil, 2, 2])
    let ending = try program.waitForEnd(of: process, context)
    guard ending == .exited(0) else { throw RunError(.stageFailed, program.describe(ending)) }
    for output in Self.declaration(for: context.options.json).outputs {
      let path = context.output(output.name, output.type)
      guard access(path, F_OK) == 0 else {
        throw RunError(
          .stageFailed,
          "\(program.name) ended with status 0 but did not write `{out.\(output.name)}`, the output `\(output.name)`"
        )
      }
      do {
        switch output.type {
        case .rows:
          let table = ColumnTable(samples: output.samples)
          for row in try readRows(path, requiring: output.columns + output.samples)
          where !output.samples.isEmpty {
            _ = try SampleLists(row, table)
          }
        case .metrics: try checkMetrics(path, output.name)
        case .model, .file: break
        }
      } catch let error as InputError {
        throw RunError(
          .stageFailed, "\(program.name) wrote an invalid `\(output.name)`: \(error.description)")
      }
    }
  }

  private func checkMetrics(_ path: String, _ name: String) throws {
    do {
      let json = try JSON(parsing: try File.read(path))
      if json.objectValue == nil { throw InputError("expected an object, found \(json.kind)") }
    } catch let error as JSONError {
      throw InputError("not JSON: \(error.message)")
    }
  }
}
