// A prompt and the generation that goes on from it, made to fit into what a model reads of both.

import Experiments
import Models

struct FittedContinuation {
  /// Of the prompt; nil where all of it is read.
  let promptCut: TextCut?
  /// The generation's tokens, with the end token where it has one.
  let output: [Int32]
  /// A generation that is cut has none.
  let hasEndToken: Bool
  let isCut: Bool
}

extension LengthLimit {
  /// Nil for one that is left out, or too long.
  /// - Parameters:
  ///   - prompt: with the field that may be cut.
  ///   - count: tokens that are read of it, and of it after a cut; nil where nothing is left.
  ///   - generation: as the row has it.
  ///   - output: its tokens.
  ///   - tokens: of a part of the generation, as the model reads it.
  mutating func fit(
    _ prompt: ModelText, count: (TextCut?) throws -> Int?, generation: String, output: [Int32], end: Int32?,
    _ reader: PromptReader, named name: String, tokens: (String) throws -> [Int32]
  ) throws -> FittedContinuation? {
    let rest = output.count + (end == nil ? 0 : 1)
    guard let before = try count(nil) else { return nil }
    guard reader.options.length.cutsGeneration else {
      let fit = try fit(before + rest, prompt, named: name) { try count($0).map { $0 + rest } }
      guard let fit else { return nil }
      let cut: TextCut? = if case .cut(let cut) = fit { cut } else { nil }
      return FittedContinuation(
        promptCut: cut, output: output + (end.map { [$0] } ?? []), hasEndToken: end != nil, isCut: cut != nil)
    }
    let text = reader.texts.cuttableText(ofGeneration: generation)
    func left(_ cut: TextCut) throws -> [Int32] { try tokens(text.cut(cut).text) }
    let fit = try fit(before + rest, text, named: name) { cut in
      let left = try left(cut)
      return left.isEmpty ? nil : before + left.count
    }
    guard let fit else { return nil }
    guard case .cut(let cut) = fit else {
      return FittedContinuation(
        promptCut: nil, output: output + (end.map { [$0] } ?? []), hasEndToken: end != nil, isCut: false)
    }
    return FittedContinuation(promptCut: nil, output: try left(cut), hasEndToken: false, isCut: true)
  }
}
