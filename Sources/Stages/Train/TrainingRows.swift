// From pooled rows to training examples.

import Experiments
import JSON
import Models
import System

/// Turns each sample of each row into tokens. Source: METHODS 1.8.
/// Deviations (hazards 10 and 11): conditioning and prompt are fields of their own, joined into one text and cut into tokens together;
/// nothing is cut off unless `overflow: cut` says what; which samples the end token follows is an option.
struct TrainingRows {
  let tokenizer: Tokenizer
  let reader: PromptReader
  let conditioning: SampleConditioning?
  let endToken: Int32?
  let endRule: EndRule
  /// Which turns of the assistant are trained on, in chat.
  let turns: TrainedTurns
  let contextLength: Int
  /// Of the rows.
  let table: ColumnTable
  /// The tokens that were drawn.
  let drawnTokens: DrawnTokensReader

  struct Examples {
    fileprivate(set) var examples: [TrainingExample] = []
    fileprivate(set) var cut = 0
    /// Too long, and left out.
    fileprivate(set) var dropped = 0
    /// Of what the samples were conditioned on.
    fileprivate(set) var exemplars: [String] = []
    fileprivate var empty = 0
    fileprivate var ended = 0
    /// Rows with earlier turns that are trained on.
    fileprivate var conversations = 0
  }

  /// - Throws: `InputError` naming the row, or counting the samples that are too long.
  func examples(_ rows: [Row], context: StageContext) throws -> Examples {
    var conditioning = conditioning
    var limit = try LengthLimit(
      reader.options.length, of: "samples", tokenizer, contextLength: contextLength)
    var drawnTokens = drawnTokens
    var result = Examples()
    let prompts = try rows.map { try reader.text(of: $0) }
    warnOfUnreadMarkers((conditioning?.literals ?? []) + prompts, tokenizer, log: context.log)
    for (row, prompt) in zip(rows, prompts) {
      try add(row, prompt, &conditioning, &limit, &drawnTokens, to: &result)
    }
    try limit.requireFit()
    conditioning?.report(to: context)
    result.exemplars = conditioning?.exemplars ?? []
    drawnTokens.report(to: context)
    context.leaveOut(result.empty, "empty samples")
    context.leaveOut(result.dropped, "samples that are too long")
    context.cut(result.cut, "samples")
    context.log("\(result.ended) of \(result.examples.count) samples are trained with the end token appended")
    if result.conversations > 0 {
      context.log(
        "\(result.conversations) of \(rows.count) rows have earlier turns of the assistant, which are trained on"
      )
    }
    guard !result.examples.isEmpty else {
      throw InputError(
        "there is nothing to train on: "
          + (result.dropped > 0
            ? "all samples are too long and left out; raise `max_length`, or write `overflow: cut`"
            : "the rows hold no samples"))
    }
    return result
  }

  private func add(
    _ row: Row, _ prompt: ModelText, _ conditioning: inout SampleConditioning?, _ limit: inout LengthLimit,
    _ drawnTokens: inout DrawnTokensReader, to result: inout Examples
  ) throws {
    let samples = try SampleLists(row, table)
    let unconditioned = prompt.tokens(tokenizer)
    let earlier = turns == .all ? try reader.earlierTurns(of: row) : nil
    if earlier != nil { result.conversations += 1 }
    // By what stands before the prompt.
    var contexts: [UTF8Key: (text: ModelText, tokens: [Int32])] = [:]
    for index in 0..<samples.count {
      guard let generation = samples["generations"]?[index].stringValue else {
        throw InputError("row `\(row.id)`: generation \(index) is not a string")
      }
      let text = drawnTokens.text(generation)
      let finish = try SampleFinish(samples, index, of: row)
      let drawn = try drawnTokens.tokens(samples, index, of: row, text: text)
      let end = try endToken.flatMap {
        try endRule.appendsEnd(to: text, finish: finish, tokenizer) ? drawn?.end ?? $0 : nil
      }
      func tokens(_ text: String, ends: Bool) throws -> [Int32] {
        if drawn != nil { return reader.tokens(ofGeneration: text, drawn: drawn) }
        return try reader.answer(text, of: row, isGiven: finish == nil, ends: ends)
          .continuationTokens(tokenizer)
      }
      let output = try tokens(text, ends: end != nil)
      var before = (text: prompt, tokens: unconditioned)
      switch try conditioning?.found(samples, index, of: row) {
      case nil, .some(.none): break
      case .leftOut: continue
      case .prefix(let prefix):
        if let known = contexts[UTF8Key(prefix.text)] {
          before = known
        } else {
          let text = try reader.text(of: row, after: prefix)
          before = (text, text.tokens(tokenizer))
          contexts[UTF8Key(prefix.text)] = before
        }
      }
      guard !before.tokens.isEmpty, end != nil || !output.isEmpty else {
        result.empty += 1
        continue
      }
      func context(_ cut: TextCut?) -> [Int32] {
        cut.map { before.text.cut($0).tokens(tokenizer) } ?? before.tokens
      }
      let fitted = try limit.fit(
        before.text,
        count: { cut in
          if let earlier { return (cut.map { earlier.cut($0, tokenizer) } ?? earlier).count }
          let left = context(cut)
          return left.isEmpty ? nil : left.count
        }, generation: text, output: output, end: end, reader, named: "sample \(index) of row `\(row.id)`",
        tokens: { try tokens($0, ends: false) })
      guard let fitted else {
        result.dropped += 1
        continue
      }
      if fitted.isCut { result.cut += 1 }
      if fitted.hasEndToken { result.ended += 1 }
      result.examples.append(
        TrainingExample(
          id: "\(row.id)#\(index)", context: context(fitted.promptCut),
          unconditioned: fitted.promptCut.map { prompt.cut($0).tokens(tokenizer) } ?? unconditioned,
          output: fitted.output,
          after: fitted.promptCut.flatMap { earlier?.cut($0, tokenizer) } ?? earlier))
    }
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
