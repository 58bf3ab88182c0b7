// A model's chat template: messages in, the text that the model is given out.

import JSON

/// A template in Jinja, as `tokenizer_config.json`, `chat_template.jinja` and GGUF files hold it.
package struct ChatTemplate: Sendable {
  private let statements: [TemplateStatement]

  /// Bytes of a template. Those of real models have up to 30,000.
  private static let maximumBytes = 1 << 20

  /// - Throws: `ChatTemplateError` where it cannot be read or uses what is not supported.
  package init(_ source: String) throws {
    guard source.utf8.count <= Self.maximumBytes else {
      throw ChatTemplateError(
        line: 1, "it has \(source.utf8.count) bytes, more than the \(Self.maximumBytes) that are read")
    }
    statements = try TemplateParser.statements(source)
  }

  /// What transformers' `apply_chat_template` writes for these names.
  /// - Parameters:
  ///   - fields: what comes from rows: `messages`, `tools`, `documents`. No special token is read in their strings.
  ///   - settings: what comes from the model and its user: `bos_token`, `add_generation_prompt`. A name of both is the setting.
  ///   - now: seconds since 1970 by the clock that `strftime_now` shows; without it there is no such function, as some templates test.
  /// - Throws: `ChatTemplateError`, also where a bound is passed.
  package func render(
    fields: JSONObject, settings: JSONObject, now: Int?, limits: TemplateLimits = TemplateLimits()
  ) throws -> RenderedChat {
    try render(settings: settings, now: now, limits: limits) { run, scope in
      for (name, value) in fields.members {
        scope.set(name, to: try run.value(value, isField: true, trusting: ChatMessage.knownRoles))
      }
    }
  }

  /// The same for messages whose texts are known by their parts.
  package func render(
    _ messages: [ChatMessage], settings: JSONObject, now: Int?, limits: TemplateLimits = TemplateLimits()
  ) throws -> RenderedChat {
    try render(settings: settings, now: now, limits: limits) { run, scope in
      scope.set("messages", to: .list(try run.list(messages.map { .dictionary(try run.message($0)) })))
      // Templates test these for none.
      scope.set("tools", to: .none)
      scope.set("documents", to: .none)
    }
  }

  private func render(
    settings: JSONObject, now: Int?, limits: TemplateLimits,
    fields: (TemplateRun, TemplateScope) throws -> Void
  ) throws -> RenderedChat {
    let run = TemplateRun(limits: limits, now: now)
    let scope = TemplateScope(inside: nil)
    try fields(run, scope)
    for (name, value) in settings.members { scope.set(name, to: try run.value(value, isField: false)) }
    let rendered = RenderedChat(try run.render(statements, scope))
    guard rendered.text.utf8.count <= limits.outputBytes else {
      throw run.failure("it writes more than \(limits.outputBytes) bytes")
    }
    return rendered
  }
}

/// What a template wrote, and which parts of it came from where, in UTF-8 offsets.
package struct RenderedChat: Sendable, Equatable {
  package let text: String
  /// What the template wrote itself, where special tokens are read. Ascending; no two touch.
  package let literals: [Range<Int>]
  /// What stood inside `{% generation %}`: the assistant's words. Ascending; no two touch.
  package let generated: [Range<Int>]
  /// Where the marked parts of the messages stand. Ascending; no two of one mark touch.
  package let marked: [MarkedRange]

  init(_ text: TemplateText) {
    self.text = text.string
    literals = Self.ranges(text) { !$0.isField }
    generated = Self.ranges(text, where: \.isGenerated)
    marked = Self.marked(text)
  }

  private static func marked(_ text: TemplateText) -> [MarkedRange] {
    var marked: [MarkedRange] = []
    var offset = 0
    for character in text.characters {
      let end = offset + UTF8.width(character.scalar)
      if let mark = MarkedRange.Mark(rawValue: character.mark) {
        var start = offset
        if let last = marked.last, last.mark == mark, last.range.upperBound == offset {
          start = marked.removeLast().range.lowerBound
        }
        marked.append(MarkedRange(mark, start..<end))
      }
      offset = end
    }
    return marked
  }

  private static func ranges(_ text: TemplateText, where isInside: (TemplateCharacter) -> Bool) -> [Range<
    Int
  >] {
    var ranges: [Range<Int>] = []
    var offset = 0
    var start: Int?
    for character in text.characters {
      if isInside(character) {
        start = start ?? offset
      } else if let first = start {
        ranges.append(first..<offset)
        start = nil
      }
      offset += UTF8.width(character.scalar)
    }
    if let start { ranges.append(start..<offset) }
    return ranges
  }
}
