// `command`, before it runs: the places in its words against its ports, and what a stream needs.

import JSON
import Runner
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
    findings.pass(stage.artifacts(CommandStream.rowsPort), to: "rows")
    return findings
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
