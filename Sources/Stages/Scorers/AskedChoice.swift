// `kind: choice` where the model is behind a server: by the probabilities of its first token, or by its reply.

import Experiments
import Glibc
import JSON
import Models
import Servers

extension ChoiceScorer {
  /// Alternatives that are asked for: the most that OpenAI gives.
  private static let alternatives = 20
  static let tokensOfReply = 16

  func score(
    _ items: [RowItem], by server: AskedServer, _ context: StageContext,
    emit: (RowItem, Score) throws -> Void
  ) throws {
    guard let wanted else {
      throw InputError("`reward` is `\(reward)`, which is none of `labels`: \(labelList)")
    }
    let template = try ScoringTemplate(template, columns: context.input("rows").columns)
    let texts = RowTexts(options: prompts)
    var settings = SamplingSettings()
    settings.temperature = 0
    settings.maximumTokens = by == .reply ? Self.tokensOfReply : 1
    if by == .probability { settings.alternatives = Self.alternatives }
    let asks = try items.map {
      Ask(server.prompt(try template.text(of: $0, texts), prompts.chat), settings)
    }
    var done = 0
    try server.ask(asks, unit: "texts") { index, outcome, _ in
      let item = items[index]
      let place = "row `\(item.row.id)`, sample \(item.item)"
      var score = Score.missing
      switch outcome {
      case .failure(let failure): context.log("\(place): \(failure)")
      case .reply(let reply, _) where by == .reply:
        if let label = Self.label(reply.text, among: labels) {
          score = .reward(label == wanted ? 1 : 0)
        } else {
          context.log(
            "\(place): the reply names no label: \(JSON.string(String(reply.text.prefix(80))).text())")
        }
      case .reply(let reply, _):
        guard !reply.firstAlternatives.isEmpty else {
          throw InputError(
            "the server of `model` gives no probabilities of tokens, by which `scorer: {kind: choice}` chooses; write `by: reply`"
          )
        }
        if let probability = Self.probability(of: wanted, among: labels, reply.firstAlternatives) {
          score = .reward(probability)
        } else {
          context.log(
            "\(place): no label begins with any of the \(reply.firstAlternatives.count) likeliest tokens")
        }
      }
      try emit(item, score)
      done += 1
      context.progress(done, of: items.count, unit: "texts")
      return false
    }
  }

  /// The probability of the wanted label among those that the first token may begin, white space around both left out. A token that begins
  /// several labels says nothing of them, and counts for none.
  static func probability(of wanted: Int, among labels: [String], _ tokens: [ServerReply.Token]) -> Double? {
    let texts = labels.map(\.strippedOfWhitespace)
    var mass = [Double](repeating: 0, count: labels.count)
    for token in tokens {
      let text = token.text.strippedOfWhitespace
      guard !text.isEmpty else { continue }
      let begun = texts.indices.filter { texts[$0].utf8.starts(with: text.utf8) }
      if begun.count == 1 { mass[begun[0]] += exp(token.logProbability) }
    }
    let sum = mass.reduce(0, +)
    return sum > 0 ? mass[wanted] / sum : nil
  }

  /// The label that a reply begins with: the longest of them.
  static func label(_ reply: String, among labels: [String]) -> Int? {
    let text = reply.strippedOfWhitespace
    return labels.indices.filter { index in
      let label = labels[index].strippedOfWhitespace
      guard text.utf8.starts(with: label.utf8) else { return false }
      // A whole word.
      guard let next = text.utf8.dropFirst(label.utf8.count).first else { return true }
      return !(0x30...0x39).contains(next) && !(0x41...0x5A).contains(next) && !(0x61...0x7A).contains(next)
        && next < 0x80
    }.max { labels[$0].utf8.count < labels[$1].utf8.count }
  }
}
