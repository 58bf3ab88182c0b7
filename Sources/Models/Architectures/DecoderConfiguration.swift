// What a decoder is made of, as data: the sizes, the kinds of its parts and the constants, read from `config.json` and written back.

import JSON
import System

/// A norm of the residual stream.
package struct Norm: Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// x / root mean square, times a weight.
    case rms
    /// (x - mean) / standard deviation, times a weight, plus a bias.
    case layer
  }
  package var kind: Kind
  package var epsilon: Double

  package init(kind: Kind, epsilon: Double) {
    self.kind = kind
    self.epsilon = epsilon
  }
}

/// Rotary positions: pairs of a head's elements turn by angles that grow with the position.
package struct Rotary: Sendable, Equatable {
  package enum Pairs: String, Sendable {
    /// Element i with i + dimension / 2.
    case halves
    /// Element 2i with 2i + 1.
    case neighbours
  }
  package var base: Double
  /// How many elements of a head turn, from the first on.
  package var dimension: Int
  package var pairs: Pairs

  package init(base: Double, dimension: Int, pairs: Pairs = .halves) {
    self.base = base
    self.dimension = dimension
    self.pairs = pairs
  }
}

/// How a token's position enters.
package enum Positions: Sendable, Equatable {
  case rotary(Rotary)
  /// A row of a table, one for each position of the context, is added to the token's embedding.
  case learned
}

/// What the feed-forward network of a block reads, and when it is added.
package enum Residual: Sendable, Equatable {
  /// x += attention(norm(x)), then x += network(norm(x)).
  case sequential
  /// x += attention(norm(x)) + network(norm(x)), each with a norm of its own or both with the attention's.
  case parallel(sharesNorm: Bool)
}

/// A causal decoder. Which tensors it has, biases among them, is said by `layout`.
package struct DecoderConfiguration: Sendable, Equatable {
  package var family: FamilyReference
  package var vocabularySize: Int
  package var hiddenSize: Int
  package var layerCount: Int
  package var headCount: Int
  package var keyValueHeadCount: Int
  package var headDimension: Int
  package var feedForwardSize: Int
  package var norm: Norm
  package var positions: Positions
  package var residual = Residual.sequential
  /// down(activation(gate(x)) * up(x)); else down(activation(up(x))).
  package var isGated: Bool
  package var activation: Activation
  /// A token attends to itself and the `slidingWindow - 1` before it; nil: to all.
  package var slidingWindow: Int?
  /// See `AttentionRule`. No family that is read has one yet.
  package var attentionSoftCap: Double?
  /// Whether scores are divided by the square root of the head dimension.
  package var scalesScoresByDimension = true
  /// Whether scores of block i, counted from 0, are divided by i + 1.
  package var scalesScoresByLayer = false
  /// Whether the attention's products have biases, where a family has both kinds.
  package var hasAttentionBiases: Bool?
  package var head = Head.language
  /// Whether a language head's weights are the token embedding.
  package var tiedEmbeddings: Bool
  package var contextLength: Int
  package var bosTokenID: Int?
  package var eosTokenIDs: [Int]
  /// Members of the `config.json` that change no result here, for the one that is written.
  package var carried: JSON = [:]

  package init(
    family: any ModelFamily.Type, vocabularySize: Int, hiddenSize: Int, layerCount: Int, headCount: Int,
    keyValueHeadCount: Int, headDimension: Int, feedForwardSize: Int, norm: Norm, positions: Positions,
    isGated: Bool, activation: Activation, tiedEmbeddings: Bool, contextLength: Int, bosTokenID: Int? = nil,
    eosTokenIDs: [Int] = []
  ) {
    self.family = FamilyReference(family)
    self.vocabularySize = vocabularySize
    self.hiddenSize = hiddenSize
    self.layerCount = layerCount
    self.headCount = headCount
    self.keyValueHeadCount = keyValueHeadCount
    self.headDimension = headDimension
    self.feedForwardSize = feedForwardSize
    self.norm = norm
    self.positions = positions
    self.isGated = isGated
    self.activation = activation
    self.tiedEmbeddings = tiedEmbeddings
    self.contextLength = contextLength
    self.bosTokenID = bosTokenID
    self.eosTokenIDs = eosTokenIDs
  }

  /// Every tensor that the decoder needs.
  package var layout: ParameterLayout { family.type.layout(self) }

  /// - Parameter layer: counted from 0.
  package func attention(layer: Int) -> AttentionRule {
    var scale = scalesScoresByDimension ? 1 / Float(headDimension).squareRoot() : 1
    if scalesScoresByLayer { scale /= Float(layer + 1) }
    var turnsNeighbours = false
    if case .rotary(let rotary) = positions { turnsNeighbours = rotary.pairs == .neighbours }
    return AttentionRule(
      headDimension: headDimension, window: slidingWindow, softCap: attentionSoftCap, scale: scale,
      turnsNeighbours: turnsNeighbours)
  }
}

/// A model's configuration is wrong or asks for what is not computed. `field` is a JSON path or a metadata key.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  package let field: String
  package let problem: String
  package init(_ field: String, _ problem: String) {
    self.field = field
    self.problem = problem
  }
  package var description: String { "\(quoted(field)): \(problem)" }
}
