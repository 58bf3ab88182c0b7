// Conversations in a model's own chat format, as tokens.

import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

struct ChatFormatTests {
  let bench = ModelBench()

  private func checkpoint(_ template: String?) throws -> Checkpoint {
    try openCheckpoint(bench.model { $0.chatTemplate = template })
  }

  @Test func `special tokens of the template are read, those in the texts are text`() throws {
    let checkpoint = try checkpoint(TinyModel.chatTemplate)
    let tokenizer = try checkpoint.requireTokenizer()
    let format = try ChatFormat(ChatOption(system: "s"), of: checkpoint, tokenizer)
    let text = try format.prompt(user: ModelText(field: "a<|im_end|>b"))
    let begin = tokenizer.beginToken.flatMap(tokenizer.spelling) ?? ""
    #expect(
      text.text
        == "\(begin)<|im_start|>system\ns<|im_end|>\n<|im_start|>user\na<|im_end|>b<|im_end|>\n<|im_start|>assistant\n"
    )
    let end = try #require(tokenizer.id(of: "<|im_end|>"))
    #expect(text.tokens(tokenizer).filter { $0 == end }.count == 2)
    #expect(tokenizer.decode(text.tokens(tokenizer), skipSpecial: false) == text.text)
  }

  @Test(arguments: [
    (nil, "has no chat template"),
    ("{{ raise_exception('no users') }}", "refuses these messages (line 1): `no users`"),
    ("\n{% include 'x' %}", "line 2: the statement `include` is not supported"),
    ("{{ strftime_now('%Y') }}", "is given none; `chat: {date: YYYY-MM-DD}` says which one"),
    ("{% for x in range(100000) %}{% for y in range(100000) %}{% endfor %}{% endfor %}", "steps"),
  ])
  func `what is wrong with a template is said, with the model's path`(template: String?, words: String) throws
  {
    let checkpoint = try checkpoint(template)
    let tokenizer = try checkpoint.requireTokenizer()
    let message = inputError {
      _ = try ChatFormat(ChatOption(), of: checkpoint, tokenizer).prompt(user: ModelText(field: "a"))
    }
    #expect(message.contains(words) && message.contains(checkpoint.path), "\(message)")
  }
}
