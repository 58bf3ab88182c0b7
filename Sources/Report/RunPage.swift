// The page of one run: what was asked, what came out, how it got there, and what it was made of.

import Charts
import JSON
import Runner
import System

package struct RunPage {
  private let contents: RunContents

  /// - Throws: where the run's folder or the store cannot be read.
  package init(_ run: RunSummary, store: Store) throws {
    contents = try RunContents(run, store: store)
  }

  package var page: Page {
    get throws {
      let run = contents.run
      let curves = try RunCharts(contents)
      let samples = SampleChoice(contents).block().map { [$0] } ?? []
      return Page(
        run.experiment, subtitle: "run \(run.id), \(run.command)", state: state,
        [
          Page.Section("Result", try result()),
          Page.Section("Curves", curves.measured()),
          Page.Section("Training", curves.training()),
          Page.Section("Classes", try curves.classes()),
          Page.Section("Evaluations", evaluations()),
          Page.Section("Samples", samples),
          Page.Section("Time and memory", time()),
          Page.Section("Plan", plan()),
          Page.Section("Models and data", try sources()),
          Page.Section("Experiment", files()),
        ])
    }
  }

  private var state: String {
    switch contents.run.state {
    case .running: "running"
    case .done: "done"
    case .ended: "ended early"
    case .failed: "failed, exit \(contents.run.exitCode ?? 1)"
    case .interrupted: "interrupted"
    }
  }

  // MARK: sections

  private func result() throws -> [Page.Block] {
    let run = contents.run
    var blocks = contents.nodes.filter { $0.state == .failed }.flatMap { node -> [Page.Block] in
      let log = contents.endOfLog(node.address).map {
        [Page.Block.code($0, title: "the end of its log", isOpen: true)]
      }
      return [.warning("\(node.address) failed: \(node.message ?? "no message")")] + (log ?? [])
    }
    let measured = DeclaredMetrics(contents).rows
    if measured.count > 1 {
      blocks.append(.table(measured))
      if measured.contains(where: { $0.contains { $0.contains("±") } }) {
        blocks.append(
          .paragraph(
            "±: the standard error over prompts; the interval is of the mean over other prompts, not over other seeds."
          ))
      }
    }
    let finished = contents.nodes.count { $0.state == .done || $0.state == .cached }
    let machine = contents.text("machine.json").flatMap { try? JSON(parsing: Array($0.utf8)) }
    var facts: [(name: String, value: String)] = [
      ("began", run.started),
      ("stages", "\(finished) of \(run.nodes) finished; \(run.executed) run, \(run.cached) from the store"),
    ]
    if let seconds = run.seconds { facts.append(("took", duration(seconds))) }
    if let processor = machine?["processor"]?.stringValue {
      facts.append(("machine", "\(processor), \(machine?["processors"]?.intValue ?? 0) processors"))
    }
    if let trial = run.trial { facts.append(("trial", String(trial.number))) }
    blocks.append(.facts(facts))
    let parameters = run.parameters.members.map { (name: $0.key, value: RunTable.plain($0.value)) }
    return blocks + (parameters.isEmpty ? [] : [.paragraph("Parameters:"), .facts(parameters)])
  }

  private func evaluations() -> [Page.Block] {
    let table = EvaluationTable(of: contents.run)
    let cells = table.cells
    guard !cells.isEmpty else { return [] }
    // Few stages and many metrics: a line for each metric can be read, one for each stage cannot.
    let turned = cells[0].indices.map { column in cells.map { $0[column] } }
    return [.table(cells[0].count > cells.count ? turned : cells)]
  }

  private func time() -> [Page.Block] {
    let began = contents.nodes.compactMap { $0.startTime.flatMap(Timestamp.init(text:)) }
      .map(\.secondsSince1970).min()
    let stages = Array(Set(contents.nodes.map(\.stage))).sorted()
    let bars = contents.nodes.compactMap { node -> Gantt.Bar? in
      guard let began, let seconds = node.seconds,
        let start = node.startTime.flatMap(Timestamp.init(text:))?.secondsSince1970
      else { return nil }
      return Gantt.Bar(
        node.address, from: start - began, to: start - began + seconds, note: duration(seconds),
        kind: stages.firstIndex(of: node.stage) ?? 0)
    }
    var blocks: [Page.Block] = []
    if !bars.isEmpty {
      // Of very many the longest.
      let kept = Set(
        bars.indices.sorted { bars[$0].end - bars[$0].start > bars[$1].end - bars[$1].start }.prefix(60))
      let shown = bars.indices.filter(kept.contains).map { bars[$0] }
      if shown.count < bars.count {
        blocks.append(.paragraph("The longest \(shown.count) of \(bars.count) stages that ran."))
      }
      blocks.append(.widePicture(Page.Picture("time", Gantt(shown))))
    }
    let rows = contents.nodes.indices.compactMap { place -> [String]? in
      let (node, record) = (contents.nodes[place], contents.records[place])
      guard let record else { return nil }
      func measure(_ name: String) -> Double? { record.measures.first { $0.name == name }?.value }
      return [
        node.address, node.stage, node.state.rawValue, duration(record.seconds),
        measure("peak_memory_mib").map { "\(TextTable.format("%.0f", $0)) MiB" } ?? "",
        measure("tokens").map { TextTable.format("%.0f", $0) } ?? "",
        measure("tokens_per_second").map { TextTable.format("%.0f", $0) } ?? "",
        String(record.key.prefix(12)),
      ]
    }
    guard !rows.isEmpty else { return blocks }
    let heading = ["stage", "uses", "state", "took", "peak memory", "tokens", "tokens/s", "key"]
    let most = 200
    let title = rows.count > most ? "the first \(most) of \(rows.count) stages" : "all \(rows.count) stages"
    blocks.append(.foldedTable([heading] + rows.prefix(most), title: "Memory, tokens and keys of \(title)"))
    return blocks
  }

  private func plan() -> [Page.Block] {
    let most = 150
    guard let drawing = StageGraph.drawing(of: contents, most: most) else {
      return [
        .paragraph(
          "More than \(most) stages, too many for a picture here: \(Program.name) plan \(contents.run.file ?? "FILE") --graph mermaid"
        )
      ]
    }
    return [.widePicture(Page.Picture("plan", drawing))]
  }

  private func sources() throws -> [Page.Block] {
    let rows = try RunSources(contents.run, store: contents.store).rows
    let observed = contents.nodes.filter { !$0.observed.isEmpty }
    let table: [Page.Block] = rows.count > 1 ? [.table(rows)] : []
    if observed.isEmpty { return table }
    let servers = observed.flatMap(\.observed).distinct().map { "`\($0)`" }.joined(separator: ", ")
    return table + [
      .paragraph(
        "Observed, not computed: \(observed.map(\.address).joined(separator: ", ")) are made of what \(servers) replied. The replies are kept in the store, so that the same run gives the same; a server that is asked again may reply otherwise."
      )
    ]
  }

  private func files() -> [Page.Block] {
    let name = contents.run.file ?? "experiment.yaml"
    var blocks: [Page.Block] = []
    if let text = contents.text(RunDirectory.experimentName) {
      blocks.append(.code(text, title: name, isOpen: true))
    }
    for (name, text) in RunDirectory.otherFiles(of: contents.run.path) {
      blocks.append(.code(text, title: name, isOpen: false))
    }
    if let text = contents.text("resolved.yaml") {
      blocks.append(
        .code(text, title: "all of it together, each value with the place that it comes from", isOpen: false))
    }
    return blocks
  }
}
