// `chat:` of the stages that read a model: whether the texts of rows are put into the model's chat template, and with what.

import Experiments
import JSON

/// How a conversation is put into a template.
package struct ChatOption: Sendable, Equatable {
  /// The system's text of conversations that have none.
  package var system: String?
  /// What the template takes for today, as it is written: `2024-07-26`.
  var date: String?

  package init(system: String? = nil, date: String? = nil) {
    self.system = system
    self.date = date
  }

  static let option = StageOption<ChatOption?>(
    "chat",
    .either(
      .mapped(.bool) { $0 ? ChatOption() : nil }, .mapped(.string) { ChatOption(system: $0) },
      .object([systemText.field, dateText.field]) { ChatOption(system: $0[systemText], date: $0[dateText]) }),
    default: false, addedLater: true, aliases: ["apply_chat_template", "chat_template", "system_prompt"],
    summary:
      "true, or a text of the system: a row's `messages`, or else its `prompt` as what a user says, are given to the model in its own chat template, up to where the assistant answers. Special tokens that they spell are text. Conditioning stands before the last text of the user"
  )

  private static let systemText = StageOption(
    "system", .optional(.string), default: nil,
    summary: "what the system says first, in conversations in which it says nothing")
  private static let dateText = StageOption(
    "date", .optional(.string), default: nil,
    summary:
      "YYYY-MM-DD: today, for a template that writes it; without it there is no `strftime_now`, so that no result depends on the clock"
  )

  /// Seconds since 1970 at the day's start; nil for what is no date.
  package static func seconds(of date: String) -> Int? {
    let parts = date.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.map(\.count) == [4, 2, 2],
      parts.allSatisfy({ $0.allSatisfy { (0x30...0x39).contains($0) } })
    else { return nil }
    let numbers = parts.compactMap { Int(String(Substring($0))) }
    guard numbers.count == 3 else { return nil }
    let (year, month, day) = (numbers[0], numbers[1], numbers[2])
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard year > 0, (1...12).contains(month), (1...lengths[month - 1]).contains(day) else { return nil }
    let before = year - 1
    let days =
      before * 365 + before / 4 - before / 100 + before / 400 + lengths[..<(month - 1)].reduce(0, +) + day - 1
    return (days - 719_162) * 86_400
  }
}
