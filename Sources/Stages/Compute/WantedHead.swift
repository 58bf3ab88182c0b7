// Which head a stage needs of a model, with the words that refuse another: before anything runs, and when the model is opened.

import Experiments
import JSON
import Models

enum WantedHead: Sendable, Equatable {
  /// What samples, completes and trains on text.
  case language
  /// What scores: a value head, or a classifier.
  case reward
  /// What is trained to give one number: a head that does, or a language model, which gets one in the place of its own.
  case oneNumber
  /// What is trained to tell these labels apart: a classifier of them, or a language model, which becomes one.
  case labels([String])

  func fits(_ head: Head) -> Bool {
    switch self {
    case .language: head == .language
    case .reward: head != .language
    case .oneNumber:
      switch head {
      case .language, .value: true
      case .classification(let labels): labels.count == 1
      }
    case .labels(let wanted):
      switch head {
      case .language: true
      case .value: false
      case .classification(let labels): labels.map { UTF8Key($0) } == wanted.map { UTF8Key($0) }
      }
    }
  }

  /// The head that takes the place of a language model's; nil where the model keeps its own.
  func replacement(of head: Head) -> Head? {
    guard head == .language else { return nil }
    return switch self {
    case .language, .reward: nil
    case .oneNumber: .value
    case .labels(let labels): .classification(labels: labels)
    }
  }

  func refusal(of head: Head, at port: String) -> String {
    switch self {
    case .language:
      "input `\(port)` needs a language model, but this is \(head.modelKind): it has the tensor `\(head.tensorName ?? "")`"
    case .reward:
      "input `\(port)` needs a reward model, with a head called `score.weight` or `v_head.weight`, but this is \(head.modelKind)"
    case .oneNumber:
      "input `\(port)` needs a language model, or a reward model whose head gives one number, but this is \(Self.described(head))"
    case .labels(let wanted):
      "input `\(port)` needs a language model, or a classifier of \(Self.list(wanted)), in this order, but this is \(Self.described(head))"
    }
  }

  /// With its labels.
  private static func described(_ head: Head) -> String {
    guard case .classification(let labels) = head else { return head.modelKind }
    return "\(head.modelKind): \(list(labels))"
  }

  private static func list(_ labels: [String]) -> String {
    let shown = labels.prefix(8).map { "`\($0)`" }.joined(separator: ", ")
    return labels.count > 8 ? "\(shown) and \(labels.count - 8) more" : shown
  }
}
