// What a decoder's head gives at each position, and which of them a file holds.

import JSON
import System

/// The product after the final norm.
package enum Head: Sendable, Equatable {
  /// Logits [R, V] over the vocabulary, of weights of its own or, tied, of the token embedding.
  case language
  /// A value [R, 1] without a bias. Source: CarperAI's `GPTRewardModel` in trlx, whose file has `v_head.weight` beside the
  /// decoder's tensors.
  case value
  /// A logit [R, labels] of each label, without a bias, read at the last token of a text. With one label it is a reward model.
  /// Source: transformers' `…ForSequenceClassification`.
  case classification(labels: [String])

  /// The tensor [outputs, C] of a head that files of all families call so; nil where each family has a name of its own.
  package var tensorName: String? {
    switch self {
    case .language: nil
    case .value: "v_head.weight"
    case .classification: "score.weight"
    }
  }

  /// What a model with this head is, for messages.
  package var modelKind: String {
    switch self {
    case .language: "a language model"
    case .value: "a reward model with a value head"
    case .classification(let labels):
      labels.count == 1 ? "a reward model" : "a classifier of \(labels.count) labels"
    }
  }
}

extension Head {
  private static let largestLabelCount = 1 << 16

  /// The head that the tensors of a model's directory make. They say it, not `config.json`, which beside a value head is that of a
  /// language model.
  /// - Parameter config: the content of `config.json`, which names the labels.
  /// - Throws: `FormatError` where it contradicts the tensors, or there are two heads.
  init(of tensors: any TensorSource, in directory: String, config: JSON) throws {
    func shape(_ name: String) throws -> [Int]? {
      let isThere = tensors.names.contains { $0.utf8.elementsEqual(name.utf8) }
      return isThere ? try tensors.shape(of: name) : nil
    }
    let (value, score) = ("v_head.weight", "score.weight")
    let scores = try shape(score)
    if try shape(value) != nil {
      guard scores == nil else {
        throw FormatError(
          path: directory, part: "tensor `\(value)`", "the model has `\(score)` too; expected one head")
      }
      self = .value
      return
    }
    do {
      if let scores {
        self = .classification(labels: try Head.labels(config, shape: scores))
      } else {
        try Head.checkNoClassifier(config)
        self = .language
      }
    } catch let error as ConfigurationError {
      throw FormatError(path: "\(directory)/config.json", part: quoted(error.field), error.problem)
    }
  }

  private static func checkNoClassifier(_ config: JSON) throws {
    let names = (config["architectures"]?.arrayValue ?? []).compactMap(\.stringValue)
    guard let name = names.first(where: { $0.hasSuffix("ForSequenceClassification") }) else { return }
    throw ConfigurationError(
      "architectures", "\(quoted(name)) has a head `score.weight`, but the model has no such tensor")
  }

  /// The names in `id2label`; else `LABEL_0` and so on, as many as `num_labels` or, where that is not there either, the head has.
  /// Source: transformers' `PretrainedConfig`. Deviation: a file that says nothing of labels may have any number of them, not two.
  /// - Parameter shape: of `score.weight`.
  private static func labels(_ config: JSON, shape: [Int]) throws -> [String] {
    let count = shape.first ?? 0
    guard count > 0, count <= largestLabelCount else {
      throw ConfigurationError(
        "id2label", "`score.weight` has shape \(shape); 1 to \(largestLabelCount) labels are possible")
    }
    func checked(_ stated: Int, _ key: String) throws {
      guard stated != count else { return }
      throw ConfigurationError(key, "says \(stated) labels, but `score.weight` has shape \(shape)")
    }
    if let stated = config["id2label"], !stated.isNull {
      guard let members = stated.objectValue?.members else {
        throw ConfigurationError("id2label", "expected an object, found \(stated.kind)")
      }
      try checked(members.count, "id2label")
      return try (0..<count).map { index in
        guard let name = stated["\(index)"]?.stringValue else {
          throw ConfigurationError(
            "id2label", "expected a name under each of `0` to `\(count - 1)`, but `\(index)` has none")
        }
        return name
      }
    }
    if let stated = config["num_labels"], !stated.isNull {
      guard let number = stated.intValue else {
        throw ConfigurationError("num_labels", "expected a positive integer, found \(stated.kind)")
      }
      try checked(number, "num_labels")
    }
    return (0..<count).map { "LABEL_\($0)" }
  }
}

extension DecoderConfiguration {
  /// Numbers that the head gives at each position.
  package var outputCount: Int {
    switch head {
    case .language: vocabularySize
    case .value: 1
    case .classification(let labels): labels.count
    }
  }

  /// How the head's weights are stored. One that is not over the vocabulary has few, and every score would show their rounding.
  package func headType(in mode: NumericMode) -> ElementType {
    head == .language ? mode.weightType : mode.operandType
  }

  /// The roles that have a row for each token.
  package var vocabularyRoles: [ParameterRole] {
    head == .language ? [.tokenEmbedding, .head, .headBias] : [.tokenEmbedding]
  }
}
