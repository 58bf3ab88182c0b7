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

  package var secondsSince1970: Double { Double(seconds) + Double(nanoseconds) / 1e9 }

  package var unique: String { "\(seconds).\(nanoseconds)" }
}

extension Timestamp {
  /// Of what `text` gives; nil of anything else.
  package init?(text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 24, bytes[23] == UInt8(ascii: "Z") else { return nil }
    func number(_ start: Int, _ count: Int) -> Int? {
      Int(String(decoding: bytes[start..<start + count], as: UTF8.self))
    }
    guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
      let minute = number(14, 2), let second = number(17, 2), let milliseconds = number(20, 3)
    else { return nil }
    var parts = tm()
    (parts.tm_year, parts.tm_mon, parts.tm_mday) = (Int32(year - 1900), Int32(month - 1), Int32(day))
    (parts.tm_hour, parts.tm_min, parts.tm_sec) = (Int32(hour), Int32(minute), Int32(second))
    self.init(seconds: timegm(&parts), nanoseconds: milliseconds * 1_000_000)
  }
}

/// Seconds of a clock that never jumps.
package func monotonicSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}
