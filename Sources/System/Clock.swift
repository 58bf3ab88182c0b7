// The clock, which only records may read.

import Glibc

package struct Timestamp: Sendable {
  /// Since 1970.
  package let seconds: Int
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

/// Seconds of a clock that never jumps.
package func monotonicSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}
