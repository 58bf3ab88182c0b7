// `uses: command`: any program as a stage.

import Experiments
import Glibc
import JSON
import System

/// Runs a program on declared inputs. It works in a private folder that holds copies of the files it declares and nothing
/// else, so that what it reads without having said so is not found rather than missing from the key.
///
/// In `run`, `{in.NAME}` and `{out.NAME}` stand for the paths of inputs and outputs, `{seed}` for the node's seed, `{threads}` for
/// how many threads it may use. An entry that names an input to which nothing is bound is left out.
package struct CommandStage: Stage {
  static let run = StageOption(
    "run", .list(.string, count: 1...1000),
    summary:
      "The program and its arguments; `{in.NAME}`, `{out.NAME}`, `{seed}`, `{threads}` are filled in.")
  static let shell = StageOption(
    "shell", .bool, default: false, summary: "Whether the one entry of `run` is a line for `/bin/sh`.")
  static let files = StageOption(
    "files", .list(.file, count: 0...1000), default: [],
    summary:
      "Files the program needs, copied into its folder under their own names; their contents enter the key.")
  private static let inputs = StageOption(
    "inputs", .list(CommandPorts.input, count: 0...100), default: [], summary: "Its inputs.")
  private static let outputs = StageOption(
    "outputs", .list(CommandPorts.output, count: 1...100),
    summary: "Its outputs; the stage's name alone refers to the first.")
  static let rows = StageOption(
    "rows", .choice(Rows.self), default: "file",
    summary:
      "`stream`: the program reads rows on standard input, one per line, and answers each on standard output with an object of the row's `id` and the new columns, in any order. Each answer is stored at once, and the stage can be split into shards."
  )
  static let env = StageOption(
    "env", .list(.string, count: 0...100), default: [],
    summary:
      "Environment variables that the program gets. Their values are stored nowhere and are in no key.")
  /// Read by nobody: it is in the key.
  private static let version = StageOption(
    "version", .integer(0...1_000_000), default: 1,
    summary: "Raise it when the program's results change although nothing declared has changed.")

  /// How the program gets its rows.
  enum Rows: String, CaseIterable { case file, stream }

  package static let declaration = StageDeclaration(
    name: "command", summary: "Runs a program: any language, rows as JSON Lines in and out.", version: 2,
    inputs: [], outputs: [],
    options: [
      run.field, shell.field, files.field, inputs.field, outputs.field, rows.field, env.field, version.field,
    ])

  package static var portsFollowOptions: Bool { true }

  package static func declaration(for options: JSON) -> StageDeclaration {
    let streams = rows.value(in: options) == .stream
    return StageDeclaration(
      name: declaration.name, summary: declaration.summary, version: declaration.version,
      inputs: inputs.value(in: options) ?? [],
      outputs: (outputs.value(in: options) ?? []).map { $0.port(passingThrough: streams) },
      options: declaration.options,
      isRandom: (run.value(in: options) ?? []).contains { $0.contains("{seed}") },
      rowsAreIndependent: streams, environment: env.value(in: options) ?? [])
  }

  package init() {}

  package func run(_ context: StageContext) throws {
    if context.options[Self.rows] == .stream {
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
          for row in try readRows(path, requiring: output.columns + output.samples, reading: [])
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
