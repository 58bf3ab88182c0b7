// When a server wants to be asked again, in the ways in which servers say it.

import Glibc
import HTTP

enum RetryAfter {
  /// In seconds from now; nil where it does not say, or says what cannot be.
  static func seconds(_ response: HTTPResponse, now: Double) -> Double? {
    if let text = response.header("retry-after-ms"), let number = number(text) { return number / 1000 }
    if let text = response.header("retry-after") {
      if let number = number(text) { return number }
      if let date = date(text) { return max(0, date - now) }
    }
    return exhausted(response, now: now)
  }

  /// In seconds from now, where a count of what is left stands at 0; nil where none does.
  static func exhausted(_ response: HTTPResponse, now: Double) -> Double? {
    // All of these names are long, and most responses have none of them.
    guard response.headers.contains(where: { $0.name.utf8.count >= 26 }) else { return nil }
    var longest: Double?
    for prefix in ["x-ratelimit", "anthropic-ratelimit"] {
      for what in ["requests", "tokens"] {
        let names =
          prefix == "x-ratelimit"
          ? ("\(prefix)-remaining-\(what)", "\(prefix)-reset-\(what)")
          : ("\(prefix)-\(what)-remaining", "\(prefix)-\(what)-reset")
        guard let left = response.header(names.0), number(left) == 0, let reset = response.header(names.1),
          let seconds = duration(reset) ?? instant(reset).map({ max(0, $0 - now) })
        else { continue }
        longest = max(longest ?? 0, seconds)
      }
    }
    return longest
  }

  /// Not negative and finite; digits and a point alone.
  private static func number(_ text: String) -> Double? {
    let text = trimmed(text)
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }),
      let value = Double(text), value.isFinite
    else { return nil }
    return value
  }

  /// `1s`, `6m0s`, `120ms`, `1h2m3.5s`, or a bare number of seconds.
  static func duration(_ text: String) -> Double? {
    let text = trimmed(text)
    if let number = number(text) { return number }
    var total = 0.0
    var rest = Substring(text)
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      guard let value = number(String(digits)) else { return nil }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { $0.isASCII && $0.isLetter }
      rest = rest.dropFirst(unit.count)
      switch unit {
      case "ms": total += value / 1000
      case "s": total += value
      case "m": total += value * 60
      case "h": total += value * 3600
      case "d": total += value * 86400
      default: return nil
      }
    }
    return text.isEmpty || !total.isFinite ? nil : total
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// `Sun, 06 Nov 1994 08:49:37 GMT`, in seconds since 1970.
  static func date(_ text: String) -> Double? {
    let parts = trimmed(text).split(separator: " ").map { String($0) }
    guard parts.count == 6, parts[5] == "GMT", let day = Int(parts[1]),
      let month = months.firstIndex(of: parts[2]), let year = Int(parts[3])
    else { return nil }
    return time(year, month + 1, day, parts[4].split(separator: ":").map { String($0) })
  }

  /// `2026-05-12T09:30:00Z`, in seconds since 1970.
  private static func instant(_ text: String) -> Double? {
    let text = trimmed(text)
    let halves = text.split(separator: "T")
    guard halves.count == 2, text.utf8.last == UInt8(ascii: "Z") else { return nil }
    let day = halves[0].split(separator: "-").compactMap { Int($0) }
    guard day.count == 3 else { return nil }
    let clock = halves[1].dropLast().split(separator: ".")[0]
    return time(day[0], day[1], day[2], clock.split(separator: ":").map { String($0) })
  }

  private static func time(_ year: Int, _ month: Int, _ day: Int, _ clock: [String]) -> Double? {
    let clock = clock.compactMap { Int32($0) }
    guard clock.count == 3, 1970...9999 ~= year, 1...12 ~= month, 1...31 ~= day, 0...23 ~= clock[0],
      0...59 ~= clock[1], 0...60 ~= clock[2]
    else { return nil }
    var parts = tm()
    (parts.tm_year, parts.tm_mon, parts.tm_mday) = (Int32(year - 1900), Int32(month - 1), Int32(day))
    (parts.tm_hour, parts.tm_min, parts.tm_sec) = (clock[0], clock[1], clock[2])
    return Double(timegm(&parts))
  }

  private static func trimmed(_ text: String) -> String {
    var bytes = Substring(text).utf8
    while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
    while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
    return String(Substring(bytes))
  }
}
