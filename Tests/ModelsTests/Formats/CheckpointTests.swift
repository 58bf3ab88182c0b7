// A model as a file or a directory: opened, written, looked at.

import Glibc
import JSON
import ModelFileBuilders
import Models
import TestFolder
import Testing

@Suite struct CheckpointTests {
  let directory = TemporaryFolder()

  @Test func `a GGUF file is read under Hugging Face names, its rotary rows put back`() throws {
    let checkpoint = try openCheckpoint(try directory.file("m.gguf", TinyCheckpoint.gguf().bytes()))
    #expect(checkpoint.configuration == TinyCheckpoint.tiny)
    #expect(checkpoint.chatTemplate == "{{ messages }}")
    for (name, shape, values) in TinyCheckpoint.values() {
      #expect(try checkpoint.tensors.shape(of: name) == shape)
      #expect(try checkpoint.tensors.floats(name) == values, "\(name)")
    }
    let tokenizer = try checkpoint.requireTokenizer()
    #expect(tokenizer.encode("ab a") == [6, 8])
    #expect(tokenizer.encode("</s>ab", parseSpecial: true) == [2, 6])
    #expect(tokenizer.endToken == 2)
    #expect(try checkpoint.tensors.nonFiniteCounts().isEmpty)
  }

  @Test func `a model written as a directory opens as the same model`() throws {
    let original = try openCheckpoint(try directory.file("m.gguf", TinyCheckpoint.gguf().bytes()))
    let path = try TinyCheckpoint.save(original, in: directory)
    let again = try openCheckpoint(path)
    #expect(again.configuration == original.configuration)
    #expect(again.chatTemplate == original.chatTemplate)
    #expect(again.plumb?["conditioning"] != nil)
    for name in original.tensors.names {
      #expect(try again.tensors.floats(name) == original.tensors.floats(name))
    }
    let (a, b) = (try original.requireTokenizer(), try again.requireTokenizer())
    for text in ["ab a", "abc<s>", " a  ab"] { #expect(a.encode(text) == b.encode(text)) }
    #expect(b.beginToken == 1 && b.endToken == 2)
    #expect(try inspect(path).contains("tensors: 20"))
    unlink("\(path)/plumb.json")
    #expect(try openCheckpoint(path).plumb.map(\.kind) == nil)
    #expect(try !inspect(path).contains { $0.hasPrefix("plumb.json") })
  }

  @Test func `values that are not finite are counted by tensor`() throws {
    let builder = TinyCheckpoint.gguf { builder in
      builder.tensors[0].data.replaceSubrange(4..<8, with: littleEndian(Float.nan.bitPattern))
      builder.tensors[0].data.replaceSubrange(8..<12, with: littleEndian(Float.infinity.bitPattern))
    }
    let counts = try openCheckpoint(try directory.file("m.gguf", builder.bytes())).tensors.nonFiniteCounts()
    #expect(counts.map { "\($0.name) \($0.count)" } == ["model.embed_tokens.weight 2"])
    let lines = ["NaN or infinite: 2", "  model.embed_tokens.weight  2 of 96"]
    #expect(
      try inspect("\(directory.path)/m.gguf").suffix(2) == [
        "NaN or infinite: 2", "  token_embd.weight  2 of 96",
      ])
    let path = try TinyCheckpoint.save(try openCheckpoint("\(directory.path)/m.gguf"), in: directory)
    #expect(try inspect(path).suffix(2) == lines[...])
    #expect(try inspect("\(path)/model.safetensors").suffix(2) == lines[...])
  }

  @Test func `a directory without weights, or with a file that holds none, says so`() throws {
    try directory.file("config.json", TinyCheckpoint.tiny.huggingFaceConfig().text())
    #expect(failure { _ = try openCheckpoint(directory.path) }?.contains("found none") == true)
    try directory.file("pytorch_model.bin", "x")
    #expect(
      failure { _ = try openCheckpoint(directory.path) }?.contains(
        "/pytorch_model.bin`: expected a PyTorch file (a zip archive), found a file of another kind") == true)
    let empty = TemporaryFolder()
    #expect(failure { _ = try openCheckpoint(empty.path) }?.contains("it has no `config.json`") == true)
    #expect(
      failure { _ = try openCheckpoint("/nonexistent") }
        == "`/nonexistent`: cannot open it: no such file or directory")
  }

  @Test func `inspect tells kind, metadata, tensors and the sum`() throws {
    let gguf = try inspect(try directory.file("m.gguf", TinyCheckpoint.gguf().bytes()))
    #expect(gguf.first == "kind: GGUF version 3, alignment 32")
    #expect(gguf.contains("  general.architecture = `llama`"))
    #expect(gguf.contains("  tokenizer.ggml.merges = 2 of string: `a b`, `Ġ a`"))
    #expect(gguf.contains("  token_embd.weight         F32  [12, 8]  384 bytes"))
    #expect(gguf.contains("parameters: \(TinyCheckpoint.tiny.parameterCount)"))
    #expect(gguf.last == "NaN or infinite: none")
    let tokenizer = try inspect("\(fixtureDirectory)/tokenizer/smollm.json")
    #expect(tokenizer.starts(with: ["kind: Hugging Face tokenizer", "model: byte-level BPE", "tokens: 485"]))
    #expect(tokenizer.contains("pre-tokenizer: digits one by one, then the expression of gpt2"))
    #expect(tokenizer.contains("  1 `<|im_start|>` special"))
    let config = try directory.file("config.json", TinyCheckpoint.tiny.huggingFaceConfig().text())
    #expect(try inspect(config).contains("heads: 2 of 4, 1 for keys and values"))
    let other = try directory.file("other", "hello")
    #expect(failure { _ = try inspect(other) }?.hasSuffix("found a file of another kind") == true)
  }

  @Test(.enabled(if: smolLM2Path != nil, "SmolLM2 is not in the model cache"))
  func `SmolLM2 opens and encodes as its authors' tokenizer does`() throws {
    let checkpoint = try openCheckpoint(try #require(smolLM2Path))
    #expect(checkpoint.configuration.parameterCount == 134_515_008)
    #expect(try checkpoint.tensors.nonFiniteCounts().isEmpty)
    let tokenizer = try checkpoint.requireTokenizer()
    let again = try Tokenizer(huggingFace: tokenizer.huggingFaceJSON())
    let goldens = try TokenizerGoldenTests.goldens(
      "\(fixtureDirectory)/tokenizer/smollm2.golden.jsonl", plain: "plain", parsed: "parsed",
      decoded: "decoded")
    for golden in goldens {
      for tokenizer in [tokenizer, again] {
        #expect(tokenizer.encode(golden.text) == golden.plain, "\(golden.text.debugDescription)")
        #expect(
          tokenizer.encode(golden.text, parseSpecial: true) == golden.parsed,
          "\(golden.text.debugDescription)")
        #expect(tokenizer.decode(golden.parsed, skipSpecial: false).utf8.elementsEqual(golden.decoded.utf8))
      }
    }
  }
}
