// One line of a journal of replies: what is written, and what is believed of what is read.

import Glibc
import JSON
import System

/// `CHECKSUM KEY {"attempt":…,"time":…,"response":…}`: sixteen hexadecimal digits that check all behind them, the 64 of the key, and
/// the entry. What does not check is as if it were not there.
enum ReplyLine {
  static let keyStart = 17
  static let entryStart = 82

  /// With its newline.
  static func bytes(_ key: ReplyJournal.Key, _ entry: ReplyJournal.Entry) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(512)
    bytes += Array(repeating: 0x30, count: keyStart - 1)
    bytes.append(0x20)
    bytes += key.digest.hex.utf8
    bytes.append(0x20)
    entry.json.write(to: &bytes)
    let digits = RowJournal.checksum(bytes[keyStart...])
    for (index, digit) in digits.utf8.enumerated() { bytes[index] = digit }
    bytes.append(0x0A)
    return bytes
  }

  /// The first 64 bits of the key in the line that starts there; nil where that is no line of ours. Does not check the rest.
  static func keyBits(_ line: UnsafeRawBufferPointer) -> UInt64? {
    guard line.count > entryStart, line[keyStart - 1] == 0x20, line[entryStart - 1] == 0x20 else {
      return nil
    }
    var bits: UInt64 = 0
    for index in keyStart..<(keyStart + 16) {
      let byte = line[index]
      switch byte {
      case 0x30...0x39: bits = bits << 4 | UInt64(byte - 0x30)
      case 0x61...0x66: bits = bits << 4 | UInt64(byte - 0x57)
      default: return nil
      }
    }
    return bits
  }

  /// Of a line without its newline; nil where it does not check.
  static func key(_ line: UnsafeRawBufferPointer) -> ReplyJournal.Key? {
    guard line.count > entryStart, line[keyStart - 1] == 0x20, line[entryStart - 1] == 0x20,
      RowJournal.checksum(UnsafeRawBufferPointer(rebasing: line[keyStart...])).utf8
        .elementsEqual(line[..<(keyStart - 1)]),
      let digest = Digest(hex: String(decoding: line[keyStart..<(entryStart - 1)], as: UTF8.self))
    else { return nil }
    return ReplyJournal.Key(digest: digest)
  }

  /// Of a line that checks, without its newline.
  static func entry(_ line: UnsafeRawBufferPointer) -> ReplyJournal.Entry? {
    guard
      let json = try? JSON(
        parsing: UnsafeRawBufferPointer(rebasing: line[entryStart...]),
        maximumDepth: ReplyJournal.depth)
    else { return nil }
    return ReplyJournal.Entry(json)
  }
}

extension ReplyJournal.Key {
  /// As a line's `keyBits`.
  var bits: UInt64 {
    var bits: UInt64 = 0
    for byte in digest.hex.utf8.prefix(16) {
      bits = bits << 4 | UInt64(byte < 0x3A ? byte - 0x30 : byte - 0x57)
    }
    return bits
  }
}

extension ReplyJournal.Entry {
  fileprivate var json: JSON {
    var members: [JSONObject.Member] = []
    if let attempt { members.append(("attempt", .int(Int64(attempt)))) }
    members.append(("time", .double(time)))
    members.append(("response", response))
    return .object(JSONObject(members))
  }

  fileprivate init?(_ json: JSON) {
    guard let response = json["response"], let time = json["time"]?.doubleValue else { return nil }
    self.init(response: response, time: time, attempt: json["attempt"]?.intValue)
  }
}
