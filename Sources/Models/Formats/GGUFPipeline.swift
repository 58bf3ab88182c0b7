// What GGUF's names of pre-tokenizers say of a tokenizer.

/// What a `tokenizer.ggml.pre` stands for: what happens to a text before its pieces are merged, and how.
struct GGUFPipeline: Sendable {
  /// The first is the one that is written.
  let names: [String]
  let normalizer: (any Normalizer)?
  let preTokenizer: PreTokenizerSteps
  let ignoresMerges: Bool
  /// Whether texts begin with the begin token where the file does not say it.
  let addsBeginToken: Bool

  /// Source: llama.cpp `convert_hf_to_gguf.py` `get_vocab_base_pre` and `llama-vocab.cpp`. Those of MPT, which is GPT-NeoX's, and of
  /// OLMo cut as GPT-2's does. Deviation: llama.cpp does not compose their texts first, as these tokenizers do.
  static let known = [
    GGUFPipeline(
      names: ["smollm"], normalizer: nil, preTokenizer: .smollm, ignoresMerges: false, addsBeginToken: false),
    GGUFPipeline(
      names: ["gpt-2"], normalizer: nil, preTokenizer: .gpt2, ignoresMerges: false, addsBeginToken: false),
    GGUFPipeline(
      names: ["mpt", "olmo"], normalizer: NFCNormalizer(), preTokenizer: .gpt2, ignoresMerges: false,
      addsBeginToken: false),
    GGUFPipeline(
      names: ["llama-bpe", "llama3", "llama-v3"], normalizer: nil, preTokenizer: .llama3, ignoresMerges: true,
      addsBeginToken: true),
  ]
}

/// `tokenizer.ggml.token_type` of a token. Source: gguf-py `constants.py` `TokenType`.
enum GGUFTokenType: Int {
  case normal = 1
  /// Special.
  case control = 3
  case userDefined = 4
  case unused = 5
}
