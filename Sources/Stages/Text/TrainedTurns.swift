// What a model learns of a row's conversation: its generation as the template writes it, and earlier turns of the assistant.

import Experiments
import Models

/// Which turns of the assistant `train` trains on.
enum TrainedTurns: String, CaseIterable { case last, all }

/// A conversation with answers that are trained on, as ids: up to the first of them, and from there on.
package struct EarlierTurns: Sendable {
  package let context: [Int32]
  package let output: [Int32]
  /// Parts of the output that are answers.
  package let targets: [Range<Int>]
  private let pieces: [(text: ModelText, isAnswer: Bool)]

  /// - Precondition: the first piece is no answer.
  fileprivate init(_ pieces: [(text: ModelText, isAnswer: Bool)], _ tokenizer: Tokenizer) {
    var output: [Int32] = []
    var targets: [Range<Int>] = []
    for piece in pieces.dropFirst() {
      let start = output.count
      output += piece.text.continuationTokens(tokenizer)
      if piece.isAnswer { targets.append(start..<output.count) }
    }
    context = pieces[0].text.tokens(tokenizer)
    self.output = output
    self.targets = targets
    self.pieces = pieces
  }

  var count: Int { context.count + output.count }

  func cut(_ cut: TextCut, _ tokenizer: Tokenizer) -> EarlierTurns {
    EarlierTurns(pieces.map { ($0.text.cut(cut), $0.isAnswer) }, tokenizer)
  }
}

extension PromptReader {
  /// A row's generation as the model learns to write it after the prompt, without the token that ends it. In chat a given text is
  /// written as the template writes it, a sample as the model drew it.
  /// - Parameter ends: whether the token follows that ends the turn.
  package func answer(_ generation: String, of row: Row, isGiven: Bool, ends: Bool) throws -> ModelText {
    let text = texts.text(ofGeneration: generation)
    guard let chat, isGiven else { return text }
    let conversation = try texts.conversation(of: row)
    return try row.inputErrors {
      try chat.answer(text, to: conversation, prompt: chat.ask(conversation), ends: ends) ?? text
    }
  }

  /// Nil for a row whose conversation has none.
  package func earlierTurns(of row: Row) throws -> EarlierTurns? {
    guard let chat else { return nil }
    let conversation = try texts.conversation(of: row)
    guard !conversation.answers.isEmpty else { return nil }
    return EarlierTurns(try row.inputErrors { try chat.pieces(conversation) }, tokenizer)
  }
}
