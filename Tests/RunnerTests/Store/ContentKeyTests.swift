import JSON
import Runner
import System
import Testing

@Suite struct ContentKeyTests {
  private func declaration(version: Int = 1, isRandom: Bool = true, computes: Bool = true) -> StageDeclaration
  {
    StageDeclaration(
      name: "sample", summary: "", version: version, inputs: [], outputs: [], options: [], isRandom: isRandom,
      numerics: computes ? Numerics(deviceClass: "cpu", version: 2, modes: ["bf16", "fp32"]) : nil)
  }

  private func node(_ change: (inout PlanNode) -> Void = { _ in }) -> PlanNode {
    var node = PlanNode(
      index: 0, address: "quark@1.sample", stage: "sample",
      options: ["n": 4, "scorer": ["kind": "choice", "path": "/somewhere/file"]],
      files: [OptionFiles("scorer.path", ["/somewhere/file"])],
      inputs: [], seed: UInt64.max, numericMode: "bf16", execution: ExecutionSettings(), recipeKey: "r")
    change(&node)
    return node
  }

  private let input = [(port: "rows", label: String?.none, digest: JSON.string(Digest.of(text: "rows").hex))]
  private let file = [Digest.of(text: "file")]

  private func key(_ node: PlanNode, _ declaration: StageDeclaration? = nil) -> ContentKey {
    ContentKey(node: node, declaration: declaration ?? self.declaration(), inputs: input, files: file)
  }

  @Test func `the key is the digest of its canonical preimage, which is fixed`() {
    let preimage = """
      {"format":1,"inputs":{"rows":"\(Digest.of(text: "rows").hex)"},"numerics":{"device_class":"cpu","mode":"bf16","version":2},\
      "options":{"n":4,"scorer":{"kind":"choice","path":{"sha256":"\(Digest.of(text: "file").hex)"}}},\
      "seed":"0xffffffffffffffff","stage":"sample","version":1}
      """
    #expect(key(node()).preimage.text(.canonical) == preimage)
    #expect(key(node()).hex == Digest.of(text: preimage).hex)
  }

  @Test func `names, paths and ways of running do not enter`() {
    let original = key(node()).hex
    #expect(key(node { $0.address = "other" }).hex == original)
    #expect(key(node { $0.recipeKey = "other" }).hex == original)
    #expect(
      key(
        node {
          $0.execution.shards = 8
          $0.execution.threads = 1
          $0.execution.engine = ["batch": 1]
        }
      ).hex == original)
    #expect(
      key(
        node {
          $0.options = ["n": 4, "scorer": ["kind": "choice", "path": "/elsewhere"]]
          $0.files = [OptionFiles("scorer.path", ["/elsewhere"])]
        }
      ).hex
        == original)
  }

  @Test func `everything that can change a result enters, and is named`() {
    let original = key(node())
    func differences(_ other: ContentKey) -> [String] {
      #expect(other.hex != original.hex)
      return ContentKey.differences(from: original.preimage, to: other.preimage).map(\.text)
    }
    #expect(
      differences(key(node { $0.options = ["n": 5, "scorer": ["kind": "choice", "path": "x"]] })) == [
        "option n 4 -> 5"
      ])
    #expect(
      differences(key(node { $0.options = ["n": 4, "scorer": ["kind": "reward", "path": "x"]] })) == [
        "option scorer.kind \"choice\" -> \"reward\""
      ])
    #expect(differences(key(node { $0.seed = 1 })) == ["seed changed"])
    #expect(differences(key(node { $0.numericMode = "fp32" })) == ["numerics mode \"bf16\" -> \"fp32\""])
    #expect(differences(key(node(), declaration(version: 2))) == ["result version 1 -> 2"])
    let otherInput = ContentKey(
      node: node(), declaration: declaration(),
      inputs: [("rows", nil, .string(Digest.of(text: "other").hex))], files: file
    )
    #expect(differences(otherInput) == ["input rows changed"])
    let bySamples = ContentKey(
      node: node(), declaration: declaration(),
      inputs: [
        (
          "rows", nil,
          StoredOutput(
            port: "rows", type: .rows, digest: Digest.of(text: "rows"), size: 1, isTree: false,
            columns: ColumnTable(rows: ["prompt"], samples: ["vader"])
          ).keyPart
        )
      ], files: file)
    #expect(differences(bySamples) == ["input rows changed"])
    let otherFile = ContentKey(
      node: node(), declaration: declaration(), inputs: input, files: [Digest.of(text: "other")])
    #expect(differences(otherFile).first?.hasPrefix("option scorer.path file ") == true)
  }

  @Test func `seed and numerics enter only where they matter`() {
    let plain = declaration(isRandom: false, computes: false)
    #expect(
      key(node(), plain).hex
        == key(
          node {
            $0.seed = 1
            $0.numericMode = "fp32"
          }, plain
        ).hex)
  }
}
