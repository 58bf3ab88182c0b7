// Making room for added tokens: new rows of the embedding and of the head.

extension Parameters {
  /// The parameters of the same model with a vocabulary of `newSize`. Rows after the old ones are fresh: those
  /// of the embedding drawn per dimension from a normal with the mean and standard deviation of the old rows,
  /// those of an untied head from a normal with standard deviation 0.02.
  ///
  /// Source: METHODS 1.11, added tokens of Quark on TL;DR.
  package func growingVocabulary(
    _ configuration: inout DecoderConfiguration, to newSize: Int, seed: UInt64
  ) -> Parameters {
    let firstNew = configuration.vocabularySize
    precondition(newSize >= firstNew, "\(newSize) rows are fewer than \(firstNew)")
    let layout = configuration.layout
    let table = self[layout.tokenEmbedding]
    let c = configuration.hiddenSize
    var normal = NormalNumbers(seed: seed)
    let grown = Tensor(newSize, c)
    _ = grown.elements.update(fromContentsOf: table.elements)
    for column in 0..<c {
      var sum = 0.0
      var squares = 0.0
      for row in 0..<firstNew {
        let value = Double(table.floats[row * c + column])
        sum += value
        squares += value * value
      }
      let mean = sum / Double(firstNew)
      let deviation = max(0, squares / Double(firstNew) - mean * mean).squareRoot()
      for row in firstNew..<newSize {
        grown.floats[row * c + column] = Float(mean + deviation * normal.next())
      }
    }
    var replaced = [layout.tokenEmbedding: grown]
    if let name = layout.name(of: .head) {
      let head = Tensor(newSize, c)
      _ = head.elements.update(fromContentsOf: self[name].elements)
      for index in firstNew * c..<newSize * c { head.floats[index] = Float(0.02 * normal.next()) }
      replaced[name] = head
    }
    configuration.vocabularySize = newSize
    return replacing(replaced)
  }

  /// The parameters of the same model with the first `size` rows of its vocabulary; as they are where there are no more.
  package func cuttingVocabulary(_ configuration: inout DecoderConfiguration, to size: Int) -> Parameters {
    guard size < configuration.vocabularySize else { return self }
    configuration.vocabularySize = size
    let layout = configuration.layout
    let names = [layout.tokenEmbedding, layout.name(of: .head)].compactMap { $0 }
    return replacing(
      Dictionary(
        uniqueKeysWithValues: names.map { name in
          let rows = Tensor(size, self[name].columns)
          _ = rows.elements.update(fromContentsOf: self[name].slice(0..<size).elements)
          return (name, rows)
        }))
  }

  /// Starts a token where others are: its embedding becomes the mean of theirs. A tied head changes with it.
  package func setEmbedding(of token: Int32, toMeanOf others: [Int32], in layout: ParameterLayout) {
    let table = self[layout.tokenEmbedding]
    let c = table.columns
    for column in 0..<c {
      var sum = 0.0
      for other in others { sum += Double(table.floats[Int(other) * c + column]) }
      table.floats[Int(token) * c + column] = Float(sum / Double(others.count))
    }
  }
}

/// Standard normal numbers by the polar method. Source: Marsaglia and Bray (1964).
struct NormalNumbers {
  private let random: Philox
  private var position = 0

  init(seed: UInt64) { random = Philox(seed: seed) }

  mutating func next() -> Double {
    while true {
      let u = 2 * random.uniform(row: 0, sample: 0, position: position) - 1
      let v = 2 * random.uniform(row: 0, sample: 1, position: position) - 1
      position += 1
      let s = u * u + v * v
      if s > 0, s < 1 { return u * (-2 * naturalLogarithm(s) / s).squareRoot() }
    }
  }
}
