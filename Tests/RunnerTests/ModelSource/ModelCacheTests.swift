import Glibc
import JSON
import Runner
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
      try cache.path(of: Digest.of(text: "weights"), named: "m.gguf", store: store) { place in
        fetches += 1
        try File.writeDurably("weights", to: "\(place)/whatever")
        return "\(place)/whatever"
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
      try cache.path(of: wanted, named: "m.gguf", store: store) { place in
        try File.writeDurably("other", to: "\(place)/x")
        return "\(place)/x"
      }
    }
    #expect(
      error.description.contains(wanted.hex) && error.description.contains(Digest.of(text: "other").hex))
    #expect(try File.names(in: "\(cache.root)/\(wanted.hex)") == [".lock"])
  }

  @Test func `a fetch that fails leaves nothing half named`() throws {
    let (_, store, cache) = try make()
    #expect(throws: RunError.self) {
      try cache.path(of: Digest.of(text: "weights"), named: "m.gguf", store: store) { place in
        try File.writeDurably("weig", to: "\(place)/x")
        throw RunError(.remote, "gone")
      }
    }
    #expect(try File.names(in: "\(cache.root)/\(Digest.of(text: "weights").hex)") == [".lock"])
  }

  @Test func `a model path that is not there is an input error`() throws {
    let (folder, store, _) = try make()
    let model = PlanModel(name: "sft", source: .path("\(folder.path)/none"), sha256: nil)
    let error = try #require(throws: InputError.self) {
      try ModelSource.contentDigest(of: model, store: store)
    }
    #expect(error.description == "model `sft`: there is nothing at `\(folder.path)/none`")
  }

  @Test func `a model path with another digest is an input error`() throws {
    let (folder, store, _) = try make()
    try folder.write("weights", to: "m")
    let model = PlanModel(name: "sft", source: .path("\(folder.path)/m"), sha256: Digest.of(text: "x").hex)
    #expect(throws: InputError.self) { try ModelSource.contentDigest(of: model, store: store) }
  }
}
