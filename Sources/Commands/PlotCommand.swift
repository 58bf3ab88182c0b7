// `plumb plot`: a metric as a curve, in the terminal or as a picture.

import ArgumentParser
import Charts
import Glibc
import RunIndex
import Runner
import System

struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot", abstract: "Draw metrics of a run, in the terminal or into a picture.",
    discussion: """
      A metric is one that the experiment declares, or an address with a metric behind it; what leaves iterations open is drawn \
      over them, a training over its steps. Without a metric: all declared ones that have a curve.

        \(Program.name) plot curve
        \(Program.name) plot quark.evaluate.reward quark.train.loss --run quickstart@last -o curves.svg
      """)

  @Argument(help: ArgumentHelp("curve, quark.evaluate.reward, quark@2.train.loss.", valueName: "metric"))
  var metrics: [String] = []

  @Option(name: .customLong("run"), help: runHelp, completion: Completion.runs)
  var selectors: [String] = []

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Write SVG or PNG into this file instead; of several metrics below each other.",
      valueName: "file.svg|.png"),
    completion: .file(extensions: ["svg", "png"]))
  var output: String?

  @OptionGroup var storage: StoreArguments
  @OptionGroup var place: RunsArguments

  func validate() throws {
    if let output, !output.hasSuffix(".svg"), !output.hasSuffix(".png") {
      throw ValidationError("-o names an SVG or a PNG file, NAME.svg or NAME.png, found `\(output)`")
    }
  }

  func run() throws {
    finish {
      let store = try Store(at: storage.path(projectRoot: place.projectRoot))
      let runs = try (selectors.isEmpty ? ["@last"] : selectors).map { try place.find($0) }
      let curves = try runs.map { ($0, try RunCurves($0, store: store)) }
      let charts = try names(curves.map(\.1)).map { name in try chart(name, curves) }.filter { !$0.isEmpty }
      guard !charts.isEmpty else {
        throw RunError(
          .commandLine,
          "nothing has been measured yet of \(metrics.isEmpty ? "any curve" : metrics.joined(separator: ", "))"
        )
      }
      if let output {
        try write(Stack(charts.map { ChartSVG($0) }).file, to: Path.absolute(output))
        standardError("wrote \(TerminalText.escaped(output))\n")
        return .done
      }
      let isPlain = isatty(1) != 1
      let columns = terminalColumns(1) ?? 80
      try standardOutput(
        charts.map { ChartText($0, columns: columns, isPlain: isPlain).text }.joined(separator: "\n"))
      return .done
    }
  }

  /// PNG by librsvg's program, at twice the size, on white.
  private func write(_ svg: String, to path: String) throws {
    guard path.hasSuffix(".png") else { return try File.writeDurably(svg, to: path) }
    let source = path + ".svg"
    try File.writeDurably(svg, to: source)
    defer { try? File.remove(source) }
    do {
      let (ending, output) = try ChildProcess.run(
        "rsvg-convert", arguments: ["--zoom", "2", "--background-color", "white", "--output", path, source],
        environment: ChildProcess.ownEnvironment)
      guard ending == .exited(0) else {
        throw RunError(.machine, "`rsvg-convert` did not write `\(path)`: \(output.prefix(300))")
      }
    } catch let error as SystemError where error.operation == "start" {
      throw RunError(
        .machine,
        "`rsvg-convert` is not installed, which makes PNG of SVG: run `apt-get install librsvg2-bin`, or write SVG"
      )
    }
  }

  /// Those asked for, else all declared ones that are curves.
  private func names(_ curves: [RunCurves]) throws -> [String] {
    if !metrics.isEmpty { return metrics }
    return try curves[0].names.filter { name in try curves[0].curves(name).contains { $0.points.count > 1 } }
  }

  private func chart(_ name: String, _ all: [(run: RunSummary, curves: RunCurves)]) throws -> Chart {
    let drawn = try all.map { run, curves in (run: run, curves: try curves.curves(name)) }
    let series = drawn.flatMap { run, curves in
      curves.map { curve in
        let words = all.count > 1 ? [run.id] + (curves.count > 1 ? [curve.name] : []) : [curve.name]
        return Chart.Series(
          TerminalText.escaped(words.joined(separator: " ")),
          curve.points.map { Chart.Point(x: $0.x, y: $0.y, error: $0.error) })
      }
    }
    let quantity = name.utf8.split(separator: UInt8(ascii: ".")).last.map { String(Substring($0)) } ?? name
    return Chart(
      TerminalText.escaped(name), x: drawn.flatMap(\.curves).first?.xName ?? "",
      y: TerminalText.escaped(quantity), series)
  }
}
