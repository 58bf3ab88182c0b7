// The decoder once more, in Double and plain loops, from nothing but its configuration, its layout and its weights.

import Glibc
import Models

struct NaiveDecoder {
  let configuration: DecoderConfiguration
  var weights: [String: [Double]] = [:]
  private let layout: ParameterLayout

  init(_ configuration: DecoderConfiguration, from source: any TensorSource) throws {
    self.configuration = configuration
    layout = configuration.layout
    for name in layout.names { weights[name] = try source.floats(name).map { Double($0) } }
  }

  /// The mean of -log P of the tokens at `targets` after those before them.
  func loss(_ tokens: [Int], targets: Range<Int>) -> Double {
    let rows = logits(tokens)
    let sum = targets.reduce(0.0) { sum, t in
      let row = rows[t - 1]
      let top = row.max() ?? 0
      return sum + top + log(row.reduce(0) { $0 + exp($1 - top) }) - row[tokens[t]]
    }
    return sum / Double(targets.count)
  }

  /// The mean over the rows before `targets` of half the squared distance of the head's outputs from 1.
  func squaredLoss(_ tokens: [Int], targets: Range<Int>) -> Double {
    let rows = logits(tokens)[targets.lowerBound - 1..<targets.upperBound - 1]
    return rows.reduce(0) { $1.reduce($0) { $0 + ($1 - 1) * ($1 - 1) / 2 } } / Double(targets.count)
  }

  func logits(_ tokens: [Int]) -> [[Double]] {
    let c = configuration
    var x = tokens.enumerated().map { t, token in
      row(.tokenEmbedding, token).indices.map { i in
        row(.tokenEmbedding, token)[i] + (c.positions == .learned ? row(.positionEmbedding, t)[i] : 0)
      }
    }
    for layer in 0..<c.layerCount {
      let first = x.map { norm($0, .attentionNorm, .attentionNormBias, layer) }
      let attended = attention(first, layer)
      func second(_ x: [[Double]]) -> [[Double]] {
        x.map { norm($0, .feedForwardNorm, .feedForwardNormBias, layer) }
      }
      switch c.residual {
      case .sequential:
        x = sum(x, attended)
        x = sum(x, second(x).map { feedForward($0, layer) })
      case .parallel(let sharesNorm):
        x = sum(sum(x, attended), (sharesNorm ? first : second(x)).map { feedForward($0, layer) })
      }
    }
    return x.map { x in
      let normed = norm(x, .finalNorm, .finalNormBias, nil)
      let bias = layout.name(of: .headBias).flatMap { weights[$0] }
      let head = layout.name(of: .head) == nil ? ParameterRole.tokenEmbedding : .head
      return (0..<c.outputCount).map { output in
        zip(row(head, output), normed).reduce(bias?[output] ?? 0) {
          $0 + $1.0 * $1.1
        }
      }
    }
  }

  private func sum(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
    zip(a, b).map { zip($0, $1).map { $0 + $1 } }
  }

  /// Row i of a table.
  private func row(_ role: ParameterRole, _ i: Int) -> ArraySlice<Double> {
    let table = weights[layout.name(of: role) ?? ""] ?? []
    let c = configuration.hiddenSize
    return ArraySlice(Array(table[i * c..<(i + 1) * c]))
  }

  private func vector(_ role: ParameterRole, _ layer: Int?) -> [Double]? {
    layout.place(of: role, layer: layer).map { place in
      fileOutputs(place).map { (weights[place.name] ?? [])[$0] }
    }
  }

  /// Where a file has the outputs of a place.
  private func fileOutputs(_ place: ParameterPlace) -> [Int] {
    guard let order = layout[place.name]?.interleaving else { return Array(place.outputs) }
    let d = place.outputs.count / order.headCount
    let role = place.outputs.lowerBound / place.outputs.count
    return (0..<place.outputs.count).map { ($0 / d * order.roleCount + role) * d + $0 % d }
  }

  private func norm(_ x: [Double], _ weight: ParameterRole, _ bias: ParameterRole, _ layer: Int?) -> [Double]
  {
    let n = Double(x.count)
    let mean = configuration.norm.kind == .layer ? x.reduce(0, +) / n : 0
    let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
    let deviation = (variance + configuration.norm.epsilon).squareRoot()
    let (w, b) = (vector(weight, layer) ?? [], vector(bias, layer))
    return x.indices.map { (x[$0] - mean) / deviation * w[$0] + (b?[$0] ?? 0) }
  }

  private func project(_ x: [Double], _ projection: Projection, _ layer: Int) -> [Double] {
    guard let place = layout.place(of: .weight(projection), layer: layer),
      let shape = layout[place.name]?.shape,
      let w = weights[place.name]
    else { return [] }
    let bias = vector(.bias(projection), layer)
    return fileOutputs(place).enumerated().map { index, output in
      x.indices.reduce(bias?[index] ?? 0) { sum, k in
        sum + x[k] * (place.isTransposed ? w[k * shape[1] + output] : w[output * shape[1] + k])
      }
    }
  }

  private func activate(_ x: Double) -> Double {
    switch configuration.activation {
    case .silu: x / (1 + exp(-x))
    case .gelu: 0.5 * x * erfc(-x * 0.5.squareRoot())
    case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }
  }

  private func feedForward(_ x: [Double], _ layer: Int) -> [Double] {
    let up = project(x, .up, layer)
    let inner =
      configuration.isGated
      ? zip(project(x, .gate, layer), up).map { activate($0) * $1 } : up.map(activate)
    return project(inner, .down, layer)
  }

  /// A head's elements turned by the angles of position t.
  private func rotate(_ x: [Double], _ t: Int) -> [Double] {
    guard case .rotary(let rotary) = configuration.positions else { return x }
    var turned = x
    for i in 0..<rotary.dimension / 2 {
      let (a, b) = rotary.pairs == .halves ? (i, i + rotary.dimension / 2) : (2 * i, 2 * i + 1)
      let angle = Double(t) * pow(rotary.base, -2 * Double(i) / Double(rotary.dimension))
      turned[a] = x[a] * cos(angle) - x[b] * sin(angle)
      turned[b] = x[b] * cos(angle) + x[a] * sin(angle)
    }
    return turned
  }

  private func attention(_ x: [[Double]], _ layer: Int) -> [[Double]] {
    let c = configuration
    let d = c.headDimension
    func heads(_ projection: Projection, turned: Bool) -> [[[Double]]] {
      x.enumerated().map { t, x in
        let y = project(x, projection, layer)
        return stride(from: 0, to: y.count, by: d).map {
          turned ? rotate(Array(y[$0..<$0 + d]), t) : Array(y[$0..<$0 + d])
        }
      }
    }
    let (q, k) = (heads(.query, turned: true), heads(.key, turned: true))
    let v = heads(.value, turned: false)
    let scale =
      (c.scalesScoresByDimension ? 1 / Double(d).squareRoot() : 1)
      / (c.scalesScoresByLayer ? Double(layer + 1) : 1)
    return x.indices.map { t in
      let attended = (0..<c.headCount).flatMap { head -> [Double] in
        let group = head / (c.headCount / c.keyValueHeadCount)
        let oldest = max(0, t + 1 - (c.slidingWindow ?? .max))
        let scores = (oldest...t).map { j in
          exp(scale * zip(q[t][head], k[j][group]).reduce(0) { $0 + $1.0 * $1.1 })
        }
        let total = scores.reduce(0, +)
        return (0..<d).map { i in
          zip(scores, oldest...t).reduce(0) { $0 + $1.0 * v[$1.1][group][i] } / total
        }
      }
      return project(attended, .output, layer)
    }
  }
}
