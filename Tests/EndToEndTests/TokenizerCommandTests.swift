// `plumb tokenizer` as it is called.

import Testing

@Suite struct TokenizerCommandTests {
  private func fixture(_ lines: String) throws -> CommandsFixture {
    let fixture = try CommandsFixture()
    try fixture.write(lines, to: "lines")
    return fixture
  }

  @Test func `texts become ids and offsets, and ids become the texts again`() throws {
    let fixture = try fixture("\"ab c\"\n\"\"\n\"\\n\"")
    let encoded = fixture.plumb("tokenizer encode -t model < lines")
    #expect(encoded.status == 0 && encoded.error.isEmpty)
    #expect(encoded.output == "[64,65,94,66]\n[]\n[95]\n")
    #expect(fixture.plumb("tokenizer encode -t model/tokenizer.json < lines").output == encoded.output)
    #expect(
      fixture.plumb("tokenizer encode --offsets -t model < lines").output.hasPrefix(
        "{\"ids\":[64,65,94,66],\"offsets\":[[0,1],[1,2],[2,3],[3,4]]}\n"))
    try fixture.write(encoded.output, to: "ids")
    #expect(fixture.plumb("tokenizer decode -t model < ids").output == "\"ab c\"\n\"\"\n\"\\n\"\n")
  }

  @Test(arguments: [
    ("encode", "\"a\"\n7\n", "line 2: expected a JSON string, found an integer"),
    ("encode", "\"a\"\n\n", "line 2: not JSON: byte 1 of the line: expected a value"),
    ("encode", "\"a\"\n\"b", "line 2: not JSON: byte 1 of the line: unterminated string"),
    ("encode", "\"a\"\n\"\\ud800\"\n", "line 2: not JSON"),
    ("decode", "[64]\n\"a\"\n", "line 2: expected a JSON array of token ids, found a string"),
    ("decode", "[64]\n[1,96]\n", "line 2: element 1: expected a token id from 0 to 95, found `96`"),
    ("decode", "[64]\n[-1]\n", "line 2: element 0: expected a token id from 0 to 95, found `-1`"),
    ("decode", "[64]\n[1.0]\n", "line 2: element 0: expected a token id"),
  ])
  func `a wrong line is an error with its number, after the answers before it`(
    command: String, lines: String, message: String
  ) throws {
    let found = try fixture(lines).plumb("tokenizer \(command) -t model < lines")
    #expect(found.status == 4)
    #expect(found.output == (command == "encode" ? "[64]\n" : "\"a\"\n"))
    #expect(found.error.contains("`standard input`: \(message)"), "\(found.error)")
  }

  @Test func `bytes that are no UTF-8 are refused at the first of them`() throws {
    let fixture = try fixture("")
    let found = fixture.plumb(
      "tokenizer encode -t model", before: "printf '\"a\"\\n\"ab\\303\\251c\\303(\"\\n' |")
    #expect(found.status == 4)
    #expect(
      found.error.contains("line 2: not JSON: byte 7 of the line: string is not valid UTF-8"),
      "\(found.error)")
  }

  @Test func `check tells what the tokenizer is and which texts do not survive`() throws {
    let fixture = try fixture("\"ab c\"\n\"a\\u00e9\"\n")
    let found = fixture.plumb("tokenizer check -t model lines")
    #expect(found.status == 4)
    #expect(found.output.contains("model: byte-level BPE\ntokens: 96\n"), "\(found.output)")
    #expect(found.output.contains("bytes without a token: 160\n"))
    #expect(
      found.output.hasSuffix("texts: 2, 5 tokens, 1 come back as they were\n  line 2: `aé` became `a`\n"))
    let json = fixture.plumb("tokenizer check --json -t model lines")
    #expect(json.output.contains(#""changed":[{"line":2,"text":"aé","decoded":"a"}]"#), "\(json.output)")
    #expect(fixture.plumb("tokenizer check -t model").status == 0)
    #expect(fixture.plumb("tokenizer check -t model nowhere").status == 4)
  }
}
