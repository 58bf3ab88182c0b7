// Folders with `vocab.json` and `merges.txt` that are refused, by what is wrong with them. (`HardTextTests` has the good ones.)

import JSON
import Models
import TestFolder
import Testing

@Suite struct VocabularyFilesTests {
  private static let good = [
    "vocab.json": #"{"a":0,"b":1,"ab":2}"#, "merges.txt": "#version: 0.2\na b\n",
    "tokenizer_config.json": "{}", "config.json": #"{"model_type":"gpt2"}"#,
  ]

  private static func folder(_ changes: [String: String?] = [:]) throws -> TemporaryFolder {
    let folder = TemporaryFolder()
    for (name, text) in good.merging(changes.compactMapValues { $0 }, uniquingKeysWith: { $1 })
    where !(changes.keys.contains(name) && changes[name] == .some(nil)) {
      try folder.write(text, to: name)
    }
    return folder
  }

  @Test func `the good folder is read, with the tokens that its class has unasked`() throws {
    let folder = try Self.folder()
    let tokenizer = try openTokenizer(folder.path)
    #expect(tokenizer.encode("abb") == [2, 1])
    #expect(tokenizer.endToken == 3 && tokenizer.count == 4 && tokenizer.isSpecial(3))
    #expect(tokenizer.padToken == nil)
  }

  @Test func `line ends of another system and a last line without one are read`() throws {
    for merges in ["a b", "#version: 0.2\r\na b\r\n", "a b\n#version: 9\n"] {
      let folder = try Self.folder(["merges.txt": merges])
      #expect(try openTokenizer(folder.path).encode("ab") == [2], "\(merges)")
    }
  }

  @Test func `a folder without a tokenizer says which files it wants`() throws {
    for file in ["vocab.json", "merges.txt"] {
      let folder = try Self.folder([file: nil])
      #expect(
        failure { _ = try openTokenizer(folder.path) }
          == "`\(folder.path)`: expected `tokenizer.json`, or `vocab.json` and `merges.txt`; found neither")
    }
  }

  private static let wrong: [(file: String, text: String, message: String)] = [
    ("vocab.json", "[]", "vocab.json`: `$`: expected an object, found a list"),
    ("vocab.json", #"{"a":0,"b":1,"ab":7}"#, "vocab.json`: `$ entry 2`: `ab` has id 7"),
    ("merges.txt", "a b\na\n", "merges.txt`: line 2: expected two tokens with a space between, found `a`"),
    ("merges.txt", "a b\n\na b\n", "merges.txt`: line 2: expected two tokens"),
    ("merges.txt", "#version: 0.2\n\na b\n", "merges.txt`: line 2: expected two tokens"),
    ("merges.txt", "#version: 0.2\na c\n", "merges.txt`: line 2: the token `c` is not in the vocabulary"),
    ("merges.txt", String(repeating: "\n", count: 1_000_001), "merges.txt`: more than 1000000 lines"),
    (
      "tokenizer_config.json", #"{"tokenizer_class":"Qwen2Tokenizer"}"#,
      "tokenizer_config.json`: `tokenizer_class`: `Qwen2Tokenizer` without a `tokenizer.json` is not supported"
    ),
    ("config.json", #"{"model_type":"roberta"}"#, "config.json`: `model_type`: the tokenizer of `roberta`"),
    ("config.json", #"{"tokenizer_class":"RobertaTokenizer"}"#, "config.json`: `tokenizer_class`"),
    ("tokenizer_config.json", #"{"add_prefix_space":1}"#, "`add_prefix_space`: expected a boolean"),
    ("tokenizer_config.json", #"{"add_eos_token":true}"#, "`add_eos_token`: `true` is not supported"),
    ("tokenizer_config.json", #"{"eos_token":7}"#, "tokenizer_config.json`: `eos_token`: expected a token"),
    ("tokenizer_config.json", #"{"eos_token":{"content":""}}"#, "`eos_token`: expected a token"),
    (
      "special_tokens_map.json", #"{"pad_token":[]}"#,
      "special_tokens_map.json`: `pad_token`: expected a token"
    ),
    (
      "special_tokens_map.json", #"{"additional_special_tokens":["x",1]}"#,
      "special_tokens_map.json`: `additional_special_tokens[1]`: expected a token"
    ),
    (
      "special_tokens_map.json", #"{"eos_token":{"content":"x","lstrip":1}}"#,
      "`eos_token.lstrip`: expected a boolean"
    ),
    ("added_tokens.json", #"{"x":"3"}"#, "added_tokens.json`: `x`: expected a token id, found `\"3\"`"),
    ("added_tokens.json", #"{"x":9}"#, "`x` has id 9, which leaves a gap; expected the next free id 3"),
    ("added_tokens.json", #"{"a":3}"#, "`a` has id 3 here and id 0 in the vocabulary"),
    ("tokenizer_config.json", #"{"added_tokens_decoder":{"x":{"content":"y"}}}"#, "`added_tokens_decoder.x`"),
    ("tokenizer_config.json", #"{"added_tokens_decoder":{"3":{}}}"#, "`added_tokens_decoder.3`"),
    ("tokenizer_config.json", #"{"added_tokens_decoder":[]}"#, "`added_tokens_decoder`: expected an object"),
  ]

  @Test(arguments: wrong)
  func `a wrong file is refused by its name and place`(file: String, text: String, message: String) throws {
    let folder = try Self.folder([file: text])
    let found = failure { _ = try openTokenizer(folder.path) }
    #expect(found?.contains(message) == true, "\(found ?? "accepted")")
  }
}
