// Which trial of a sweep a run is.

import JSON

package struct RunTrial: Sendable, Equatable {
  /// From 1.
  package let number: Int
  /// The iterations after which it was to be compared; nil of a trial that runs whole.
  package let iterations: Int?

  package init(number: Int, iterations: Int?) {
    self.number = number
    self.iterations = iterations
  }

  var json: JSON {
    ["number": .int(Int64(number)), "iterations": iterations.map { .int(Int64($0)) } ?? .null]
  }

  /// `NUMBER`, or `NUMBER:ITERATIONS`.
  package var text: String { "\(number)" + (iterations.map { ":\($0)" } ?? "") }

  package init?(text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: ":")).map { Int(Substring($0)) }
    guard let number = parts.first ?? nil else { return nil }
    self.init(number: number, iterations: parts.count > 1 ? parts[1] : nil)
  }

  init?(json: JSON) {
    guard let number = json["number"]?.intValue else { return nil }
    self.init(number: number, iterations: json["iterations"]?.intValue)
  }
}
