// `kind: json`: members of a JSON object in the reply.

import Experiments
import JSON

struct JSONParser: ReplyParser {
  static let kind = "json"
  static let summary =
    "members of the first JSON object in the reply, whatever stands around it"
  static let options = [fields.field, ReplyParts.numbers.field]

  private static let fields = StageOption(
    "fields", .mapping(.string, count: 1...100),
    summary:
      "for each column the member that it holds, or a path of members joined by dots: `{feedbacks: comment, scores: rating.overall}`. A member that is null gives null; one that is missing makes the reply unparsable"
  )

  private let fields: [(name: String, value: String)]
  private let parts: ReplyParts
  private let numbers: [String]

  init(_ options: StageOptions) {
    fields = options[Self.fields]
    numbers = options[ReplyParts.numbers]
    parts = ReplyParts(columns: fields.map(\.name), numbers: numbers)
  }

  var columns: [String] { parts.columns }

  func check(_ findings: inout StageFindings) { findings.check(numbers: numbers, among: columns) }

  func parse(_ reply: String) -> ParsedReply {
    guard let range = objectRange(in: reply) else {
      return .unparsable("has no JSON object that begins with `{` and ends with its `}`")
    }
    let object: JSON
    do {
      object = try JSON(parsing: reply.bytes(range))
    } catch { return .unparsable("has a JSON object that cannot be read: \(error)") }
    var values: [JSON] = []
    for (index, (column, member)) in fields.enumerated() {
      guard let value = PromptTemplate.value(member, in: object) else {
        return .unparsable("has a JSON object without `\(member)`")
      }
      switch (value, parts.holdsNumber(index)) {
      case (.null, _): values.append(value)
      case (.string(let text), _):
        guard let read = parts.value(index, of: text) else {
          return .unparsable("has \(value.text()) for `\(column)`, which is no number")
        }
        values.append(read)
      case (_, true) where value.doubleValue != nil: values.append(value)
      default:
        return .unparsable(
          "has \(value.kind) for `\(column)`; expected \(parts.holdsNumber(index) ? "a number" : "text")")
      }
    }
    return .parsed(values)
  }

  /// From the first `{` to the `}` that closes it, in UTF-8 offsets: braces within strings do not count.
  private func objectRange(in reply: String) -> Range<Int>? {
    let bytes = Array(reply.utf8)
    guard let start = bytes.firstIndex(of: UInt8(ascii: "{")) else { return nil }
    var (depth, position) = (0, start)
    var isInString = false
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\\") where isInString: position += 1
      case UInt8(ascii: "\""): isInString.toggle()
      case UInt8(ascii: "{") where !isInString: depth += 1
      case UInt8(ascii: "}") where !isInString:
        depth -= 1
        if depth == 0 { return start..<position + 1 }
      default: break
      }
      position += 1
    }
    return nil
  }
}
