// `command`, before it runs: the places in its words against its ports, and what a stream needs.

import Experiments
import JSON
import System

extension CommandStage {
  package static func check(_ stage: StageCheck) -> StageFindings {
    var findings = StageFindings()
    let options = stage.options
    let declaration = declaration(for: options.json)
    let words = options[run]
    if options[shell], words.count != 1 {
      findings.error(
        .conflictingOptions,
        "with `shell: true` `run` must have one entry, the whole line; it has \(words.count)",
        at: .option("run"), label: "\(words.count) entries")
    }
    for (index, word) in words.enumerated() {
      for place in places(in: word) {
        let ports = place.isInput ? declaration.inputs.map(\.name) : declaration.outputs.map(\.name)
        guard !ports.contains(where: { $0.utf8.elementsEqual(place.name.utf8) }) else { continue }
        let kind = place.isInput ? "in" : "out"
        findings.error(
          place.isInput ? .unknownInput : .unknownOutput,
          "`run` names `{\(kind).\(place.name)}`, but `\(kind)puts` declares no `\(place.name)`",
          at: .option("run.\(index)"), label: "not declared",
          help: Suggestion.nearest(to: place.name, among: ports).map { "did you mean `{\(kind).\($0)}`?" })
      }
    }
    checkPorts(declaration.inputs.map(\.name), "inputs", &findings)
    checkPorts(declaration.outputs.map(\.name), "outputs", &findings)
    if let first = words.first, !options[shell],
      let port = declaration.inputs.first(where: {
        !$0.isRequired && places(in: first).map(\.name).contains($0.name)
      })
    {
      findings.error(
        .conflictingOptions,
        "the program is `{in.\(port.name)}`, and the input `\(port.name)` need not be bound",
        at: .option("run.0"), label: "may be left out",
        help: "name a program, or leave out `required: false`")
    }
    var names: Set<UTF8Key> = []
    for (index, path) in options[files].enumerated()
    where !names.insert(UTF8Key(Path.name(path))).inserted {
      findings.error(
        .wrongValue, "two of `files` are called `\(Path.name(path))`, and both are copied into one folder",
        at: .option("files.\(index)"), label: "the second")
    }
    guard options[rows] == .stream else { return findings }
    let input = declaration.inputs.first { $0.name.utf8.elementsEqual(CommandStream.rowsPort.utf8) }
    if input?.type != .rows || declaration.outputs.first?.type != .rows
      || declaration.outputs.first.map({ $0.name.utf8.elementsEqual("rows".utf8) }) == false
    {
      findings.error(
        .conflictingOptions,
        "`rows: stream` reads the input `rows` and writes the output `rows`, and both must be declared",
        at: .option("rows"), label: "streams rows",
        help: "write `inputs: [{name: rows}]` and `outputs: [{name: rows, columns: […]}]`")
    }
    if let index = declaration.inputs.firstIndex(where: {
      $0.name.utf8.elementsEqual(CommandStream.rowsPort.utf8) && !$0.isRequired
    }) {
      findings.error(
        .conflictingOptions, "`rows: stream` reads the input `rows`, which must be bound",
        at: .option("inputs.\(index).required"), label: "may be null", help: "remove it")
    }
    for (index, output) in declaration.outputs.enumerated().dropFirst() {
      findings.error(
        .conflictingOptions,
        "`rows: stream` writes the output `rows` alone, from the program's answers; `outputs` declares `\(output.name)` too",
        at: .option("outputs.\(index)"), label: "nobody writes it",
        help: "write `rows: file`, where the program writes each output at `{out.NAME}`")
    }
    findings.pass(stage.artifacts(CommandStream.rowsPort), to: "rows")
    return findings
  }

  /// A port's name is a key under `in`, and the name of a file that is written.
  private static func checkPorts(_ names: [String], _ option: String, _ findings: inout StageFindings) {
    var seen: Set<UTF8Key> = []
    for (index, name) in names.enumerated() {
      let isName =
        !name.isEmpty && name.utf8.count <= 100
        && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && !"/.@{}".utf8.contains($0) }
      if !isName {
        findings.error(
          .wrongValue, "`\(option)` declares \(quoted(name)), which is no name of a port",
          at: .option("\(option).\(index).name"), label: "not a name",
          help: "use letters, digits, `_` and `-`: it is a key under `in` and a part of a file's name")
      } else if !seen.insert(UTF8Key(name)).inserted {
        findings.error(
          .wrongValue, "`\(option)` declares `\(name)` twice", at: .option("\(option).\(index).name"),
          label: "the second", help: "give each port a name of its own")
      }
    }
  }

  /// `{in.NAME}` and `{out.NAME}`.
  private static func places(in word: String) -> [(isInput: Bool, name: String)] {
    let bytes = Array(word.utf8)
    var found: [(isInput: Bool, name: String)] = []
    for index in bytes.indices where bytes[index] == UInt8(ascii: "{") {
      for (start, isInput) in [("{in.", true), ("{out.", false)]
      where bytes[index...].starts(with: start.utf8) {
        guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "}")) else { continue }
        found.append((isInput, String(decoding: bytes[(index + start.utf8.count)..<end], as: UTF8.self)))
      }
    }
    return found
  }
}
