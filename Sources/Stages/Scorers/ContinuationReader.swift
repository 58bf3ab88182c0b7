// A generation after its prompt as a language model reads both, where the probability of the generation is wanted.

import Experiments
import Models

/// The generation is read as it was drawn, or as text that goes on from the prompt: the boundary between the two stays.
struct ContinuationReader {
  private let tokenizer: Tokenizer
  private let reader: PromptReader
  private let table: ColumnTable
  private var limit: LengthLimit
  private var drawnTokens: DrawnTokensReader

  enum Reading {
    case item(ScoringItem, isCut: Bool)
    /// The prompt or the generation has no token.
    case empty
    case tooLong
  }

  /// - Parameter table: of the rows.
  /// - Throws: `InputError` for options that the model contradicts.
  init(
    _ options: PromptOptions, _ source: TargetSource, _ table: ColumnTable, _ checkpoint: Checkpoint,
    _ tokenizer: Tokenizer
  ) throws {
    self.tokenizer = tokenizer
    self.table = table
    drawnTokens = try DrawnTokensReader(source, table, checkpoint, tokenizer)
    reader = try PromptReader(options, checkpoint, tokenizer)
    limit = try LengthLimit(
      options.length, of: "generations with their prompts", tokenizer,
      contextLength: checkpoint.configuration.contextLength)
  }

  /// - Parameter index: of the generation in its row.
  /// - Throws: `InputError` naming the row.
  mutating func read(
    _ generation: String, _ index: Int, of row: Row, after conditioning: ModelText = ModelText()
  ) throws -> Reading {
    let (reader, tokenizer, table) = (reader, tokenizer, table)
    let generation = drawnTokens.text(generation)
    let prompt = try reader.text(of: row, after: conditioning)
    let tokens = prompt.tokens(tokenizer)
    let drawn = try drawnTokens.tokens(SampleLists(row, table), index, of: row, text: generation)
    let output = reader.tokens(ofGeneration: generation, drawn: drawn)
    if tokens.isEmpty || output.isEmpty { return .empty }
    func left(_ cut: TextCut?) -> [Int32] { cut.map { prompt.cut($0).tokens(tokenizer) } ?? tokens }
    let fitted = try limit.fit(
      prompt,
      count: { cut in
        let left = left(cut)
        return left.isEmpty ? nil : left.count
      }, generation: generation, output: output, end: nil, reader, named: "row `\(row.id)`",
      tokens: { reader.tokens(ofGeneration: $0, drawn: drawn) })
    guard let fitted else { return .tooLong }
    return .item(
      ScoringItem(context: left(fitted.promptCut), continuations: [fitted.output]), isCut: fitted.isCut)
  }

  /// After all were read: says how many were read as they were drawn.
  /// - Throws: `InputError` when some were too long and are to be an error.
  func close(_ context: StageContext) throws {
    try limit.requireFit()
    drawnTokens.report(to: context)
  }
}
