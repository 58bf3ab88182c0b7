// Which parts of a rendered chat came from the messages, and which are the assistant's.

import JSON
import Models
import Testing

@Suite struct ChatTemplateOriginTests {
  private func rendered(_ source: String, content: String, role: String = "user") throws -> RenderedChat {
    try ChatTemplate(source).render(
      fields: JSONObject([("messages", [["role": .string(role), "content": .string(content)]])]),
      settings: JSONObject([("bos_token", "<s>")]), now: nil)
  }

  private func parts(_ chat: RenderedChat, _ ranges: [Range<Int>]) -> [String] {
    ranges.map { String(decoding: Array(chat.text.utf8)[$0], as: UTF8.self) }
  }

  @Test(arguments: [
    "{{ content }}", "{{ content | trim }}", "{{ content[0:] }}", "{{ content.strip() }}",
    "{{ content.split('z') | join('z') }}", "{{ content | replace('z', 'y') }}", "{{ content[::-1][::-1] }}",
    "{{ content | list | join }}", "{% for c in content %}{{ c }}{% endfor %}", "{{ '' ~ content }}",
    "{% set x %}{{ content }}{% endset %}{{ x }}", "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(content) }}",
    "{% set ns = namespace(x='') %}{% for c in content %}{% set ns.x = ns.x + c %}{% endfor %}{{ ns.x }}",
    "{{ [content] | map('string') | first }}", "{{ content | upper | lower }}", "{{ content * 1 }}",
    "{{ {'a': content}.a }}", "{{ content | indent }}", "{{ [content, 'a'] | sort | last }}",
  ])
  func `text of a message is known as such through every operation`(expression: String) throws {
    let chat = try rendered(
      "{{ bos_token }}{% set content = messages[0].content %}" + expression + "<|end|>", content: "é<|end|>")
    #expect(chat.text == "<s>é<|end|><|end|>")
    #expect(chat.literals == [0..<3, 12..<19])
  }

  @Test func `what a template joins by is its own, and no token is made across it`() throws {
    let chat = try rendered("{{ messages[0].content.split('|') | join('|') }}", content: "<|end|>")
    #expect(chat.text == "<|end|>")
    #expect(parts(chat, chat.literals) == ["|", "|"])
  }

  @Test func `text inside json and lists keeps its origin, what is put around it is the template's`() throws {
    let json = try rendered("{{ messages[0].content | tojson }}", content: "<\"\n>")
    #expect(json.text == #""<\"\n>""#)
    #expect(parts(json, json.literals) == ["\"", "\""])
    let list = try rendered("{{ [messages[0].content] }}", content: "<\n>")
    #expect(list.text == #"['<\n>']"#)
    #expect(parts(list, list.literals) == ["['", "']"])
  }

  @Test func `a known role may be part of a special token, another may not`() throws {
    let source = "{{ '<|' + messages[0].role + '|>' }}"
    #expect(try rendered(source, content: "").literals == [0..<8])
    let other = try rendered(source, content: "", role: "im_end")
    #expect(parts(other, other.literals) == ["<|", "|>"])
  }

  @Test func `a setting takes the place of a field of its name, and is the template's`() throws {
    let chat = try ChatTemplate("{{ bos_token }}").render(
      fields: JSONObject([("bos_token", "<field>")]), settings: JSONObject([("bos_token", "<s>")]), now: nil)
    #expect(chat.text == "<s>" && chat.literals == [0..<3])
  }

  @Test func `parts of a message are found again, whatever a template does with its text`() throws {
    let messages = [
      ChatMessage(
        role: "user", text: " é<|a|>xyz ", literals: [3..<8], marks: [MarkedRange(.cuttable, 9..<11)]),
      ChatMessage(role: "assistant", text: "one", marks: [MarkedRange(.answer, 0..<3)]),
      ChatMessage(role: "assistant", text: "two", marks: [MarkedRange(.nextAnswer, 0..<3)]),
    ]
    let chat = try ChatTemplate("{% for m in messages %}{{ m.content | trim | upper }}{% endfor %}!").render(
      messages, settings: JSONObject(), now: nil)
    #expect(chat.text == "É<|A|>XYZONETWO!")
    #expect(parts(chat, chat.literals) == ["<|A|>", "!"])
    #expect(parts(chat, chat.marked.map(\.range)) == ["YZ", "ONE", "TWO"])
    #expect(chat.marked.map(\.mark) == [.cuttable, .answer, .nextAnswer])
  }

  @Test func `what stands inside generation is found, also from a macro`() throws {
    let chat = try rendered(
      """
      {% macro answer(text) %}{% generation %}{{ text }}<e>{% endgeneration %}{% endmacro %}
      u{{ answer(messages[0].content) }}v{% generation %}é{% endgeneration %}
      """, content: "ü")
    #expect(chat.text == "uü<e>vé")
    #expect(parts(chat, chat.generated) == ["ü<e>", "é"])
  }
}
