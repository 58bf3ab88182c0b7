// Which tokens end a sample and which begins a text, by the files that may say so.

import JSON
import Models
import TestFolder
import Testing

@Suite struct EndTokensTests {
  let directory = TemporaryFolder()

  /// A directory whose `config.json` ends texts with token 2 and whose `generation_config.json` holds this.
  private func directory(generation: String?) throws -> String {
    let path = try TinyCheckpoint.save(
      try openCheckpoint(try directory.file("m.gguf", TinyCheckpoint.gguf().bytes())), in: directory)
    if let generation { try directory.file("hf/generation_config.json", generation) }
    return path
  }

  @Test(
    arguments: [
      (#"{"eos_token_id": [3, 2]}"#, [2, 3]), (#"{"eos_token_id": [4, 3]}"#, [4, 3]),
      (#"{"eos_token_id": 3}"#, [3]),
      (#"{"eos_token_id": null, "temperature": 0.6}"#, [2]), (#"{"eos_token_id": []}"#, [2]), ("{}", [2]),
    ] as [(String, [Int32])])
  func `generation_config.json decides where it names end tokens`(text: String, expected: [Int32]) throws {
    #expect(try openCheckpoint(try directory(generation: text)).endTokens == expected)
  }

  @Test(arguments: [
    (#"{"eos_token_id": "2"}"#, "`eos_token_id`: expected a token id, found `\"2\"`"),
    (#"{"eos_token_id": [2, 12]}"#, "`eos_token_id`: token id 12 is outside the vocabulary of 12 rows"),
    (#"{"eos_token_id": [2, true]}"#, "`eos_token_id[1]`: expected a token id, found `true`"),
    ("[2]", "`$`: expected an object, found a list"),
    ("{", "not JSON: 1:2"),
    (
      "\u{FEFF}{}",
      "not JSON: 1:1: expected a value, found byte 0xef; found a text that begins with a byte order mark"
    ),
  ])
  func `a wrong generation_config.json is refused by its key`(text: String, message: String) throws {
    let path = try directory(generation: text)
    let found = failure { _ = try openCheckpoint(path) }
    #expect(found?.contains("generation_config.json`: \(message)") == true, "\(found ?? "accepted")")
  }

  @Test func `a model that is written keeps all of generation_config.json and reads back equal`() throws {
    let text =
      #"{"bos_token_id": 1, "eos_token_id": [3, 2], "temperature": 0.60, "transformers_version": "4.51.0"}"#
    let checkpoint = try openCheckpoint(try directory(generation: text))
    let path = "\(directory.path)/again"
    let outputs = checkpoint.configuration.layout.tensors.map { tensor in
      let (name, shape) = (tensor.name, tensor.shape)
      return SafeTensorsOutput(name: name, shape: shape, dtype: .f32) { emit in
        try checkpoint.tensors.floats(name).withUnsafeBytes { try emit($0) }
      }
    }
    try writeModelDirectory(
      path, configuration: checkpoint.configuration, tensors: outputs, tokenizer: checkpoint.tokenizer,
      chatTemplate: nil, generationConfig: checkpoint.generationConfig)
    let again = try openCheckpoint(path)
    #expect(again.endTokens == [2, 3] && again.configuration == checkpoint.configuration)
    #expect(try again.generationConfig == JSON(parsing: text))
  }

  @Test func `a GGUF file's end of text, turn and message all end a sample, and stay when it is written`()
    throws
  {
    let gguf = TinyCheckpoint.gguf {
      $0.add("tokenizer.ggml.eom_token_id", UInt32(5))
      $0.add("tokenizer.ggml.eot_token_id", UInt32(4))
    }
    let checkpoint = try openCheckpoint(try directory.file("m.gguf", gguf.bytes()))
    #expect(checkpoint.endTokens == [2, 4, 5])
    #expect(try openCheckpoint(try TinyCheckpoint.save(checkpoint, in: directory)).endTokens == [2, 4, 5])
    let same = TinyCheckpoint.gguf { $0.add("tokenizer.ggml.eot_token_id", UInt32(2)) }
    #expect(try openCheckpoint(try directory.file("same.gguf", same.bytes())).endTokens == [2])
  }

  @Test(
    arguments: [
      ("smollm", nil, false), ("gpt-2", nil, false), ("llama-bpe", nil, true), ("llama3", nil, true),
      ("llama-v3", nil, true), ("llama-bpe", false, false), ("gpt-2", true, true),
    ] as [(String, Bool?, Bool)])
  func `a GGUF file's pre-tokenizer says whether texts begin with the begin token, unless the file does`(
    pre: String, stated: Bool?, adds: Bool
  ) throws {
    let gguf = TinyCheckpoint.gguf {
      TinyCheckpoint.without("tokenizer.ggml.pre", &$0)
      $0.add("tokenizer.ggml.pre", pre)
      if let stated { $0.add("tokenizer.ggml.add_bos_token", stated) }
    }
    let checkpoint = try openCheckpoint(try directory.file("m.gguf", gguf.bytes()))
    let tokenizer = try checkpoint.requireTokenizer()
    #expect(tokenizer.addsBeginToken == adds)
    #expect(tokenizer.encode("ab", addSpecialTokens: true) == (adds ? [1, 6] : [6]))
    let written = try openCheckpoint(try TinyCheckpoint.save(checkpoint, in: directory)).requireTokenizer()
    #expect(written.addsBeginToken == adds && written.beginToken == 1)
  }

  @Test func `what the post-processor puts first is the begin token, whatever is called bos_token`() throws {
    let gguf = TinyCheckpoint.gguf { $0.add("tokenizer.ggml.add_bos_token", true) }
    let path = try TinyCheckpoint.save(
      try openCheckpoint(try directory.file("m.gguf", gguf.bytes())), in: directory)
    try directory.file("hf/tokenizer_config.json", #"{"bos_token": "</s>", "eos_token": "</s>"}"#)
    #expect(try openCheckpoint(path).requireTokenizer().encode("ab", addSpecialTokens: true) == [1, 6])
  }

  @Test func `inspect names end tokens, begin token and rows without a token`() throws {
    let checkpoint = try openCheckpoint(try directory.file("m.gguf", TinyCheckpoint.gguf().bytes()))
    for path in [checkpoint.path, try TinyCheckpoint.save(checkpoint, in: directory)] {
      let lines = try inspect(path)
      #expect(lines.contains("family: llama"))
      #expect(lines.contains("end tokens: 2 `</s>`"))
      #expect(lines.contains("begin token: 1 `<s>`, not put before texts"))
      #expect(lines.contains("vocabulary: 12 rows, 3 of them without a token: 9 to 11"))
      #expect(lines.contains("parameters: \(TinyCheckpoint.tiny.parameterCount)"))
    }
    let gguf = TinyCheckpoint.gguf {
      $0.add("tokenizer.ggml.eot_token_id", UInt32(9))
      $0.add("tokenizer.ggml.add_bos_token", true)
    }
    let lines = try inspect(try directory.file("m.gguf", gguf.bytes()))
    #expect(lines.contains("end tokens: 2 `</s>`, 9 without a token"))
    #expect(lines.contains("begin token: 1 `<s>`, put before every text"))
  }

  @Test func `inspect shows a GGUF file that is no model for Plumb, and says why`() throws {
    let gguf = TinyCheckpoint.gguf {
      TinyCheckpoint.without("general.architecture", &$0)
      $0.add("general.architecture", "gemma")
    }
    let lines = try inspect(try directory.file("m.gguf", gguf.bytes()))
    #expect(
      lines.contains { $0.hasPrefix("not read as a model: ") && $0.contains("`gemma` is not supported") })
    #expect(lines.contains("  general.architecture = `gemma`"))
  }
}
