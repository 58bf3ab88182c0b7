// A model of a Hugging Face hub: its configuration, tokenizer and weights, or one file of its repository.

import System

struct HubSource {
  let repository: String
  let revision: String
  let file: String?

  /// Fetches into `fetch.folder` and gives the path of the file, or of the folder that holds the model's files.
  /// - Throws: as `Download`; `InputError` when the repository holds no model in a format of folders.
  func fetch(_ fetch: Fetch) throws -> String {
    let hub = Hub(kind: .models, repository: repository)
    if let file {
      let path = "\(fetch.folder)/\(Path.name(file))"
      fetch.note("fetching \(file) of \(repository)")
      try hub.fetch(file, at: revision, to: path, fetch)
      return path
    }
    let (commit, files) = try hub.list(revision, fetch)
    let folder = "\(fetch.folder)/\(commit)"
    try hub.fetch(try chosen(among: files), of: commit, below: folder, fetch)
    return folder
  }

  /// The files that make a model: JSON and weights at the root, these in one format. Not what else a repository holds.
  private func chosen(among all: [Hub.File]) throws -> [Hub.File] {
    let files = all.filter { isPlain($0.name) }
    guard
      let weights = HubSource.weights.first(where: { form in files.contains { isWeights($0.name, form) } })
    else {
      let names = HubSource.weights.map { "`\($0.prefix)\($0.suffix)`" }.joined(separator: " nor ")
      throw InputError(
        "`\(repository)` at \(revision) holds neither \(names); for another format name the file: "
          + "`hf:\(repository)@\(revision)/FILE.gguf`")
    }
    // Without it, `vocab.json` and `merges.txt` are the tokenizer.
    let hasTokenizerFile = files.contains { $0.name == "tokenizer.json" }
    return files.filter {
      isWeights($0.name, weights) || hasSuffix($0.name, ".json")
        || ($0.name == "merges.txt" && !hasTokenizerFile)
    }
  }

  /// How the files of weights begin and end, in the order in which a model's folder is read: see `formats` of Models.
  private static let weights = [
    (prefix: "model", suffix: ".safetensors"), (prefix: "pytorch_model", suffix: ".bin"),
  ]

  /// The name of a file at the root that needs no care in a URL or a path.
  private func isPlain(_ name: String) -> Bool {
    name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/?#%\\".utf8.contains($0) }
  }

  private func isWeights(_ name: String, _ form: (prefix: String, suffix: String)) -> Bool {
    name.utf8.starts(with: form.prefix.utf8) && hasSuffix(name, form.suffix)
  }

  private func hasSuffix(_ name: String, _ suffix: String) -> Bool {
    name.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }
}
