// New rows for added tokens: drawn like the old ones, which stay as they are.

import Models
import Testing

struct VocabularyGrowthTests {
  private func grown(
    _ model: String, firstNew: Int = 96, to size: Int = 101, seed: UInt64 = 1
  ) throws -> (old: Parameters, new: Parameters, configuration: DecoderConfiguration) {
    let checkpoint = try openCheckpoint("\(Golden.root)/\(model)")
    var configuration = checkpoint.configuration
    let old = try Parameters(configuration, from: checkpoint.tensors)
    let new = old.growingVocabulary(&configuration, firstNew: firstNew, to: size, seed: seed)
    return (old, new, configuration)
  }

  @Test(arguments: ["tied", "untied"])
  func `old rows keep their bits and new rows are there`(model: String) throws {
    let (old, new, configuration) = try grown(model)
    let c = configuration.hiddenSize
    #expect(configuration.vocabularySize == 101)
    #expect(new.names == old.names)
    for name in old.names {
      let before = old[name].elements.map(\.bitPattern)
      let after = new[name].elements.map(\.bitPattern)
      if name == "model.embed_tokens.weight" || name == "lm_head.weight" {
        #expect(new.shapes[name] == [101, c])
        #expect(Array(after.prefix(96 * c)) == before, "\(name)")
        let fresh = new[name].elements.suffix(5 * c)
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

  @Test func `rows set aside for tokens to come are used, and the size stays`() throws {
    let (old, new, configuration) = try grown("tied", firstNew: 80, to: 83)
    let c = configuration.hiddenSize
    #expect(configuration.vocabularySize == 96)
    let name = "model.embed_tokens.weight"
    for row in 0..<96 {
      let same = old[name].slice(row..<row + 1).array() == new[name].slice(row..<row + 1).array()
      #expect(same == !(80..<83).contains(row), "row \(row)")
    }
    #expect(new[name].count == 96 * c)
  }

  /// Per dimension; 400 rows make the mean and the deviation certain to a few hundredths of the deviation.
  @Test func `new rows are distributed like the old ones`() throws {
    let (old, new, configuration) = try grown("untied", to: 96 + 400)
    let c = configuration.hiddenSize
    func moments(_ tensor: Tensor, _ rows: Range<Int>, _ column: Int) -> (mean: Double, deviation: Double) {
      let values = rows.map { Double(tensor.elements[$0 * c + column]) }
      let mean = values.reduce(0, +) / Double(values.count)
      return (mean, (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot())
    }
    for column in 0..<c {
      let expected = moments(old["model.embed_tokens.weight"], 0..<96, column)
      let found = moments(new["model.embed_tokens.weight"], 96..<496, column)
      #expect(abs(found.mean - expected.mean) < 0.25 * expected.deviation)
      #expect(abs(found.deviation - expected.deviation) < 0.2 * expected.deviation)
      let head = moments(new["lm_head.weight"], 96..<496, column)
      #expect(abs(head.mean) < 0.005 && abs(head.deviation - 0.02) < 0.004)
    }
  }
}
