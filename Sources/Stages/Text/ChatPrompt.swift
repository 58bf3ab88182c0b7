// A question to a model in the chat format that its template gives.

import JSON
import Models
import Runner

/// A conversation of a user's text, after a system's text where there is one, up to where the model answers. Special tokens are
/// read in what the template writes, and nowhere in these texts.
/// - Parameter now: seconds since 1970, for templates that write the date.
/// - Throws: `InputError` when the model has no chat template, or it cannot be read or refuses the conversation.
package func chatPrompt(
  user: String, system: String?, of checkpoint: Checkpoint, _ tokenizer: Tokenizer, now: Int
) throws -> ModelText {
  guard let source = checkpoint.chatTemplate else {
    throw InputError(
      "\(checkpoint.path): the model has no chat template; give it a prompt in the format that it was trained on"
    )
  }
  var messages: [JSON] = []
  if let system { messages.append(["role": "system", "content": .string(system)]) }
  messages.append(["role": "user", "content": .string(user)])
  var settings: JSONObject = JSONObject([("add_generation_prompt", true)])
  for (name, id) in [
    ("bos_token", tokenizer.beginToken), ("eos_token", tokenizer.endToken), ("pad_token", tokenizer.padToken),
    ("unk_token", tokenizer.unknownToken),
  ] {
    if let spelling = id.flatMap(tokenizer.spelling) { settings[name] = .string(spelling) }
  }
  do {
    // Templates test these for none.
    let fields = JSONObject([("messages", .array(messages)), ("tools", .null), ("documents", .null)])
    return ModelText(try ChatTemplate(source).render(fields: fields, settings: settings, now: now))
  } catch let error as ChatTemplateError {
    throw InputError("\(checkpoint.path): \(error)")
  }
}

extension ModelText {
  /// What the template wrote is the author's, what the messages hold is not.
  init(_ chat: RenderedChat) {
    self.init()
    let bytes = Array(chat.text.utf8)
    func part(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    var end = 0
    for literal in chat.literals {
      append(field: part(end..<literal.lowerBound))
      append(literal: part(literal))
      end = literal.upperBound
    }
    append(field: part(end..<bytes.count))
  }
}
