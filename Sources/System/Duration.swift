// Times as people read them.

/// `0.04 s`, `4.2 s`, `3 min 12 s`, `2 h 05 min`.
package func duration(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0, seconds < 1e8 else { return "?" }
  if seconds < 0.995 {
    let hundredths = Int((seconds * 100).rounded())
    return "0.\(hundredths < 10 ? "0" : "")\(hundredths) s"
  }
  if seconds < 9.95 {
    let tenths = Int((seconds * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) s"
  }
  let whole = Int(seconds.rounded())
  func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) min \(two(whole % 60)) s" }
  return "\(whole / 3600) h \(two(whole % 3600 / 60)) min"
}
