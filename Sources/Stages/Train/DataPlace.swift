// Where in its data a training ended, so that the next goes on there.

import JSON
import Models
import System

/// Steps into the endless epochs of some examples, in the order of some seed.
package struct DataPlace: Equatable {
  /// Of the examples and how they are cut into batches.
  package let data: String
  package let seed: UInt64
  package let step: Int

  package init(data: String, seed: UInt64, step: Int) {
    self.data = data
    self.seed = seed
    self.step = step
  }

  /// Nil for what `json` did not give.
  package init?(_ json: JSON) {
    guard let data = json["data"]?.stringValue, case .int(let seed)? = json["seed"],
      let step = json["step"]?.intValue, (0...TrainingState.mostSteps).contains(step)
    else { return nil }
    self.init(data: data, seed: UInt64(bitPattern: Int64(seed)), step: step)
  }

  package var json: JSON {
    ["data": .string(data), "seed": .int(Int64(bitPattern: seed)), "step": .int(Int64(step))]
  }

  /// SHA-256 over what is read and predicted of the examples, in whatever order they are given, and over the cut into batches.
  package static func digest(of examples: [TrainingExample], batchSize: Int, dropLast: Bool) -> String {
    var stream = DigestStream()
    func add(_ text: String) {
      var text = text
      text.withUTF8 { stream.update(UnsafeRawBufferPointer($0)) }
    }
    add("\(examples.count) \(batchSize) \(dropLast)\n")
    for example in examples.sorted(by: { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }) {
      let tokens = example.tokens(conditioned: true)
      add(
        "\(example.id.utf8.count) \(example.id) \(tokens.count) \(example.output.count) \(example.targets)\n")
      tokens.withUnsafeBytes { stream.update($0) }
      for text in example.texts {
        add("\(text.tokens.count) \(text.rows) \(text.labels)\n")
        text.tokens.withUnsafeBytes { stream.update($0) }
      }
    }
    return stream.finish().hex
  }
}
