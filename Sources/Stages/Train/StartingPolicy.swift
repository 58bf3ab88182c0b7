// The policy as training starts from it: its vocabulary, and the conditioning's tokens with what they start as.

import JSON
import Models
import Runner

struct StartingPolicy {
  let checkpoint: Checkpoint
  private(set) var tokenizer: Tokenizer
  private(set) var configuration: DecoderConfiguration
  private(set) var parameters: Parameters
  let conditioning: Conditioning?
  private var trained: TrainedTokens

  /// From the input `model`.
  init(_ context: StageContext, on backend: any Backend) throws {
    let choice = context.options[TrainStage.conditioning]
    checkpoint = try context.checkpoint("model")
    tokenizer = try checkpoint.requireTokenizer()
    configuration = checkpoint.configuration
    parameters = try Parameters(configuration, from: checkpoint.tensors, on: backend)
    if context.options[TrainStage.vocabulary] == .tokenizer {
      parameters = parameters.cuttingVocabulary(&configuration, to: tokenizer.count)
    }
    trained = try TrainedTokens(checkpoint)
    conditioning = choice.conditioning
    if let conditioning, case .tokens(_, _, let words) = choice {
      try addTokens(conditioning, words: words, seed: context.seed, log: context.log)
    }
  }

  /// The vocabulary without class tokens: where comparisons with a reference end.
  var baseVocabulary: Int { trained.baseVocabulary(tokenizer, configuration.vocabularySize) }

  /// Adds the conditioning's tokens and their embedding rows, unless the policy has them from before.
  private mutating func addTokens(
    _ conditioning: Conditioning, words: [String]?, seed: UInt64, log: (String) -> Void
  ) throws {
    let missing = conditioning.prefixes.filter { tokenizer.id(of: $0) == nil }
    guard !missing.isEmpty else { return }
    let initial = try initialTokens(conditioning, words)
    let rows = try trained.add(missing, to: &tokenizer, embeddingRows: configuration.vocabularySize)
    parameters = parameters.growingVocabulary(&configuration, to: rows, seed: seed)
    for (prefix, tokens) in initial where missing.contains(prefix) {
      guard let id = tokenizer.id(of: prefix) else { continue }
      parameters.setEmbedding(of: id, toMeanOf: tokens, in: configuration.layout)
    }
    log("added \(missing.count) tokens: \(missing.joined(separator: " "))")
  }

  /// For each class the tokens whose mean embedding its token starts as; empty when it starts as noise.
  private func initialTokens(_ conditioning: Conditioning, _ words: [String]?) throws
    -> [(prefix: String, tokens: [Int32])]
  {
    guard let words else { return [] }
    guard words.count == conditioning.prefixes.count else {
      throw InputError(
        "`conditioning.words` has \(words.count) entries for \(conditioning.prefixes.count) classes; expected one for each"
      )
    }
    return try zip(conditioning.prefixes, words).map { prefix, text in
      let tokens = tokenizer.encode(text, parseSpecial: true)
      guard !tokens.isEmpty else { throw InputError("`conditioning.words` has an empty entry") }
      return (prefix, tokens)
    }
  }

  /// The conditioning tokens' rows, where they have a learning rate of their own.
  func groups(_ options: StageOptions) throws -> [ParameterGroup] {
    guard let rate = options[TrainStage.conditioningLR] else { return [] }
    guard let conditioning, conditioning.kind == .tokens, options[TrainStage.trainEmbeddings] else {
      throw InputError("`conditioning_lr` is for conditioning of kind tokens, with `train_embeddings`")
    }
    let ids = try conditioning.classTokens(tokenizer).map { Int($0) }
    guard let first = ids.min(), ids.sorted() == Array(first..<configuration.vocabularySize) else {
      throw InputError(
        "`conditioning_lr` needs the conditioning's tokens to be the last of the vocabulary; they are \(ids)")
    }
    return [
      ParameterGroup(
        [.init(configuration.layout.tokenEmbedding, rows: first..<configuration.vocabularySize)],
        learningRateFactor: rate / options[TrainStage.lr])
    ]
  }

  /// Writes what `parameters` are by now as a whole model that knows its conditioning.
  func write(to directory: String) throws {
    try writeModelDirectory(
      directory, configuration: configuration, tensors: parameters.outputs(), tokenizer: tokenizer,
      chatTemplate: checkpoint.chatTemplate, generationConfig: checkpoint.generationConfig,
      plumb: ["format": 1, "conditioning": conditioning?.json ?? .null, "added_tokens": trained.json])
  }
}
