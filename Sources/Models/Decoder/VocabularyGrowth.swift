// Making room for added tokens: new rows of the embedding and of a language head.

extension Parameters {
  /// The parameters of the same model with a vocabulary of `newSize`. Rows after the old ones are fresh: those
  /// of the embedding drawn per dimension from a normal with the mean and standard deviation of the old rows,
  /// those of an untied language head from a normal with standard deviation 0.02, those of its bias 0.
  ///
  /// Source: METHODS 1.11, added tokens of Quark on TL;DR.
  package func growingVocabulary(
    _ configuration: inout DecoderConfiguration, to newSize: Int, seed: UInt64
  ) -> Parameters {
    let firstNew = configuration.vocabularySize
    precondition(newSize >= firstNew, "\(newSize) rows are fewer than \(firstNew)")
    let layout = configuration.layout
    let (name, c) = (layout.tokenEmbedding, configuration.hiddenSize)
    var normal = NormalNumbers(seed: seed)
    let rows = newRows(newSize - firstNew, like: self[name], &normal)
    var replaced = [name: growing(self[name], by: rows)]
    if configuration.head == .language, let name = layout.name(of: .head) {
      let rows = (0..<(newSize - firstNew) * c).map { _ in Float(0.02 * normal.next()) }
      replaced[name] = growing(self[name], by: rows)
    }
    if configuration.head == .language, let name = layout.name(of: .headBias) {
      let bias = backend.tensor(1, newSize)
      backend.copy(self[name], into: bias.columns(0..<firstNew))
      replaced[name] = bias
    }
    configuration.vocabularySize = newSize
    return replacing(replaced)
  }

  /// Rows drawn per dimension from a normal with the mean and standard deviation of the table's.
  private func newRows(_ count: Int, like table: Tensor, _ normal: inout NormalNumbers) -> [Float] {
    let c = table.columns
    var rows = [Float](repeating: 0, count: count * c)
    let moments = table.withHostRead { table in
      (0..<c).map { column in
        var sum = 0.0
        var squares = 0.0
        for row in 0..<table.count / c {
          let value = Double(table[row * c + column])
          sum += value
          squares += value * value
        }
        let count = Double(table.count / c)
        let mean = sum / count
        return (mean: mean, deviation: max(0, squares / count - mean * mean).squareRoot())
      }
    }
    for (column, moments) in moments.enumerated() {
      for row in 0..<count {
        rows[row * c + column] = Float(moments.mean + moments.deviation * normal.next())
      }
    }
    return rows
  }

  /// The table with these rows after its own.
  private func growing(_ table: Tensor, by rows: [Float]) -> Tensor {
    let grown = backend.tensor(table.rows + rows.count / table.columns, table.columns)
    backend.copy(table, into: grown.slice(0..<table.rows))
    grown.slice(table.rows..<grown.rows).write(rows)
    return grown
  }

  /// The parameters of the same model with the first `size` rows of its vocabulary; as they are where there are no more.
  package func cuttingVocabulary(_ configuration: inout DecoderConfiguration, to size: Int) -> Parameters {
    guard size < configuration.vocabularySize else { return self }
    let layout = configuration.layout
    var replaced: [String: Tensor] = [:]
    for role in configuration.vocabularyRoles {
      guard let name = layout.name(of: role) else { continue }
      let isBias = layout[name]?.shape.count == 1
      let cut = isBias ? backend.tensor(1, size) : backend.tensor(size, self[name].columns)
      backend.copy(isBias ? self[name].columns(0..<size) : self[name].slice(0..<size), into: cut)
      replaced[name] = cut
    }
    configuration.vocabularySize = size
    return replacing(replaced)
  }

  /// Starts a token where others are: its embedding becomes the mean of theirs. A tied head changes with it.
  package func setEmbedding(of token: Int32, toMeanOf others: [Int32], in layout: ParameterLayout) {
    let table = self[layout.tokenEmbedding]
    func row(_ token: Int32) -> Tensor { table.slice(Int(token)..<Int(token) + 1) }
    let rows = others.map { row($0).read() }
    row(token).write(
      (0..<table.columns).map { column in
        Float(rows.reduce(0.0) { $0 + Double($1[column]) } / Double(others.count))
      })
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
