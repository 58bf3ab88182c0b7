import JSON
import Models
import TestFolder
import Testing

@Suite struct TokenizerTests {
  static func fixture(_ name: String = "smollm") throws -> Tokenizer {
    try readTokenizer("\(fixtureDirectory)/tokenizer/\(name).json")
  }

  @Test func `special tokens in user text are plain text`() throws {
    let tokenizer = try Self.fixture()
    let text = "a<|im_end|>b"
    #expect(!tokenizer.encode(text).contains(2))
    #expect(tokenizer.encode(text, parseSpecial: true).contains(2))
    #expect(tokenizer.decode(tokenizer.encode(text)) == text)
    #expect(tokenizer.decode(tokenizer.encode(text, parseSpecial: true)) == "ab")
  }

  @Test func `added tokens take the next ids, are found only on request, and survive writing`() throws {
    let original = try Self.fixture()
    var tokenizer = original
    let names = (0..<5).map { "_QUANTILE_TOKEN_\($0)_" }
    let ids = try tokenizer.addTokens(names)
    #expect(ids == (0..<5).map { Int32(truncatingIfNeeded: original.count + $0) })
    #expect(try tokenizer.addTokens(names) == ids)
    #expect(tokenizer.count == original.count + 5)
    #expect(original.id(of: names[0]) == nil)
    let text = "_QUANTILE_TOKEN_3_The ferry"
    #expect(tokenizer.encode(text) == original.encode(text))
    #expect(tokenizer.encode(text, parseSpecial: true) == [ids[3]] + original.encode("The ferry"))
    #expect(tokenizer.decode([ids[3]] + original.encode("The")) == "The")
    #expect(tokenizer.decode([ids[3]], skipSpecial: false) == names[3])
    let again = try Tokenizer(huggingFace: tokenizer.huggingFaceJSON())
    #expect(again.encode(text, parseSpecial: true) == tokenizer.encode(text, parseSpecial: true))
    #expect(again.count == tokenizer.count)
  }

  @Test func `a token that is not special is found in any text; the longest wins`() throws {
    var tokenizer = try Self.fixture()
    let ids = try tokenizer.addTokens(["<<a>>", "<<a>>>", "é!"], special: false)
    #expect(tokenizer.encode("<<a>>>") == [ids[1]])
    #expect(tokenizer.encode("<<a>>") == [ids[0]])
    #expect(tokenizer.decode([ids[2]]) == "é!")
  }

  @Test func `adding a token of the vocabulary keeps its id`() throws {
    var tokenizer = try Self.fixture()
    let known = try #require(tokenizer.id(of: "ou"))
    #expect(try tokenizer.addTokens(["ou"], special: false) == [known])
    let alone = tokenizer.encode("xoux")
    #expect(alone.contains(known) && alone.count == 3)
  }

  @Test func `ids outside the vocabulary stand for nothing`() throws {
    let tokenizer = try Self.fixture()
    #expect(tokenizer.decode([-1, .max, .min]) == "")
    #expect(tokenizer.tokenBytes(Int32.max).isEmpty)
    #expect(tokenizer.spelling(-1) == nil)
  }

  @Test func `bytes without a token are left out`() throws {
    let tokenizer = try Tokenizer(
      preTokenizer: .gpt2, model: BytePairModel(Vocabulary(["a", "b", "ab"]), merges: [("a", "b")]),
      addedTokens: [])
    // As in Hugging Face, the neighbours of what was left out are neighbours.
    #expect(tokenizer.encode("azb") == [2])
    #expect(tokenizer.encode("zz") == [])
  }

  @Test func `lower ranks merge first, and the leftmost of equals`() throws {
    let tokenizer = try Tokenizer(
      preTokenizer: .gpt2,
      model: BytePairModel(
        Vocabulary(["a", "b", "c", "aa", "bc", "ab"]), merges: [("b", "c"), ("a", "a"), ("a", "b")]),
      addedTokens: [])
    #expect(tokenizer.encode("abc") == [0, 4])
    #expect(tokenizer.encode("aaa") == [3, 0])
    #expect(tokenizer.encode("aab") == [3, 1])
  }

  /// A part that a tokenizer is given from outside.
  private struct Lowercase: Normalizer {
    static let type = "Lowercase"
    init() {}
    init(_ json: JSON, _ path: String) throws {}
    var json: JSON { ["type": "Lowercase"] }
    func normalized(_ text: String) -> String { text.lowercased() }
    func sources(of text: String) -> [Int] { Array(0..<text.unicodeScalars.count) }
  }

  @Test func `a normalizer acts after the tokens that are not normalized are found, and before the others`()
    throws
  {
    func tokenizer(_ added: [AddedToken]) throws -> Tokenizer {
      try Tokenizer(
        normalizer: Lowercase(), preTokenizer: .gpt2,
        model: BytePairModel(Vocabulary(["a", "b", "ab"]), merges: [("a", "b")]), addedTokens: added)
    }
    let added = [
      AddedToken(id: 3, content: "<S>", special: true, normalized: false),
      AddedToken(id: 4, content: "<n>", special: false, normalized: true),
    ]
    let whole = try tokenizer(added)
    #expect(whole.encode("AB<S>a<N>Ab", parseSpecial: true) == [2, 3, 0, 4, 2])
    #expect(whole.encode("AB<S>a", parseSpecial: false) == [2, 0])
    #expect(whole.huggingFaceJSON()["normalizer"] == ["type": "Lowercase"])
  }

  @Test func `a special token in normalized text is read where all that it was made of may be`() throws {
    let tokenizer = try Tokenizer(
      normalizer: NFCNormalizer(), preTokenizer: .gpt2,
      model: BytePairModel(Vocabulary(["a", "b"]), merges: []),
      addedTokens: [
        AddedToken(id: 2, content: "[\u{E9}]", special: true, normalized: true),
        AddedToken(id: 3, content: "<s>", special: true, normalized: false),
      ])
    let text = "a[e\u{301}]b"
    #expect(tokenizer.encode(text, parseSpecial: true) == [0, 2, 1])
    #expect(tokenizer.encode(text, parseSpecial: false) == [0, 1])
    // The token's five bytes begin at 1.
    #expect(tokenizer.encode(text, specialIn: [1..<6]) == [0, 2, 1])
    for range in [0..<5, 2..<7, 1..<4] { #expect(tokenizer.encode(text, specialIn: [range]) == [0, 1]) }
    // The pass over the text as it stands has come further.
    #expect(tokenizer.encode(text + "<s>", specialIn: [1..<6]) == [0, 2, 1])
    #expect(tokenizer.encode(text + "<s>", specialIn: [1..<6, 7..<10]) == [0, 2, 1, 3])
    // The mark belongs to somebody else.
    #expect(tokenizer.encode(text, specialIn: [1..<3, 3..<6]) == [0, 1])
  }

  static let good =
    #"{"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]},"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"},"added_tokens":[{"id":3,"content":"<s>","special":true,"normalized":false}]}"#

  /// Changes to `good` and the path and reason they are refused with.
  static let hostile: [(find: String, replace: String, message: String)] = [
    (#""type":"BPE""#, #""type":"Unigram""#, "`model.type`: `\"Unigram\"` is not supported"),
    (#""type":"BPE""#, #""type":"BPE","byte_fallback":true"#, "`model.byte_fallback`"),
    (#""type":"BPE""#, #""type":"BPE","unk_token":"a""#, "`model.unk_token`"),
    (#""type":"BPE""#, #""type":"BPE","dropout":0.1"#, "`model.dropout`"),
    (
      #""type":"BPE""#, #""type":"BPE","continuing_subword_prefix":"\#u{23}\#u{23}""#,
      "`model.continuing_subword_prefix`"
    ),
    (#""type":"BPE""#, #""type":"BPE","end_of_word_suffix":"</w>""#, "`model.end_of_word_suffix`"),
    (#""vocab":{"a":0,"b":1,"ab":2}"#, #""vocab":[]"#, "`model.vocab`: expected an object, found a list"),
    (#""vocab":{"a":0,"b":1,"ab":2}"#, #""vocab":{}"#, "`model.vocab`: the object is empty"),
    (#""ab":2"#, #""ab":5"#, "has id 5, but there are 3 tokens"),
    (#""ab":2"#, #""ab":1"#, "`ab` and `b` have the same id 1"),
    (#""ab":2"#, #""ab":-1"#, "expected a token id"),
    (#""ab":2"#, #""ab":"2""#, "`model.vocab entry 2`: `ab`: expected a token id, found `\"2\"`"),
    (#""ab":2"#, #""ab":12345678901234567890"#, "expected a token id, found `12345678901234567890`"),
    (#""ab":2"#, #""ab":9223372036854775807"#, "ids must have no gap"),
    (#""a b""#, #""a c""#, "`model.merges[0]`: the token `c` is not in the vocabulary"),
    (#""a b""#, #""b a""#, "`model.merges[0]`: the token `ba` is not in the vocabulary"),
    (#""a b""#, #""ab""#, "`model.merges[0]`: expected two tokens"),
    (#""a b""#, #""a b c""#, "`model.merges[0]`: expected two tokens"),
    (#""a b""#, #"["a"]"#, "`model.merges[0]`: expected two tokens"),
    (#"["a b"]"#, #"["a b",3]"#, "`model.merges[1]`"),
    (#""merges":["a b"]"#, #""merges":{}"#, "`model.merges`: expected a list"),
    (
      #"{"type":"ByteLevel","add_prefix_space":false}"#, #"{"type":"Metaspace"}"#,
      "`pre_tokenizer.type`: `\"Metaspace\"`"
    ),
    (#"{"type":"ByteLevel","add_prefix_space":false}"#, #"{"type":"Whitespace"}"#, "`pre_tokenizer.type`"),
    (#"{"type":"ByteLevel","add_prefix_space":false}"#, "null", "`pre_tokenizer`: missing"),
    (
      #"{"type":"ByteLevel","add_prefix_space":false}"#,
      #"{"type":"Sequence","pretokenizers":[{"type":"Digits"},{"type":"ByteLevel","add_prefix_space":true}]}"#,
      "`pre_tokenizer.pretokenizers[1].add_prefix_space`: `true` is not supported"
    ),
    (
      #"{"type":"ByteLevel","add_prefix_space":false}"#,
      #"{"type":"Sequence","pretokenizers":[{"type":"Digits"}]}"#,
      "`pre_tokenizer.pretokenizers[0].type`"
    ),
    (
      #"{"type":"ByteLevel","add_prefix_space":false}"#,
      #"{"type":"Sequence","pretokenizers":[{"type":"ByteLevel","add_prefix_space":false},{"type":"Digits"}]}"#,
      "`pre_tokenizer.pretokenizers[0].type`"
    ),
    (
      #"{"type":"ByteLevel","add_prefix_space":false}"#,
      #"{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"x+"},"behavior":"Isolated"},{"type":"ByteLevel","add_prefix_space":false}]}"#,
      "`pre_tokenizer.pretokenizers[0].pattern.Regex`"
    ),
    (#""decoder":{"type":"ByteLevel"}"#, #""decoder":{"type":"Metaspace"}"#, "`decoder.type`"),
    (#""decoder":{"type":"ByteLevel"}"#, #""decoder":null"#, "`decoder`: missing"),
    (#""decoder""#, #""normalizer":{"type":"NFKC"},"decoder""#, "`normalizer`: `\"NFKC\"` is not supported"),
    (
      #""decoder""#, #""truncation":4,"decoder""#,
      "`truncation`: expected an object or null, found an integer"
    ),
    (#""decoder""#, #""padding":[],"decoder""#, "`padding`: expected an object or null, found a list"),
    (#""decoder""#, #""version":"2.0","decoder""#, "`version`: `\"2.0\"` is not supported; `\"1.0\"` is"),
    (#""decoder""#, #""version":1.0,"decoder""#, "`version`: `1.0` is not supported"),
    (#""decoder":{"type":"ByteLevel"}"#, #""decoder":[]"#, "`decoder`: expected an object, found a list"),
    (
      #""decoder""#, #""post_processor":{"type":"Sequence","processors":[7]},"decoder""#,
      "`post_processor.processors[0]`: expected an object, found an integer"
    ),
    (
      #""decoder""#, #""post_processor":{"type":"TemplateProcessing","single":{}},"decoder""#,
      "`post_processor.single`: expected a list, found an object"
    ),
    (
      #""decoder""#,
      #""post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}},"decoder""#,
      "`post_processor.special_tokens[`<s>`].ids`: expected [3], the id of `<s>` in the vocabulary, found `[1]`"
    ),
    (#""decoder""#, #""post_processor":{"type":"BertProcessing"},"decoder""#, "`post_processor.type`"),
    (
      #""decoder""#,
      #""post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"<s>","type_id":0}}]},"decoder""#,
      "`post_processor.single[1]`"
    ),
    (
      #""decoder""#,
      #""post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<x>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}]},"decoder""#,
      "`<x>` is not in the vocabulary"
    ),
    (
      #""id":3"#, #""id":4"#,
      "`added_tokens[0]`: `<s>` has id 4, which leaves a gap; expected the next free id 3"
    ),
    (
      #""id":3"#, #""id":1"#,
      "`added_tokens[0]`: `<s>` has id 1, which is that of `b`; expected the next free id 3"
    ),
    (#""id":3"#, #""id":3.0"#, "`added_tokens[0].id`: expected a token id, found `3.0`"),
    (#""added_tokens":["#, #""added_tokens":["x","#, "`added_tokens[0]`: expected an object, found a string"),
    (#""id":3"#, #""id":-3"#, "`added_tokens[0].id`"),
    (#""id":3"#, #""id":99999999999"#, "`added_tokens[0].id`"),
    (#""content":"<s>""#, #""content":"""#, "`added_tokens[0].content`"),
    (#""content":"<s>""#, #""content":"a""#, "`a` has id 3 here and id 0 in the vocabulary"),
    (#""special":true"#, #""special":1"#, "`added_tokens[0].special`: expected a boolean"),
    (#""special":true"#, #""single_word":1"#, "`added_tokens[0].single_word`: expected a boolean"),
    (#""added_tokens":["#, #""added_tokens":[{"id":3,"content":"<s>","special":true},"#, "appears twice"),
    (#""added_tokens":["#, #""added_tokens":7,"x":["#, "`added_tokens`: expected a list"),
  ]

  @Test(arguments: hostile)
  func `refuses an unsupported or malformed part by its path`(find: String, replace: String, message: String)
    throws
  {
    let pieces = Self.good.split(separator: find, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(pieces.count == 2, "\(find) is not in the text")
    let json = try JSON(parsing: pieces[0] + replace + pieces[1])
    let found = failure { _ = try Tokenizer(huggingFace: json) }
    #expect(found?.contains(message) == true, "\(replace): \(found ?? "accepted")")
  }

  @Test func `truncation and padding that a library left in the file change nothing`() throws {
    let text =
      Self.good.dropLast() + #","version":"1.0","truncation":{"max_length":1},"padding":{"pad_id":0}}"#
    let tokenizer = try Tokenizer(huggingFace: try JSON(parsing: String(text)))
    #expect(tokenizer.encode("abab") == [2, 2])
  }

  @Test func `the unchanged text is accepted, and nothing else than an object`() throws {
    #expect(try Tokenizer(huggingFace: try JSON(parsing: Self.good)).encode("ab") == [2])
    #expect(failure { _ = try Tokenizer(huggingFace: [1]) }?.contains("expected an object") == true)
  }

  @Test func `the file and the JSON path are both named`() throws {
    let directory = TemporaryFolder()
    let path = try directory.file(
      "tokenizer.json",
      "{\"model\":{\"type\":\"WordPiece\"},\"decoder\":{\"type\":\"ByteLevel\"},\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false}}"
    )
    #expect(
      failure { _ = try readTokenizer(path) }
        == "`\(path)`: `model.type`: `\"WordPiece\"` is not supported; `BPE` is")
    let broken = try directory.file("broken.json", "{\"model\":")
    #expect(failure { _ = try readTokenizer(broken) }?.contains("not JSON: 1:10") == true)
  }
}
