// A model of several places: which files it has, its digest, and its folder.

import Glibc
import Runner
import System
import TestFolder
import Testing

@Suite struct AssembledModelTests {
  let folder = TemporaryFolder()

  init() throws {
    for name in ["model", "model/deep", "config", "words", "older", "parts", "root"] {
      try File.makeDirectory("\(folder.path)/\(name)")
    }
    for name in [
      "model/config.json", "model/generation_config.json", "model/tokenizer.json",
      "model/tokenizer_config.json",
      "model/model.safetensors", "model/deep/notes.txt", "config/config.json",
      "config/generation_config.json",
      "config/model.safetensors", "words/tokenizer.json", "words/merges.txt", "words/README.md", "rm.bin",
      "older/vocab.json", "older/merges.txt", "older/added_tokens.json", "parts/vocab.json",
      "rm.safetensors", "m.gguf",
    ] { try folder.write(name, to: name) }
  }

  private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

  private func links(_ name: String, config: String? = nil, tokenizer: String? = nil) throws -> [String] {
    try model(name, config: config, tokenizer: tokenizer).links.map {
      "\($0.name) -> \($0.path.replacing("\(folder.path)/", with: ""))"
    }
  }

  private func model(_ name: String, config: String? = nil, tokenizer: String? = nil) throws -> AssembledModel
  {
    try AssembledModel(
      of: path(name), with: ModelParts(config: config.map(path), tokenizer: tokenizer.map(path)))
  }

  @Test func `a part's files take the place of the model's own`() throws {
    #expect(
      try links("model", config: "config/config.json", tokenizer: "words") == [
        "config.json -> config/config.json", "deep/notes.txt -> model/deep/notes.txt",
        "generation_config.json -> model/generation_config.json", "merges.txt -> words/merges.txt",
        "model.safetensors -> model/model.safetensors", "tokenizer.json -> words/tokenizer.json",
      ])
    #expect(
      try links("model", config: "config") == [
        "config.json -> config/config.json", "deep/notes.txt -> model/deep/notes.txt",
        "generation_config.json -> config/generation_config.json",
        "model.safetensors -> model/model.safetensors", "tokenizer.json -> model/tokenizer.json",
        "tokenizer_config.json -> model/tokenizer_config.json",
      ])
    #expect(
      try links("rm.bin", config: "config", tokenizer: "words/tokenizer.json") == [
        "config.json -> config/config.json", "generation_config.json -> config/generation_config.json",
        "pytorch_model.bin -> rm.bin", "tokenizer.json -> words/tokenizer.json",
      ])
    #expect(
      try links("rm.bin", config: "config/config.json", tokenizer: "older") == [
        "added_tokens.json -> older/added_tokens.json", "config.json -> config/config.json",
        "merges.txt -> older/merges.txt", "pytorch_model.bin -> rm.bin", "vocab.json -> older/vocab.json",
      ])
    #expect(try links("rm.safetensors", config: "config")[2] == "model.safetensors -> rm.safetensors")
  }

  @Test func `what cannot be put together is named`() throws {
    func refusal(_ name: String, config: String? = nil, tokenizer: String? = nil) -> String {
      do {
        _ = try model(name, config: config, tokenizer: tokenizer)
        return "accepted"
      } catch { return "\(error)".replacing("\(folder.path)/", with: "") }
    }
    #expect(
      refusal("m.gguf", config: "config").hasPrefix("`m.gguf` is a file that holds its own configuration"))
    #expect(refusal("model", config: "words") == "`words` has no `config.json`")
    #expect(
      refusal("model", tokenizer: "config")
        == "`config` has no `tokenizer.json` and no `vocab.json` with `merges.txt`")
    #expect(
      refusal("model", tokenizer: "parts")
        == "`parts` has no `tokenizer.json` and no `vocab.json` with `merges.txt`")
    #expect(refusal("model", config: "none").contains("none"))
  }

  @Test func `its digest is that of the folder put together by hand, and its folder appears whole`() throws {
    let model = try model("model", config: "config", tokenizer: "words")
    let made = try model.folder(below: path("root"))
    let digest = try model.digest { try Digest.ofFile($0).digest }
    #expect(try Manifest.digest(of: made) { try Digest.ofFile($0).digest } == digest)
    let hand = path("hand")
    for link in model.links {
      try File.makeDirectory(Path.parent("\(hand)/\(link.name)"))
      try folder.write(try File.read(link.path), to: "hand/\(link.name)")
    }
    #expect(try Manifest.digest(of: hand) { try Digest.ofFile($0).digest } == digest)
    // Made once; made again when something of it is gone, points elsewhere or was added.
    #expect(try model.folder(below: path("root")) == made)
    try File.remove("\(made)/config.json")
    #expect(try model.folder(below: path("root")) == made && FileStatus.of("\(made)/config.json") != nil)
    try File.remove("\(made)/config.json")
    try File.makeSymbolicLink(at: "\(made)/config.json", to: path("model/config.json"))
    _ = try model.folder(below: path("root"))
    #expect(try File.read("\(made)/config.json") == Array("config/config.json".utf8))
    try File.makeSymbolicLink(at: "\(made)/vocab.txt", to: path("rm.bin"))
    _ = try model.folder(below: path("root"))
    #expect(FileStatus.of("\(made)/vocab.txt") == nil)
    #expect(try File.names(in: path("root")) == [Path.name(made)])
    // Other places, another folder, though the digest is the same.
    let other = try AssembledModel(of: hand, with: ModelParts(config: path("config")))
    #expect(try other.folder(below: path("root")) != made)
    #expect(try other.digest { try Digest.ofFile($0).digest } == digest)
  }
}
