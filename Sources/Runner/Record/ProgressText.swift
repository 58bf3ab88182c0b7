// What is said of a running node in words: shares, rates, time left.

/// How fast a node goes, over about the last ten seconds, since a rate over all of a resumed stage would be wrong.
struct ProgressRate {
  private var samples: [(time: Double, done: Int)] = []

  mutating func add(_ progress: NodeProgress, at time: Double) {
    if let last = samples.last, progress.done < last.done { samples = [] }
    samples.append((time, progress.done))
    while samples.count > 2, time - samples[0].time > 10 { samples.removeFirst() }
  }

  var perSecond: Double? {
    guard let first = samples.first, let last = samples.last, last.time - first.time > 0.5, last.done > first.done
    else { return nil }
    return Double(last.done - first.done) / (last.time - first.time)
  }

  func secondsLeft(_ progress: NodeProgress) -> Double? {
    perSecond.map { Double(max(0, progress.total - progress.done)) / $0 }
  }
}

enum ProgressText {
  static func rate(_ perSecond: Double, unit: String) -> String {
    if perSecond >= 100 { return "\(Int(min(perSecond, 1e12).rounded())) \(unit)/s" }
    let hundredths = Int((perSecond * 100).rounded())
    if perSecond >= 10 { return "\(hundredths / 100).\(hundredths / 10 % 10) \(unit)/s" }
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) \(unit)/s"
  }

  /// ` 12/200 samples · 3.10 samples/s · 1 min 02 s left · loss 3.2`
  static func status(_ progress: NodeProgress, _ rate: ProgressRate) -> String {
    var parts = ["\(progress.done)/\(progress.total) \(progress.unit)"]
    if let perSecond = rate.perSecond { parts.append(ProgressText.rate(perSecond, unit: progress.unit)) }
    if progress.done < progress.total, let left = rate.secondsLeft(progress) { parts.append("\(duration(left)) left") }
    if let message = progress.message { parts.append(message) }
    return TerminalText.escaped(parts.joined(separator: " · "))
  }

  static func finished(_ plan: Plan, _ index: Int, _ record: NodeRecord) -> String {
    let shown = record.measures.prefix(4).map { measure in
      "\(measure.name) \(Float(measure.value))"
    }
    return TerminalText.escaped(([plan.nodes[index].address, duration(record.seconds)] + shown).joined(separator: " · "))
  }
}
