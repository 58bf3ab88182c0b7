// `config` and `tokenizer` of a model whose files lie in several places.

/// What takes the place of a model's own files, as someone would put it into one folder by hand: absolute paths.
package struct ModelParts: Sendable, Equatable {
  /// A `config.json`, or a folder that has one.
  package var config: String?
  /// A `tokenizer.json`, or a folder that has one or `vocab.json` and `merges.txt`.
  package var tokenizer: String?

  package init(config: String? = nil, tokenizer: String? = nil) {
    self.config = config
    self.tokenizer = tokenizer
  }
}
