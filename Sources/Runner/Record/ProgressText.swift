// What is said of a node in words: shares, rates, time left, what it measured.

import JSON
import System

/// How fast a node goes, over about the last ten seconds, since a rate over all of a resumed stage would be wrong.
struct ProgressRate {
  private var samples: [(time: Double, done: Int)] = []

  mutating func add(_ progress: NodeProgress, at time: Double) {
    if let last = samples.last, progress.done < last.done { samples = [] }
    samples.append((time, progress.done))
    while samples.count > 2, time - samples[0].time > 10 { samples.removeFirst() }
  }

  var perSecond: Double? {
    guard let first = samples.first, let last = samples.last, last.time - first.time > 0.5,
      last.done > first.done
    else { return nil }
    return Double(last.done - first.done) / (last.time - first.time)
  }

  func secondsLeft(_ progress: NodeProgress) -> Double? {
    perSecond.map { Double(max(0, progress.total - progress.done)) / $0 }
  }
}

enum ProgressText {
  /// `3.14`, `31.4`, `314`.
  static func rate(_ perSecond: Double) -> String {
    TextTable.format(perSecond >= 99.95 ? "%.0f" : perSecond >= 9.995 ? "%.1f" : "%.2f", perSecond)
  }

  /// `12/200 samples`, `1 min 02 s left`, `loss 3.2`, `3.10/s`: the more important first.
  static func parts(_ progress: NodeProgress, _ rate: ProgressRate) -> [String] {
    var parts = ["\(progress.done)/\(progress.total) \(progress.unit)"]
    if progress.done < progress.total, let left = rate.secondsLeft(progress) {
      parts.append("\(duration(left)) left")
    }
    if let message = progress.message { parts.append(message) }
    if let perSecond = rate.perSecond { parts.append("\(ProgressText.rate(perSecond))/s") }
    return parts.map { TerminalText.escaped($0) }
  }

  /// `41 s · reward 0.5034 ± 0.0210 · 3 empty samples left out · 9216 tokens · 91 tokens/s · peak 554 MiB`
  static func finished(_ record: NodeRecord) -> String {
    let errors = record.measures.filter { $0.name.hasSuffix(StageContext.standardError) }
    func error(of name: String) -> Double? {
      errors.first { UTF8Key($0.name) == UTF8Key(name + StageContext.standardError) }?.value
    }
    let means = record.measures.compactMap { measure in
      error(of: measure.name).map {
        "\(measure.name) \(TextTable.number(measure.value)) ± \(TextTable.number($0))"
      }
    }
    let lost = record.measures.filter { isLoss($0.name) }
    let others = record.measures.filter { measure in
      !isLoss(measure.name) && !measure.name.hasSuffix(StageContext.standardError)
        && error(of: measure.name) == nil
    }
    let shown = means.prefix(3) + (lost + others.prefix(6)).map { measured($0.name, $0.value) }
    return TerminalText.escaped(([duration(record.seconds)] + shown).joined(separator: " · "))
  }

  private static let losses = [(StageContext.leftOut, "left out"), (StageContext.cut, "cut")]

  private static func isLoss(_ name: String) -> Bool { losses.contains { name.hasPrefix($0.0) } }

  /// The unit is the end of a measure's name, by convention: `_per_second`, `_mib`, `_seconds`; a whole number is a count.
  static func measured(_ name: String, _ value: Double) -> String {
    func words(without suffix: String) -> String {
      String(
        decoding: name.utf8.dropLast(suffix.utf8.count).map { $0 == UInt8(ascii: "_") ? 0x20 : $0 },
        as: UTF8.self)
    }
    for (prefix, happened) in losses {
      guard name.hasPrefix(prefix), let count = Int(exactly: value) else { continue }
      let what = words(without: "").utf8.dropFirst(prefix.utf8.count)
      return "\(count) \(String(decoding: what, as: UTF8.self)) \(happened)"
    }
    if name.hasSuffix("_per_second") { return "\(rate(value)) \(words(without: "_per_second"))/s" }
    if name.hasSuffix("_memory_mib") { return "\(words(without: "_memory_mib")) \(memory(value))" }
    if name.hasSuffix("_mib") { return "\(words(without: "_mib")) \(memory(value))" }
    if name.hasSuffix("_seconds") { return "\(words(without: "_seconds")) \(duration(value))" }
    if let count = Int(exactly: value), count.magnitude < 1 << 53 { return "\(count) \(words(without: ""))" }
    return "\(words(without: "")) \(TextTable.number(value))"
  }

  private static func memory(_ mebibytes: Double) -> String {
    mebibytes >= 9999.5
      ? TextTable.format("%.1f GiB", mebibytes / 1024) : TextTable.format("%.0f MiB", mebibytes)
  }
}
