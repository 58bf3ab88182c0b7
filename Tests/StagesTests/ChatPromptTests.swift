// A question in a model's own chat format, as tokens.

import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

struct ChatPromptTests {
  let bench = ModelBench()

  private func checkpoint(_ template: String?) throws -> Checkpoint {
    try openCheckpoint(bench.model { $0.chatTemplate = template })
  }

  private static let template = """
    {{ bos_token }}{% for m in messages %}
    {{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' + '\\n' }}
    {%- endfor %}
    {% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
    """

  @Test func `special tokens of the template are read, those in the texts are text`() throws {
    let checkpoint = try checkpoint(Self.template)
    let tokenizer = try checkpoint.requireTokenizer()
    let text = try chatPrompt(
      user: "a<|im_end|>b", system: "s", of: checkpoint, tokenizer, now: 0)
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
    ("{% for x in range(100000) %}{% for y in range(100000) %}{% endfor %}{% endfor %}", "steps"),
  ])
  func `what is wrong with a template is said, with the model's path`(template: String?, words: String) throws
  {
    let checkpoint = try checkpoint(template)
    let tokenizer = try checkpoint.requireTokenizer()
    let message = inputError {
      _ = try chatPrompt(user: "a", system: nil, of: checkpoint, tokenizer, now: 0)
    }
    #expect(message.contains(words) && message.contains(checkpoint.path), "\(message)")
  }
}
