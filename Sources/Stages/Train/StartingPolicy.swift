// The policy as training starts from it: its vocabulary, and the conditioning's tokens with what they start as.

import Experiments
import JSON
import Models

struct StartingPolicy {
  let checkpoint: Checkpoint
  private(set) var tokenizer: Tokenizer
  private(set) var configuration: DecoderConfiguration
  private(set) var parameters: Parameters
  let conditioning: Conditioning?
  private var trained: TrainedTokens
  /// What is read in the place of prompts and outputs.
  private let texts: (any WholeTexts)?

  /// From the input `model`.
  init(_ context: StageContext, on backend: any Backend) throws {
    texts = context.options[TrainStage.objective].texts
    let choice = texts == nil ? context.options[TrainStage.conditioning] : .none
    checkpoint = try context.checkpoint("model", texts?.head ?? .language)
    tokenizer = try checkpoint.requireTokenizer()
    configuration = checkpoint.configuration
    parameters = try Parameters(configuration, from: checkpoint.tensors, on: backend)
    if context.options[TrainStage.vocabulary] == .tokenizer {
      parameters = parameters.cuttingVocabulary(&configuration, to: tokenizer.count)
    }
    if let head = texts?.head.replacement(of: configuration.head) {
      parameters = parameters.replacingHead(of: &configuration, by: head, seed: context.seed)
      context.log("the language head is left out, and a new one makes the model \(head.modelKind)")
    }
    trained = try TrainedTokens(checkpoint)
    conditioning = choice.conditioning
    switch (choice, conditioning) {
    case (.tokens(_, _, let words, _), let conditioning?):
      try add(
        conditioning.prefixes, startingAs: try initialTokens(conditioning, words), seed: context.seed,
        log: context.log)
    case (.text(let text), _?):
      guard let separator = text.separator else { break }
      guard let id = tokenizer.id(of: separator.like) else {
        throw InputError(
          "`conditioning.separator.like` is `\(separator.like)`, which is no token of this model")
      }
      try add(
        [separator.token], startingAs: [(separator.token, [id])], seed: context.seed, log: context.log)
    default: break
    }
  }

  /// The vocabulary without class tokens: where comparisons with a reference end.
  var baseVocabulary: Int { trained.baseVocabulary(tokenizer, configuration.vocabularySize) }

  /// Adds tokens and their embedding rows, unless the policy has them from before.
  /// - Parameter initial: the tokens whose mean embedding a token starts as; noise for the others.
  private mutating func add(
    _ tokens: [String], startingAs initial: [(token: String, tokens: [Int32])], seed: UInt64,
    log: (String) -> Void
  ) throws {
    let missing = tokens.filter { tokenizer.id(of: $0) == nil }
    guard !missing.isEmpty else { return }
    let rows = try trained.add(missing, to: &tokenizer, embeddingRows: configuration.vocabularySize)
    parameters = parameters.growingVocabulary(&configuration, to: rows, seed: seed)
    for (token, tokens) in initial where missing.contains(token) {
      guard let id = tokenizer.id(of: token) else { continue }
      parameters.setEmbedding(of: id, toMeanOf: tokens, in: configuration.layout)
    }
    log("added \(missing.count) tokens: \(missing.joined(separator: " "))")
  }

  /// For each class the tokens whose mean embedding its token starts as; empty when it starts as noise.
  private func initialTokens(_ conditioning: Conditioning, _ words: [String]?) throws
    -> [(token: String, tokens: [Int32])]
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
  /// - Parameter exemplars: of a conditioning without classes.
  func write(to directory: String, exemplars: [String] = []) throws {
    var conditioning = conditioning
    conditioning?.exemplars = exemplars
    var plumb = JSONObject([
      ("format", 1), ("conditioning", conditioning?.json ?? .null), ("added_tokens", trained.json),
    ])
    if let texts { plumb[RewardText.trainedKey] = texts.text.written }
    try writeModelDirectory(
      directory, configuration: configuration, tensors: parameters.outputs(), tokenizer: tokenizer,
      chatTemplate: checkpoint.chatTemplate, generationConfig: checkpoint.generationConfig,
      plumb: .object(plumb))
  }
}
