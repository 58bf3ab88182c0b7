// `Digits`: digits stand apart, each alone or in runs.

import JSON

struct DigitsPreTokenizer: PreTokenizer {
  static let type = "Digits"
  let individual: Bool

  init(individual: Bool) { self.individual = individual }

  init(_ json: JSON, _ path: String) throws {
    individual = try TokenizerJSON.flag(json, "individual_digits", path, default: false)
  }

  var json: JSON {
    .object(JSONObject([("type", "Digits"), ("individual_digits", .bool(individual))]))
  }

  var description: String { individual ? "digits one by one" : "runs of digits" }

  func endOfPiece(in text: ScalarText, from start: Int, to end: Int) -> Int {
    let (first, next) = text.scalar(at: start)
    let startsWithDigit = CharacterClass(first) == .number
    if startsWithDigit && individual { return next }
    var position = next
    while position < end {
      let (scalar, next) = text.scalar(at: position)
      if (CharacterClass(scalar) == .number) != startsWithDigit { break }
      position = next
    }
    return position
  }
}
