import Glibc
import JSON
import Runner
import System
import TestFolder
import Testing

@Suite struct ModelCacheTests {
  private func make() throws -> (TemporaryFolder, Store, ModelCache) {
    let folder = TemporaryFolder()
    return (folder, try Store(at: "\(folder.path)/.plumb"), ModelCache(root: "\(folder.path)/models"))
  }

  @Test func `a model is fetched once, and again when it was damaged`() throws {
    let (folder, store, cache) = try make()
    var fetches = 0
    func get() throws -> String {
      try cache.path(of: Digest.of(text: "weights"), named: "m.gguf", store: store) { fetch in
        fetches += 1
        try File.writeDurably("weights", to: "\(fetch.folder)/whatever")
        return "\(fetch.folder)/whatever"
      }
    }
    let path = try get()
    #expect(path == "\(folder.path)/models/\(Digest.of(text: "weights").hex)/m.gguf")
    #expect(try get() == path && fetches == 1)
    try File.remove(path)
    try File.writeDurably("weighty", to: path)
    #expect(try get() == path && fetches == 2)
    #expect(try File.names(in: Path.parent(path)) == [".lock", "m.gguf"])
  }

  @Test func `other bytes than were asked for are refused, naming both digests`() throws {
    let (_, store, cache) = try make()
    let wanted = Digest.of(text: "weights")
    let error = try #require(throws: InputError.self) {
      try cache.path(of: wanted, named: "m.gguf", store: store) { fetch in
        try File.writeDurably("other", to: "\(fetch.folder)/x")
        return "\(fetch.folder)/x"
      }
    }
    #expect(
      error.description.contains(wanted.hex) && error.description.contains(Digest.of(text: "other").hex))
    #expect(try File.names(in: "\(cache.root)/\(wanted.hex)") == [".lock"])
  }

  @Test func `a fetch goes on from what one that failed had fetched`() throws {
    let (_, store, cache) = try make()
    func get(_ fetch: (Fetch) throws -> String) throws -> String {
      try cache.path(of: Digest.of(text: "weights"), named: "m.gguf", store: store, fetch: fetch)
    }
    #expect(throws: RunError.self) {
      try get { fetch in
        try File.writeDurably("weig", to: "\(fetch.folder)/x")
        throw RunError(.remote, "gone")
      }
    }
    let path = try get { fetch in
      let half = String(decoding: try File.read("\(fetch.folder)/x"), as: UTF8.self)
      try File.writeDurably(half + "hts", to: "\(fetch.folder)/x")
      return "\(fetch.folder)/x"
    }
    #expect(try File.names(in: Path.parent(path)) == [".lock", "m.gguf"])
  }

  @Test func `a folder of files is one model, read-only, and fetched again when a file of it is damaged`()
    throws
  {
    let (folder, store, cache) = try make()
    try File.makeDirectory("\(folder.path)/model")
    try folder.write("{}", to: "model/config.json")
    try folder.write("weights", to: "model/model.safetensors")
    let digest = try store.digestOfModel("\(folder.path)/model")
    var fetches = 0
    func get() throws -> String {
      try cache.path(of: digest, named: "m", store: store) { fetch in
        fetches += 1
        let made = "\(fetch.folder)/made"
        try File.makeDirectory(made)
        try File.writeDurably("{}", to: "\(made)/config.json")
        try File.writeDurably("weights", to: "\(made)/model.safetensors")
        return made
      }
    }
    let path = try get()
    #expect(try get() == path && fetches == 1)
    #expect(access("\(path)/config.json", W_OK) != 0 || getuid() == 0)
    try File.remove("\(path)/config.json")
    #expect(try get() == path && fetches == 2)
  }

  @Test func `a model path that is not there is an input error`() throws {
    let (folder, store, _) = try make()
    let model = ModelReference(name: "sft", source: .path("\(folder.path)/none"), sha256: nil)
    let error = try #require(throws: InputError.self) {
      try ModelSource.contentDigest(of: model, store: store)
    }
    #expect(error.description == "model `sft`: there is nothing at `\(folder.path)/none`")
  }

  @Test func `a model path with another digest is an input error`() throws {
    let (folder, store, _) = try make()
    try folder.write("weights", to: "m")
    let model = ModelReference(
      name: "sft", source: .path("\(folder.path)/m"), sha256: Digest.of(text: "x").hex)
    #expect(throws: InputError.self) { try ModelSource.contentDigest(of: model, store: store) }
  }
}
