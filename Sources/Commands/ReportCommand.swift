// `plumb report`: one page about a run or a sweep, that opens from a disk.

import ArgumentParser
import Report
import RunIndex
import Runner
import System

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write one page about a run: HTML that needs nothing beside it, or Markdown.",
    discussion: """
      What was asked and what came out, curves, classes, samples side by side, time and memory, the plan, models and data. Everything \
      is inside the page, and it fetches nothing. `run` writes one beside each run, runs/NAME/ID/report.html.

        \(Program.name) report @last -o report.html
        \(Program.name) report quickstart@last --md -o docs/quickstart.md
      """)

  @Argument(
    help: ArgumentHelp(
      "A run: an id or the beginning of one, `@last`, `NAME@last`, its folder; or an experiment's file: its sweep, else its last run.",
      valueName: "run"), completion: Completion.runs)
  var source = "@last"

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The file (default: report.html, or report.md, in the run's folder).", valueName: "file"),
    completion: .file())
  var output: String?

  @Flag(help: "Write Markdown, and its pictures as SVG files into a folder beside it.")
  var md = false

  @OptionGroup var parameters: ParameterArguments
  @OptionGroup var storage: StoreArguments
  @OptionGroup var place: RunsArguments

  func run() throws {
    finish {
      let isExperiment = source.hasSuffix(".yaml") || source.hasSuffix(".yml")
      let (page, folder, name) = isExperiment ? try pageOfFile() : try page(of: place.findOrRead(source))
      let path = output.map { Path.absolute($0) } ?? "\(folder)/\(name).\(md ? "md" : "html")"
      try ReportFile.write(page, to: path, asMarkdown: md)
      standardError("wrote \(TerminalText.escaped(output ?? path))\n")
      return .done
    }
  }

  private func page(of run: RunSummary) throws -> (Page, folder: String, name: String) {
    let store = try Store(at: storage.path(projectRoot: place.projectRoot))
    return (try RunPage(run, store: store).page, run.path, ReportFile.name)
  }

  private func pageOfFile() throws -> (Page, folder: String, name: String) {
    let reader = ExperimentReader(try parameters.experiment(source), storage)
    let loaded = load(reader) { _ in nil }
    guard let sweep = loaded.sweep, Sweeping.given(sweep, reader.arguments).isEmpty else {
      return try page(of: try place.find("\(loaded.plan.experimentName)@last"))
    }
    let progress = try Sweeping(reader, loaded, sweep).progress(storage)
    try progress.advance { _, _, _ in false }
    return (
      try SweepPage(progress, loaded).page, ReportFile.folder(ofSweep: loaded), ReportFile.sweepName
    )
  }
}

enum ReportFile {
  /// In a run's folder, without its ending.
  static let name = "report"
  /// In the folder of an experiment's runs.
  static let sweepName = "sweep"

  /// Writes the page that stands beside a run.
  static func write(ofRun folder: String, store: String) throws {
    guard let run = try RunSummary(directory: folder) else { return }
    try write(try RunPage(run, store: Store(at: store)).page, to: "\(folder)/\(name).html", asMarkdown: false)
  }

  /// Writes the page that stands beside the runs of a sweep.
  static func write(of progress: SweepProgress, _ loaded: LoadedExperiment) throws {
    let path = "\(folder(ofSweep: loaded))/\(sweepName).html"
    try write(try SweepPage(progress, loaded).page, to: path, asMarkdown: false)
  }

  static func folder(ofSweep loaded: LoadedExperiment) -> String {
    "\(loaded.projectRoot)/runs/\(loaded.plan.experimentName)"
  }

  /// A page that cannot be written costs no run: it is said.
  static func attempt(_ body: () throws -> Void) {
    do { try body() } catch {
      standardError("warning: no report was written: \(TerminalText.escaped("\(error)"))\n")
    }
  }

  /// Pictures of Markdown go into a folder called as the file, without its ending.
  static func write(_ page: Page, to path: String, asMarkdown: Bool) throws {
    guard asMarkdown else {
      try File.writeDurably(PageHTML(page).text, to: path)
      return
    }
    let name = Path.name(path)
    let stem = name.hasSuffix(".md") ? String(name.dropLast(3)) : name + "-pictures"
    let folder = "\(Path.parent(path))/\(stem)"
    let markdown = PageMarkdown(page)
    try File.makeDirectory(folder)
    try File.writeDurably(markdown.pictures.map { ($0.name, $0.svg) }, in: folder)
    try File.writeDurably(markdown.text(pictures: stem), to: path)
  }
}

extension SweepPage {
  init(_ progress: SweepProgress, _ loaded: LoadedExperiment) {
    self.init(
      progress, experiment: loaded.plan.experimentName, file: loaded.file ?? "experiment.yaml",
      text: loaded.text)
  }
}
