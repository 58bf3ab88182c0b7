// Which head a stage needs of a model, with the words that refuse another: before anything runs, and when the model is opened.

import Models

enum WantedHead {
  /// What samples, completes and trains on text.
  case language
  /// What scores: a value head, or a classifier.
  case reward

  func fits(_ head: Head) -> Bool { (self == .language) == (head == .language) }

  func refusal(of head: Head, at port: String) -> String {
    switch self {
    case .language:
      "input `\(port)` needs a language model, but this is \(head.modelKind): it has the tensor `\(head.tensorName ?? "")`"
    case .reward:
      "input `\(port)` needs a reward model, with a head called `score.weight` or `v_head.weight`, but this is \(head.modelKind)"
    }
  }
}
