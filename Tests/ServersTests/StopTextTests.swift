// What a server leaves of stop texts in a reply.

import Servers
import Testing

@Suite struct StopTextTests {
  private func reply(_ text: String, _ finish: ServerReply.Finish = .end) -> ServerReply {
    ServerReply(text: text, finish: finish)
  }

  @Test func `a stop text at the end of a reply is taken out, and said to have ended it`() {
    let cut = reply(" Paris.").cut(before: ["\n", "."])
    #expect(cut.text == " Paris")
    #expect(cut.finish == .stop("."))
  }

  @Test func `a reply that goes on behind a stop text ends before the one that is complete first`() {
    #expect(reply("a stop, and more").cut(before: ["more", "stop"]) == reply("a ", .stop("stop")))
    // Both are complete at once: the longer one.
    #expect(reply("one two").cut(before: ["two", "one two"]) == reply("", .stop("one two")))
    #expect(reply("Bär", .length).cut(before: ["är"]) == reply("B", .stop("är")))
  }

  @Test func `a reply without a stop text is left alone, and so is a refusal`() {
    #expect(reply(" Paris", .length).cut(before: [".", ""]) == reply(" Paris", .length))
    #expect(reply(" Paris.").cut(before: []) == reply(" Paris."))
    #expect(reply("I cannot.", .refusal).cut(before: ["."]) == reply("I cannot.", .refusal))
  }
}
