// Chat templates and programs against jinja2, set up as transformers does.

import Glibc
import JSON
import Models
import Testing

/// Frozen from jinja2 by `Fixtures/chat/make_chat.py`.
@Suite struct ChatTemplateGoldenTests {
  private let cases: JSON
  private static let fixtures =
    "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/") + "/Fixtures/chat"

  init() throws { cases = try JSON(parsing: readSmallFile("\(Self.fixtures)/cases.json", limit: 1 << 22)) }

  /// Nil where it is the same: the same text, or an error on both sides.
  private func difference(_ golden: JSON, _ render: () throws -> String) throws -> String? {
    let expected = golden["output"]?.stringValue
    do {
      let text = try render()
      guard let expected else { return "expected an error, found \(JSON.string(text).text())" }
      return text.utf8.elementsEqual(expected.utf8)
        ? nil : "expected \(JSON.string(expected).text())\n   found \(JSON.string(text).text())"
    } catch let error as ChatTemplateError {
      return expected.map { "expected \(JSON.string($0).text())\n   found \(error)" }
    }
  }

  @Test func `templates of sixteen families give the bytes of jinja2`() throws {
    let chats = try #require(cases["chats"]?.arrayValue)
    #expect(chats.count == 128)
    for chat in chats {
      let template = try #require(chat["template"]?.stringValue)
      let name = try #require(chat["conversation"]?.stringValue)
      let source = String(
        decoding: try readSmallFile("\(Self.fixtures)/templates/\(template).jinja", limit: 1 << 16),
        as: UTF8.self)
      let difference = try difference(chat) {
        try ChatTemplate(source).render(
          fields: #require(cases["conversations"]?[name]?.objectValue),
          settings: #require(cases["special"]?.objectValue), now: cases["now"]?.intValue
        ).text
      }
      #expect(difference == nil, "\(template), \(name): \(difference ?? "")")
    }
  }

  @Test func `programs give the bytes of jinja2, or an error where it has one`() throws {
    let programs = try #require(cases["programs"]?.arrayValue)
    #expect(programs.count > 450)
    for program in programs {
      let source = try #require(program["source"]?.stringValue)
      let difference = try difference(program) {
        try ChatTemplate(source).render(
          fields: #require(cases["data"]?.objectValue), settings: JSONObject(), now: cases["now"]?.intValue
        ).text
      }
      #expect(difference == nil, "\(source): \(difference ?? "")")
    }
  }
}
