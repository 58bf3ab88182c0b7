// The same bytes whatever the threads, shards, batch and instruction set; nothing runs twice.

import CKernels
import Glibc
import Runner
import System
import Testing

@Suite(.serialized) struct LawTests {
  private func result(_ project: LawProject) throws -> (weights: Digest, objects: [String]) {
    (try project.weights(), try project.objects())
  }

  @Test func `threads, shards, batch and memory change no byte`() throws {
    let plain = try LawProject()
    #expect(try plain.run() == .exited(0), "\(plain.standardError)")
    let expected = try result(plain)
    #expect(try plain.weights(iteration: 1) != expected.weights)

    func variant(_ text: String, _ stages: [String] = ["sample", "score"]) -> LawProject.Variant {
      var variant = LawProject.Variant()
      for stage in stages { variant.extra[stage] = text }
      return variant
    }
    let all = ["sample", "score", "train"]
    for (what, variant, arguments) in [
      ("1 thread, batch 1", variant("engine: {batch: 1}", all), "--threads 1"),
      ("2 threads, batch 7", variant("engine: {batch: 7}", all), "--threads 2"),
      ("3 threads, batch 32", variant("engine: {batch: 32}", all), "--threads 3"),
      ("1 shard, little memory", variant("shards: 1, engine: {memory: 48KiB}"), ""),
      ("4 shards", variant("shards: 4"), ""),
    ] {
      let project = try LawProject(variant)
      #expect(try project.run(arguments) == .exited(0), "\(what): \(project.standardError)")
      let found = try result(project)
      #expect(found.weights == expected.weights, "\(what)")
      #expect(found.objects == expected.objects, "\(what)")
    }
  }

  @Test func `the instruction set changes no byte`() throws {
    var expected: (weights: Digest, objects: [String])?
    for path in [PK_PORTABLE, PK_AVX2, PK_AVX512, PK_AVX512BF16, PK_AMX] where pk_isa_available(path) != 0 {
      let name = String(cString: pk_isa_name(path))
      // Few and short: the portable path emulates fused multiply-add.
      let project = try LawProject(LawProject.Variant(prompts: 2, samples: 3, tokens: 4))
      #expect(
        try project.run(environment: [("PLUMB_ISA", name)]) == .exited(0), "\(name): \(project.standardError)"
      )
      for stage in ["sample", "score", "train", "evaluate"] {
        let log = project.log("quark@2.\(stage)")
        #expect(log.contains("kernels: \(name),"), "\(stage): \(log)")
      }
      let found = try result(project)
      if let expected {
        #expect(found.weights == expected.weights, "\(name)")
        #expect(found.objects == expected.objects, "\(name)")
      } else {
        expected = found
      }
    }
  }

  @Test func `what is finished is not run again, whatever is said beside it`() throws {
    let project = try LawProject()
    #expect(try project.run() == .exited(0), "\(project.standardError)")
    #expect(project.executed.count == 15)
    let weights = try project.weights()

    func expectNothingRuns(_ what: String, _ arguments: String = "") throws {
      #expect(try project.run(arguments) == .exited(0), "\(what): \(project.standardError)")
      #expect(project.executed == [], "\(what)")
      #expect(project.events("node-cached").count == 15, "\(what)")
      #expect(try project.weights() == weights, "\(what)")
    }
    try expectNothingRuns("nothing changed")
    try project.set(LawProject.Variant(comment: "# another word about it"))
    try expectNothingRuns("a comment")
    try project.set(LawProject.Variant(sampleName: "ask"))
    try expectNothingRuns("a stage's name")
    try project.set(LawProject.Variant(extra: ["sample": "shards: 3", "score": "shards: 2"]))
    try expectNothingRuns("shards")
    try project.set(
      LawProject.Variant(extra: ["sample": "engine: {batch: 3, memory: 1GiB}", "train": "engine: {batch: 9}"])
    )
    try expectNothingRuns("engine")
    try expectNothingRuns("threads", "--threads 1")

    try project.set(LawProject.Variant())
    #expect(try project.run("--set iterations=3") == .exited(0), "\(project.standardError)")
    let third = ["draw", "sample", "score", "quantize", "pool", "train", "evaluate"].map { "quark@3.\($0)" }
    #expect(project.executed.sorted() == third.sorted())
    #expect(try project.weights() == weights)

    // The control: what belongs to the method does run.
    try project.set(LawProject.Variant(tokens: 9))
    #expect(try project.run() == .exited(0))
    #expect(project.executed.contains("quark@1.sample") && project.executed.contains("quark@2.train"))
    #expect(!project.executed.contains("openings"))
    #expect(try project.weights() != weights)
  }
}
