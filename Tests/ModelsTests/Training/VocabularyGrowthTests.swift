// New rows for added tokens: drawn like the old ones, which stay as they are.

import Models
import Testing

struct VocabularyGrowthTests {
  private func grown(
    _ model: String, to size: Int = 101, seed: UInt64 = 1
  ) throws -> (old: Parameters, new: Parameters, configuration: DecoderConfiguration) {
    let checkpoint = try openCheckpoint("\(Golden.root)/\(model)")
    var configuration = checkpoint.configuration
    let old = try Parameters(configuration, from: checkpoint.tensors, on: CPUBackend(threads: 1))
    let new = old.growingVocabulary(&configuration, to: size, seed: seed)
    return (old, new, configuration)
  }

  @Test(arguments: ["tied", "untied"])
  func `old rows keep their bits and new rows are there`(model: String) throws {
    let (old, new, configuration) = try grown(model)
    let c = configuration.hiddenSize
    #expect(configuration.vocabularySize == 101)
    #expect(new.names == old.names)
    for name in old.names {
      let before = old[name].read().map(\.bitPattern)
      let after = new[name].read().map(\.bitPattern)
      if name == "model.embed_tokens.weight" || name == "lm_head.weight" {
        #expect(new.shapes[name] == [101, c])
        #expect(Array(after.prefix(96 * c)) == before, "\(name)")
        let fresh = new[name].read().suffix(5 * c)
        #expect(Set(fresh.map(\.bitPattern)).count == 5 * c, "\(name)")
      } else {
        #expect(after == before, "\(name)")
      }
    }
  }

  @Test(arguments: ["tied", "untied"])
  func `new rows are a function of the seed`(model: String) throws {
    #expect(differences(try grown(model).new, try grown(model).new) == [])
    let changed = differences(try grown(model).new, try grown(model, seed: 2).new)
    #expect(
      changed
        == (model == "tied"
          ? ["model.embed_tokens.weight"] : ["model.embed_tokens.weight", "lm_head.weight"]))
  }

  @Test(arguments: ["tied", "untied"])
  func `a vocabulary is cut to its first rows, and the rest stays`(model: String) throws {
    let checkpoint = try openCheckpoint("\(Golden.root)/\(model)")
    var configuration = checkpoint.configuration
    let old = try Parameters(configuration, from: checkpoint.tensors, on: CPUBackend(threads: 1))
    #expect(differences(old, old.cuttingVocabulary(&configuration, to: 200)) == [])
    #expect(configuration.vocabularySize == 96)
    let new = old.cuttingVocabulary(&configuration, to: 90)
    #expect(configuration.vocabularySize == 90)
    for name in old.names {
      let isCut = name == "model.embed_tokens.weight" || name == "lm_head.weight"
      let kept = isCut ? old[name].slice(0..<90) : old[name]
      #expect(new[name].read() == kept.read(), "\(name)")
      #expect(new.shapes[name]?.first == (isCut ? 90 : old.shapes[name]?.first))
    }
  }

  /// GPT-J's head has a bias, tied or not.
  @Test(arguments: ["gptj", "gptj-tied"])
  func `the bias of a head grows by zeros, and is cut with the rows`(model: String) throws {
    let (old, new, grownConfiguration) = try grown(model)
    var configuration = grownConfiguration
    let bias = old["lm_head.bias"].read()
    #expect(new["lm_head.bias"].read() == bias + [Float](repeating: 0, count: 5))
    #expect(configuration.layout.tensors.allSatisfy { new.shapes[$0.name] == $0.shape })
    let cut = new.cuttingVocabulary(&configuration, to: 90)
    #expect(cut["lm_head.bias"].read() == Array(bias[..<90]))
    #expect(configuration.layout.tensors.allSatisfy { cut.shapes[$0.name] == $0.shape })
  }

  /// Per dimension; 400 rows make the mean and the deviation certain to a few hundredths of the deviation.
  @Test func `new rows are distributed like the old ones`() throws {
    let (old, new, configuration) = try grown("untied", to: 96 + 400)
    let c = configuration.hiddenSize
    func moments(_ table: [Float], _ rows: Range<Int>, _ column: Int) -> (mean: Double, deviation: Double) {
      let values = rows.map { Double(table[$0 * c + column]) }
      let mean = values.reduce(0, +) / Double(values.count)
      return (mean, (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot())
    }
    let (oldTable, newTable) = (
      old["model.embed_tokens.weight"].read(), new["model.embed_tokens.weight"].read()
    )
    let newHead = new["lm_head.weight"].read()
    for column in 0..<c {
      let expected = moments(oldTable, 0..<96, column)
      let found = moments(newTable, 96..<496, column)
      #expect(abs(found.mean - expected.mean) < 0.25 * expected.deviation)
      #expect(abs(found.deviation - expected.deviation) < 0.2 * expected.deviation)
      let head = moments(newHead, 96..<496, column)
      #expect(abs(head.mean) < 0.005 && abs(head.deviation - 0.02) < 0.004)
    }
  }
}
