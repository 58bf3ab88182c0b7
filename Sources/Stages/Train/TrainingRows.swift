// From pooled rows to training examples.

import JSON
import Models
import Runner

/// Turns each sample of each row into tokens. Source: METHODS 1.8.
/// Deviations (hazards 10 and 11): conditioning and prompt are fields of their own, joined into one text and cut into tokens together;
/// nothing is cut off: a sample that exceeds the context is an error; which samples the end token follows is an option.
struct TrainingRows {
  let tokenizer: Tokenizer
  let reader: PromptReader
  let conditioning: Conditioning?
  let endToken: Int32?
  let endRule: EndRule
  /// Which turns of the assistant are trained on, in chat.
  let turns: TrainedTurns
  let contextLength: Int
  /// Of the rows.
  let table: ColumnTable

  /// - Throws: `InputError` naming the row.
  func examples(_ rows: [Row], context: StageContext) throws -> [TrainingExample] {
    let prefixes = conditioning.map { conditioning in conditioning.prefixes.map(conditioning.text) }
    var examples: [TrainingExample] = []
    var empty = 0
    var ended = 0
    var conversations = 0
    let prompts = try rows.map { try reader.text(of: $0) }
    warnOfUnreadMarkers((prefixes ?? []) + prompts, tokenizer, log: context.log)
    for (row, prompt) in zip(rows, prompts) {
      let samples = try SampleLists(row, table)
      let unconditioned = prompt.tokens(tokenizer)
      let earlier = turns == .all ? try reader.earlierTurns(of: row) : nil
      if earlier != nil { conversations += 1 }
      var contexts: [Int: [Int32]] = [:]
      for index in 0..<samples.count {
        guard let text = samples["generations"]?[index].stringValue else {
          throw InputError("row `\(row.id)`: generation \(index) is not a string")
        }
        let finish = try SampleFinish(samples, index, of: row)
        let ends = try endToken != nil && endRule.appendsEnd(to: text, finish: finish, tokenizer)
        var output = try reader.answer(text, of: row, isGiven: finish == nil, ends: ends)
          .continuationTokens(tokenizer)
        if let endToken, ends {
          output.append(endToken)
          ended += 1
        }
        var before = unconditioned
        if let prefixes {
          let label = try Self.label(row, samples, index, classes: prefixes.count)
          before =
            try contexts[label] ?? reader.text(of: row, after: prefixes[label]).tokens(tokenizer)
          contexts[label] = before
        }
        guard !output.isEmpty, !before.isEmpty else {
          empty += 1
          continue
        }
        let example = TrainingExample(
          id: "\(row.id)#\(index)", context: before, unconditioned: unconditioned, output: output,
          after: earlier)
        guard example.tokenCount(conditioned: true) <= contextLength else {
          throw InputError(
            "row `\(row.id)`: sample \(index) and its prompt exceed the model's context of \(contextLength) tokens"
          )
        }
        examples.append(example)
      }
    }
    context.leaveOut(empty, "empty samples")
    context.log("\(ended) of \(examples.count) samples are trained with the end token appended")
    if turns == .all, conversations > 0 {
      context.log(
        "\(conversations) of \(rows.count) rows have earlier turns of the assistant, which are trained on")
    }
    guard !examples.isEmpty else {
      throw InputError("there is nothing to train on: the rows hold no samples")
    }
    return examples
  }

  private static func label(_ row: Row, _ samples: SampleLists, _ index: Int, classes: Int) throws -> Int {
    guard let label = samples["quantiles"]?[index].intValue else {
      throw InputError(
        "row `\(row.id)`: sample \(index) has no class in the column `quantiles`; is `quantize` missing?")
    }
    guard (0..<classes).contains(label) else {
      throw InputError(
        "row `\(row.id)`: sample \(index) is of class \(label), but `conditioning` has classes 0 to \(classes - 1)"
      )
    }
    return label
  }
}

extension TrainingExample {
  /// - Parameter earlier: what is trained on of the prompt, which takes the place of the context.
  fileprivate init(
    id: String, context: [Int32], unconditioned: [Int32], output: [Int32], after earlier: EarlierTurns?
  ) {
    guard let earlier else {
      self.init(id: id, context: context, unconditioned: unconditioned, output: output)
      return
    }
    let start = earlier.output.count
    self.init(
      id: id, context: earlier.context, unconditioned: earlier.context, output: earlier.output + output,
      targets: earlier.targets + [start..<start + output.count])
  }
}
