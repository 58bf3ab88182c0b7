// From pooled rows to training examples.

import JSON
import Models
import Runner

/// Turns each sample of each row into tokens. Source: METHODS 1.8.
/// Deviations (hazards 10 and 11): conditioning and prompt are fields of their own and are split into tokens
/// apart; nothing is cut: a sample that exceeds the context is an error; the end token follows a sample that
/// ended by itself, as `finished` says, rather than one that looks ended.
struct TrainingRows {
  let tokenizer: Tokenizer
  let conditioning: Conditioning?
  let endToken: Int32?
  let contextLength: Int
  /// Of the rows.
  let table: ColumnTable

  /// - Throws: `InputError` naming the row.
  func examples(_ rows: [Row], log: (String) -> Void) throws -> [TrainingExample] {
    let prefixes = try conditioning.map { conditioning in
      try conditioning.prefixes.map { try conditioning.tokens($0, tokenizer) }
    }
    let start = startTokens(tokenizer)
    var examples: [TrainingExample] = []
    var empty = 0
    for row in rows {
      let samples = try SampleLists(row, table)
      let prompt = tokenizer.encode(try prompt(row))
      for index in 0..<samples.count {
        guard let text = samples["generations"]?[index].stringValue else {
          throw InputError("row `\(row.id)`: generation \(index) is not a string")
        }
        var output = tokenizer.encode(text)
        if samples["finished"]?[index].boolValue ?? true, let endToken { output.append(endToken) }
        let prefix = try prefixes.map { try Self.prefix($0, row, samples, index) } ?? []
        guard !output.isEmpty, !(start.isEmpty && prefix.isEmpty && prompt.isEmpty) else {
          empty += 1
          continue
        }
        let example = TrainingExample(
          id: "\(row.id)#\(index)", start: start, conditioning: prefix, prompt: prompt, output: output)
        guard example.tokenCount(conditioned: true) <= contextLength else {
          throw InputError(
            "row `\(row.id)`: sample \(index) and its prompt exceed the model's context of \(contextLength) tokens"
          )
        }
        examples.append(example)
      }
    }
    if empty > 0 { log("\(empty) samples are empty and were left out") }
    guard !examples.isEmpty else {
      throw InputError("there is nothing to train on: the rows hold no samples")
    }
    return examples
  }

  private func prompt(_ row: Row) throws -> String {
    guard let prompt = row["prompt"]?.stringValue else {
      throw InputError("row `\(row.id)`: `prompt` is not a string")
    }
    return prompt
  }

  private static func prefix(
    _ prefixes: [[Int32]], _ row: Row, _ samples: SampleLists, _ index: Int
  ) throws -> [Int32] {
    guard let label = samples["quantiles"]?[index].intValue else {
      throw InputError(
        "row `\(row.id)`: sample \(index) has no quantile to be conditioned on; is `quantize` missing?")
    }
    guard prefixes.indices.contains(label) else {
      throw InputError(
        "row `\(row.id)`: sample \(index) is of class \(label), but `conditioning` has classes 0 to \(prefixes.count - 1)"
      )
    }
    return prefixes[label]
  }
}

/// Which examples make up each step.
struct BatchPlan {
  let stepCount: Int
  private let batchSize: Int
  private let stepsPerEpoch: Int
  private let orders: [[Int]]

  init(ids: [String], batchSize: Int, epochs: Int, dropLast: Bool, seed: UInt64) {
    self.batchSize = batchSize
    stepsPerEpoch = dropLast ? ids.count / batchSize : (ids.count + batchSize - 1) / batchSize
    stepCount = stepsPerEpoch * epochs
    orders = (0..<epochs).map { shuffledOrder(ids, seed: seed, epoch: $0) }
  }

  /// Places of the examples of step 0 ..< stepCount.
  func batch(_ step: Int) -> ArraySlice<Int> {
    let order = orders[step / stepsPerEpoch]
    let first = step % stepsPerEpoch * batchSize
    return order[first..<min(first + batchSize, order.count)]
  }
}

/// What the steps reported, in order.
struct StepSeries {
  private static let names = ["loss", "lm", "kl", "entropy", "gradient_norm", "lr"]
  private var values: [[JSON]] = names.map { _ in [] }

  init() {}

  /// From a checkpoint's record.
  init(_ record: JSON) {
    values = Self.names.map { record[$0]?.arrayValue ?? [] }
  }

  mutating func append(_ step: TrainingStep) {
    let numbers = [
      step.loss, step.languageModel, step.kl, step.entropy, step.gradientNorm, step.learningRate,
    ]
    for (index, number) in numbers.enumerated() { values[index].append(.double(number)) }
  }

  var record: JSON { .object(JSONObject(zip(Self.names, values).map { ($0, .array($1)) })) }

  func json(trainedSamples: Int) -> JSON {
    var object = record.objectValue ?? JSONObject()
    object["steps"] = .int(Int64(values[0].count))
    object["samples"] = .int(Int64(trainedSamples))
    return .object(object)
  }
}
