// Texts that stand in place of others: the option `replace`.

import Experiments
import JSON

/// From the left, at each place the longest text that stands there; what was put in is not looked at again. No text is empty: a name of a
/// mapping never is.
struct TextReplacements: Sendable {
  static let option = StageOption(
    "replace",
    .mapped(.mapping(.string, count: 0...100)) { TextReplacements($0.map { ($0.name, $0.value) }) },
    default: [:], addedLater: true,
    summary:
      "texts that are replaced wherever they stand, each with what takes its place: `{\"TL;DR:\": \"\"}` deletes one. From the left, the longest first; what was put in is not replaced again"
  )

  private let pairs: [(old: [UInt8], new: [UInt8])]

  init(_ pairs: [(old: String, new: String)]) {
    self.pairs = pairs.map { (Array($0.old.utf8), Array($0.new.utf8)) }
      .sorted { $0.old.count > $1.old.count }
  }

  var isEmpty: Bool { pairs.isEmpty }

  func applied(to text: String) -> String {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var done = 0
    for place in places(in: bytes) {
      result += bytes[done..<place.range.lowerBound] + place.new
      done = place.range.upperBound
    }
    return done == 0 ? text : String(decoding: result + bytes[done...], as: UTF8.self)
  }

  /// What the author wrote stays the author's, and what was put into it is.
  func applied(to text: ModelText) -> ModelText {
    let places = places(in: Array(text.text.utf8))
    guard !places.isEmpty else { return text }
    let new = applied(to: text.text)
    let bytes = Array(new.utf8)
    func part(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    var result = ModelText()
    var done = 0
    for literal in moved(text.literals, places) {
      result.append(field: part(done..<literal.lowerBound))
      result.append(literal: part(literal))
      done = literal.upperBound
    }
    result.append(field: part(done..<bytes.count))
    result.allowCutting(moved(text.cuttable, places))
    return result
  }

  private typealias Place = (range: Range<Int>, new: [UInt8])

  private func places(in bytes: [UInt8]) -> [Place] {
    var found: [Place] = []
    var position = 0
    while position < bytes.count {
      let rest = bytes[position...]
      if let pair = pairs.first(where: { rest.starts(with: $0.old) }) {
        found.append((position..<position + pair.old.count, pair.new))
        position += pair.old.count
      } else {
        position += 1
      }
    }
    return found
  }

  /// Ascending ranges of the old text as ranges of the new one. One that begins or ends inside a replaced text ends before what was put
  /// in.
  private func moved(_ ranges: [Range<Int>], _ places: [Place]) -> [Range<Int>] {
    var next = 0
    var shift = 0
    /// Offsets must ascend.
    func moved(_ offset: Int) -> Int {
      while next < places.count, places[next].range.upperBound <= offset {
        shift += places[next].new.count - places[next].range.count
        next += 1
      }
      guard next < places.count, places[next].range.lowerBound < offset else { return offset + shift }
      return places[next].range.lowerBound + shift
    }
    return ranges.map { range in
      let start = moved(range.lowerBound)
      return start..<max(start, moved(range.upperBound))
    }.filter { !$0.isEmpty }
  }
}
