// The page of a sweep: its trials, which is the best and how sure that is, what the metric follows from.

import Charts
import Glibc
import JSON
import Runner
import Search
import System

package struct SweepPage {
  private let progress: SweepProgress
  private let experiment: String
  private let file: String
  private let text: String

  /// - Parameters:
  ///   - progress: as far as its trials are known.
  ///   - text: of the file.
  package init(_ progress: SweepProgress, experiment: String, file: String, text: String) {
    self.progress = progress
    self.experiment = experiment
    self.file = file
    self.text = text
  }

  private static let (width, height) = (360, 260)

  package var page: Page {
    get throws {
      let table = try SweepTable(progress, sorts: true)
      let entries = table.entries.sorted { $0.number < $1.number }
      let done = entries.count { $0.metric != nil }
      return Page(
        experiment, subtitle: "sweep of \(file)", state: "\(done) of \(progress.count) trials measured",
        [
          Page.Section("Result", table.notes.map { .paragraph($0) }),
          Page.Section("Trials", [.table(table.rows())]),
          Page.Section("Parameters", parameters(entries)),
          Page.Section("Course", course(entries)),
          Page.Section("Experiment", [.code(text, title: file, isOpen: false)]),
        ])
    }
  }

  // MARK: what the metric follows from

  private func parameters(_ entries: [SweepTable.Entry]) -> [Page.Block] {
    let measured = entries.filter { $0.metric?.mean.isFinite == true }
    guard let name = progress.sweep.metric, measured.count > 1 else { return [] }
    let names = progress.sweep.names
    var blocks: [Page.Block] = [.widePicture(Page.Picture("parallel", parallel(measured, names, name)))]
    let slices = names.map { slice($0, measured, name) }
    let importance = (try? SweepTable.importances(progress)) ?? []
    let known = importance.filter { $0.share != nil }
    let shares = known.isEmpty ? [] : [Page.Picture("importance", bars(known))]
    blocks.append(.pictures(slices + shares))
    return blocks + [
      .paragraph("Lighter lines are better trials. Whiskers: one standard error over repetitions.")
    ]
  }

  private func parallel(_ entries: [SweepTable.Entry], _ names: [String], _ metric: String)
    -> ParallelCoordinates
  {
    let means = entries.map { $0.metric?.mean ?? .nan }
    let (low, high) = (means.min() ?? 0, means.max() ?? 1)
    let isMinimized = progress.sweep.goal == .minimize
    let axes = names.map { name -> ParallelCoordinates.Axis in
      let values = entries.map { $0.values[name] }
      let numbers = values.map { $0?.doubleValue }
      let isNumeric = zip(values, numbers).allSatisfy { $0 == nil || $1 != nil }
      return isNumeric
        ? ParallelCoordinates.Axis(name, numbers.map { $0.map { Self.position($0, numbers) } })
        : ParallelCoordinates.Axis(name, words: values.map { $0.map(RunTable.shown) })
    }
    return ParallelCoordinates(
      axes + [ParallelCoordinates.Axis(metric, means, isContinuous: true)],
      names: entries.map { entry in
        "trial \(entry.number): \(entry.values.members.map { "\($0.key)=\(RunTable.shown($0.value))" }.joined(separator: ", "))"
      },
      shades: means.map { mean in
        let share = high > low ? (mean - low) / (high - low) : 0.5
        return isMinimized ? 1 - share : share
      })
  }

  /// Few values stand as they are; many that are far apart as logarithms to base 10.
  private static func position(_ value: Double, _ all: [Double?]) -> Double {
    let known = all.compactMap { $0 }
    guard Set(known).count > 6, let least = known.min(), least > 0, (known.max() ?? 0) / least > 30 else {
      return value
    }
    return log10(value)
  }

  private func slice(_ name: String, _ entries: [SweepTable.Entry], _ metric: String) -> Page.Picture {
    let values = entries.map { $0.values[name] }
    let numbers = values.map { $0?.doubleValue }
    let isNumeric = zip(values, numbers).allSatisfy { $0 == nil || $1 != nil }
    let distinct = Set(values.compactMap { $0 }.map(RunTable.shown))
    // Of few values each has a place; of many numbers each its own.
    if !isNumeric || distinct.count <= 6 {
      let order =
        isNumeric
        ? Array(Set(numbers.compactMap { $0 })).sorted().map(Self.label)
        : distinct.sorted()
      let points = entries.compactMap { entry -> Chart.Point? in
        guard let value = entry.values[name], let mean = entry.metric?.mean else { return nil }
        let word = value.doubleValue.map(Self.label) ?? RunTable.shown(value)
        return order.firstIndex(of: word).map {
          Chart.Point(x: Double($0), y: mean, error: entry.metric?.standardError)
        }
      }
      let chart = Chart(
        name, x: name, y: metric, [Chart.Series("trials", points, isJoined: false)],
        xLabels: order)
      return Page.Picture("slice-\(name)", ChartSVG(chart, width: Self.width, height: Self.height))
    }
    let isLogarithmic = numbers.contains { number in
      number.map { Self.position($0, numbers) != $0 } ?? false
    }
    let points = zip(entries, numbers).compactMap { entry, number -> Chart.Point? in
      guard let number, let mean = entry.metric?.mean else { return nil }
      return Chart.Point(x: Self.position(number, numbers), y: mean, error: entry.metric?.standardError)
    }
    let chart = Chart(
      name, x: isLogarithmic ? "log10 of \(name)" : name, y: metric,
      [Chart.Series("trials", points, isJoined: false)])
    return Page.Picture("slice-\(name)", ChartSVG(chart, width: Self.width, height: Self.height))
  }

  private static func label(_ value: Double) -> String { TextTable.format("%.4g", value) }

  private func bars(_ importance: [Importance]) -> BarChart {
    BarChart(
      "share of the variance explained alone", x: "", y: "share",
      categories: importance.map { $0.parameters.joined(separator: ", ") },
      [BarChart.Series("share", importance.map(\.share), errors: importance.map(\.deviation))],
      width: Self.width, height: Self.height)
  }

  // MARK: from trial to trial

  private func course(_ entries: [SweepTable.Entry]) -> [Page.Block] {
    guard let name = progress.sweep.metric, let goal = progress.sweep.goal else { return [] }
    let points = entries.compactMap { entry in
      entry.metric.map { Chart.Point(x: Double(entry.number), y: $0.mean) }
    }.filter(\.y.isFinite)
    guard points.count > 1 else { return [] }
    var best: Double?
    let record = points.map { point -> Chart.Point in
      let value = best.map { goal == .maximize ? max($0, point.y) : min($0, point.y) } ?? point.y
      best = value
      return Chart.Point(x: point.x, y: value)
    }
    let chart = Chart(
      "the best so far", x: "trial", y: name,
      [Chart.Series("best so far", record), Chart.Series("trial", points, isJoined: false)])
    return [.pictures([Page.Picture("history", ChartSVG(chart, width: 480, height: 300))])]
  }
}
