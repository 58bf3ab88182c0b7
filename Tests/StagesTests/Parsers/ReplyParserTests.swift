// The other parsers: labels, named groups, members of an object, and the reply itself.

import JSON
import Stages
import Testing

@Suite struct ReplyParserTests {
  @Test func `a text is the feedback, verbatim unless stripped`() throws {
    #expect(try parsed(["kind": "text"], " Fine.\n") == .parsed([" Fine.\n"]))
    #expect(try parsed(["kind": "text", "strip": true], " Fine.\n") == .parsed(["Fine."]))
    #expect(try parsed(["kind": "text"], "") == .parsed([""]))
  }

  @Test func `labels with classes give the label and its class`() throws {
    let options: JSON = ["kind": "category", "labels": ["good": 0, "bad": 3]]
    let parser = try parser(options)
    #expect(parser.columns == ["feedbacks", "quantiles"] && parser.classCount == 4)
    #expect(try parser.parse("bad\n") == .parsed(["bad", 3]))
  }

  @Test func `named groups are columns, and those of numbers hold numbers`() throws {
    let options: JSON = [
      "kind": "regex",
      "pattern": "(?s)Feedback: (?<feedbacks>.*?)Score: ?(?<scores>[^/\\n]*)(?:/(?<of>\\d))?",
    ]
    let parser = try parser(options)
    #expect(parser.columns == ["feedbacks", "scores", "of"])
    #expect(try parser.parse("Feedback: Clear.\n\nScore: 2.5/3") == .parsed(["Clear.", 2.5, "3"]))
    #expect(try parser.parse("Feedback: Clear. Score:2") == .parsed(["Clear.", 2, nil]))
    #expect(try parser.parse("Feedback: Clear.") == .unparsable("does not match `pattern`"))
    #expect(
      try parser.parse("Feedback: Clear. Score: high")
        == .unparsable("has \"high\" for `scores`, which is no number"))
    for text in ["nan", "inf", "0x10", "1e999", "1 2", ""] {
      #expect(
        try parser.parse("Feedback: Clear. Score: \(text)\n")
          == .unparsable("has \(JSON.string(text).text()) for `scores`, which is no number"))
    }
    #expect(
      try parsed(["kind": "regex", "pattern": "(?<a>.*)", "strip": false], " b ") == .parsed([" b "]))
  }

  @Test func `members of the first object are columns, whatever stands around it`() throws {
    let options: JSON = [
      "kind": "json", "fields": ["scores": "rating.overall", "feedbacks": "comment"],
    ]
    #expect(try parser(options).columns == ["feedbacks", "scores"])
    let object = "{\"comment\": \"a \\\"}\\\" {b\", \"rating\": {\"overall\": 2.5}}"
    for reply in [object, "Sure:\n```json\n\(object)\n```\nIs it {fine}?"] {
      #expect(try parsed(options, reply) == .parsed(["a \"}\" {b", 2.5]))
    }
    #expect(
      try parsed(options, "{\"comment\": null, \"rating\": {\"overall\": \"3.\"}}") == .parsed([nil, 3]))
    for (reply, reason) in [
      ("fine", "has no JSON object that begins with `{` and ends with its `}`"),
      ("{\"comment\": \"a}", "has no JSON object that begins with `{` and ends with its `}`"),
      (String(repeating: "{\"a\":", count: 100_000), "has no JSON object that begins with `{`"),
      ("{comment}", "has a JSON object that cannot be read: "),
      ("{\"comment\": \"a\"}", "has a JSON object without `rating.overall`"),
      ("{\"comment\": 3, \"rating\": {\"overall\": 3}}", "has an integer for `feedbacks`; expected text"),
      (
        "{\"comment\": \"\", \"rating\": {\"overall\": true}}",
        "has a boolean for `scores`; expected a number"
      ),
      (
        "{\"comment\": \"\", \"rating\": {\"overall\": \"high\"}}",
        "has \"high\" for `scores`, which is no number"
      ),
    ] {
      guard case .unparsable(let found) = try parsed(options, reply) else {
        Issue.record("\(reply.prefix(60)) was read")
        continue
      }
      #expect(found.hasPrefix(reason), "\(found)")
    }
  }
}
