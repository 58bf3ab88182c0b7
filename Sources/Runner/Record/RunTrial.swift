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

  init?(json: JSON) {
    guard let number = json["number"]?.intValue else { return nil }
    self.init(number: number, iterations: json["iterations"]?.intValue)
  }
}
