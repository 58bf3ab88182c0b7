// `plumb samples EXPERIMENT ADDRESS…`: what stages wrote for the same prompts, side by side.

import ArgumentParser
import JSON
import Runner
import System

struct SamplesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "samples", abstract: "Show what stages generated for the same prompts. Runs nothing.",
    discussion: """
      An address is a stage as `\(Program.name) plan` shows it; `@last` is the last iteration, and `.NAME` an output. The prompts are the \
      first ones of the first address, in the order of its rows. Of several generations of a prompt the first is shown.

        \(Program.name) samples experiments/quickstart.yaml before_score quark@last.judge
      """)

  @OptionGroup var experiment: ExperimentArguments

  @Argument(
    help: ArgumentHelp(
      "Stages that write generations: before_score, quark@last.judge.", valueName: "address"),
    completion: Completion.addresses)
  var addresses: [String]

  @Option(help: "Prompts.")
  var count = 5

  @OptionGroup var storage: StoreArguments

  func validate() throws {
    if count < 1 { throw ValidationError("--count must be at least 1, found \(count)") }
    if addresses.isEmpty { throw ValidationError("at least one address is needed, such as quark@last.judge") }
  }

  func run() throws {
    finish {
      let loaded = load(experiment)
      let store = try Store(at: storage.path(projectRoot: loaded.projectRoot))
      store.onWarning = { standardError("warning: \(TerminalText.escaped($0))\n") }
      var resolution = try Resolution(plan: loaded.plan, store: store, stages: stageRegistry.stages)
      let sheets = try addresses.map { try Sheet(address: $0, &resolution, file: experiment.file) }
      try standardOutput(text(of: sheets))
      return .done
    }
  }

  private func text(of sheets: [Sheet]) -> String {
    guard let first = sheets.first else { return "" }
    let labels = ["prompt"] + sheets.map(\.address)
    let margin = labels.map { TextTable.width(TerminalText.escaped($0)) }.max() ?? 0
    let width = max(40, min(terminalColumns(1) ?? 100, 160))
    func entry(_ label: String, _ text: String) -> String {
      let lines = TextTable.wrapped(TerminalText.line(text), to: max(20, width - margin - 4))
      return lines.enumerated().map { index, line in
        "  " + TextTable.padded(index == 0 ? TerminalText.escaped(label) : "", to: margin) + "  \(line)\n"
      }.joined()
    }
    let shown = first.rows.prefix(count)
    var text =
      "the first \(shown.count) of \(first.rows.count) prompts, in the order of `\(TerminalText.escaped(first.address))`\n"
    for row in shown {
      text +=
        "\n\(TerminalText.escaped(row.id))\n"
        + entry("prompt", row["prompt"].map { $0.stringValue ?? $0.text() } ?? "")
      for sheet in sheets { text += entry(sheet.address, sheet.words(for: row.id)) }
    }
    return text
  }
}

/// The rows that one address wrote.
private struct Sheet {
  let address: String
  let rows: [Row]
  private let positions: [UTF8Key: Int]

  /// - Throws: `RunError` for an unknown address (2) or a stage that has not run (11).
  init(address: String, _ resolution: inout Resolution, file: String) throws {
    self.address = address
    let (node, named) = try resolution.find(address, stages: stageRegistry)
    try resolution.requireNotSkipped(node)
    let outputs = try resolution.declaration(of: node).outputs
    guard let output = named ?? outputs.first(where: { $0.type == .rows }), output.type == .rows else {
      throw RunError(
        .commandLine,
        "`\(address)` writes no rows, but \(outputs.map { "`\($0.name)`" }.joined(separator: ", "))")
    }
    guard let stored = resolution.records[node.index]?.output(output.name) else {
      throw RunError(
        .workFound,
        "`\(address)` has not run with these settings; `\(Program.name) run \(file)` runs it, `\(Program.name) plan \(file)` shows why"
      )
    }
    let path = try resolution.store.readingPath(stored)
    rows = try readRows(path, requiring: ["prompt"])
    guard rows.allSatisfy({ $0["generations"]?.arrayValue != nil }) else {
      throw RunError(
        .commandLine, "the rows of `\(address)` hold no generations; name a stage after a `sample`")
    }
    var positions: [UTF8Key: Int] = [:]
    for (index, row) in rows.enumerated() { positions[UTF8Key(row.id)] = index }
    self.positions = positions
  }

  /// The first generation, with its reward where it has one.
  func words(for id: String) -> String {
    guard let row = positions[UTF8Key(id)].map({ rows[$0] }) else { return "(not among its rows)" }
    let generations = row["generations"]?.arrayValue ?? []
    guard let first = generations.first else { return "(no generation)" }
    let text = first.stringValue ?? first.text()
    var words: [String] = []
    if let reward = row["rewards"]?.arrayValue?.first?.doubleValue {
      words.append("reward \(TextTable.number(reward))")
    }
    if generations.count > 1 { words.append("1 of \(generations.count)") }
    let shown = text.isEmpty ? "(empty)" : text
    return words.isEmpty ? shown : "\(shown)  [\(words.joined(separator: ", "))]"
  }
}
