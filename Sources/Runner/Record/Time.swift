// The clock, which only records may read.

import Glibc

package struct Timestamp: Sendable {
  private let seconds: Int
  private let nanoseconds: Int

  package static func now() -> Timestamp {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Timestamp(seconds: Int(now.tv_sec), nanoseconds: Int(now.tv_nsec))
  }

  private func format(_ pattern: String) -> String {
    var time = time_t(seconds)
    var parts = tm()
    gmtime_r(&time, &parts)
    var buffer = [CChar](repeating: 0, count: 64)
    let count = strftime(&buffer, buffer.count, pattern, &parts)
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// `2026-05-12T09:30:00.123Z`
  package var text: String {
    format("%Y-%m-%dT%H:%M:%S.") + milliseconds + "Z"
  }

  private var milliseconds: String {
    let digits = String(nanoseconds / 1_000_000)
    return String(repeating: "0", count: 3 - digits.count) + digits
  }

  /// `20260512-093000.123456`, sorts by time.
  package var compact: String {
    let digits = String(nanoseconds / 1000)
    return format("%Y%m%d-%H%M%S.") + String(repeating: "0", count: 6 - digits.count) + digits
  }
  package var unique: String { "\(seconds).\(nanoseconds)" }
}

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
