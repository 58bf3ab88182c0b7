// A language model that says which of two generations is better.

import Experiments
import JSON
import Models

/// What a reply says.
package enum JudgeVerdict: Sendable, Equatable {
  case first, second, tie
  /// No word of a verdict.
  case unreadable

  package struct Words: Sendable {
    let first: String
    let second: String
    let tie: String?

    package init(first: String, second: String, tie: String?) {
      (self.first, self.second, self.tie) = (first, second, tie)
    }
  }

  /// The last of the words in the reply counts, where it stands between other characters than letters and digits.
  package init(of reply: String, _ words: Words) {
    let candidates =
      [(JudgeVerdict.first, words.first), (.second, words.second)] + (words.tie.map { [(.tie, $0)] } ?? [])
    let bytes = Array(reply.utf8)
    var last: (verdict: JudgeVerdict, end: Int)?
    for (verdict, word) in candidates {
      let word = Array(word.utf8)
      guard let end = Self.lastEnd(of: word, in: bytes), end > last?.end ?? 0 else { continue }
      last = (verdict, end)
    }
    self = last?.verdict ?? .unreadable
  }

  private static func lastEnd(of word: [UInt8], in bytes: [UInt8]) -> Int? {
    func isLetter(_ place: Int) -> Bool {
      guard bytes.indices.contains(place) else { return false }
      switch bytes[place] {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...:
        return true
      default: return false
      }
    }
    guard !word.isEmpty, bytes.count >= word.count else { return nil }
    for start in (0...(bytes.count - word.count)).reversed() {
      let end = start + word.count
      if bytes[start..<end].elementsEqual(word), !isLetter(start - 1), !isLetter(end) { return end }
    }
    return nil
  }
}

struct Judge {
  let template: String
  let words: JudgeVerdict.Words
  let maxNewTokens: Int

  struct Question {
    /// By place.
    let comparison: Int
    /// Whether the baseline's generation is shown first.
    let swaps: Bool
    /// Which time it is asked, from 0.
    var repetition = 0
  }

  struct Judged {
    /// Of each question; nil where it was too long.
    var verdicts: [JudgeVerdict?]
    var tooLong = 0
    var cut = 0
  }

  /// Greedy replies at the port `judge`.
  /// - Throws: `InputError` naming the row.
  func verdicts(_ comparisons: [GenerationPair], _ questions: [Question], _ context: StageContext) throws
    -> Judged
  {
    if let server = try AskedServer("judge", context) {
      return try verdicts(comparisons, questions, from: server, context)
    }
    let checkpoint = try context.checkpoint("judge")
    let tokenizer = try checkpoint.requireTokenizer()
    let reader = try PromptReader(PromptOptions(context.options), checkpoint, tokenizer)
    let template: PromptTemplate
    do { template = try PromptTemplate(self.template) } catch { throw InputError("`template`: \(error)") }
    warnOfUnreadMarkers([template.literal], tokenizer, log: context.log)
    var limit = try LengthLimit(
      reader.options.length, of: "questions", tokenizer,
      contextLength: checkpoint.configuration.contextLength,
      reserving: LengthLimit.Reserved(
        count: maxNewTokens, name: "`max_new_tokens` of `win_rate`", remedy: "lower `max_new_tokens`"))
    var judged = Judged(verdicts: [])
    var requests: [SamplingRequest] = []
    // Of each request its question.
    var places: [Int] = []
    for (place, question) in questions.enumerated() {
      let comparison = comparisons[question.comparison]
      let text = try reader.asked(
        try self.text(of: comparison, swaps: question.swaps, template, reader.texts), about: comparison.row)
      judged.verdicts.append(nil)
      guard let fitted = limit.fit(text, named: "row `\(comparison.row.id)`") else {
        judged.tooLong += 1
        continue
      }
      guard !fitted.tokens.isEmpty else {
        throw InputError("row `\(comparison.row.id)`: the question is empty")
      }
      if fitted.isCut { judged.cut += 1 }
      // Greedy: nothing is drawn, so its name does not matter.
      requests.append(SamplingRequest(row: UInt64(place), prompt: fitted.tokens, samples: [0]))
      places.append(place)
    }
    try limit.requireFit()
    try context.showInputs(requests.count, tokenizer) {
      ModelInput(comparisons[questions[places[$0]].comparison].row.id, requests[$0].prompt)
    }
    let engine = SamplingEngine(
      try context.decoder(checkpoint), parameters: .greedy, maximumNewTokens: maxNewTokens,
      endTokens: reader.endTokens(of: checkpoint), seed: 0, memory: context.engineMemory(),
      batch: context.engineBatch(64))
    var done = 0
    do {
      try engine.run(requests, checkpoint: context.checkCancellation) { reply in
        judged.verdicts[places[reply.request]] = JudgeVerdict(of: reply.text(tokenizer), words)
        done += 1
        context.progress(done, of: requests.count, unit: "questions")
      }
    } catch let error as LogitsNotFinite {
      let question = questions[places[error.index]]
      throw checkpoint.inputError(error, for: "row `\(comparisons[question.comparison].row.id)`")
    }
    return judged
  }

  func text(
    of comparison: GenerationPair, swaps: Bool, _ template: PromptTemplate, _ texts: RowTexts
  )
    throws -> ModelText
  {
    var text = ModelText()
    let shown =
      swaps ? [comparison.baseline, comparison.generation] : [comparison.generation, comparison.baseline]
    for piece in template.pieces {
      switch piece {
      case .text(let literal): text.append(literal: literal)
      case .field("prompt"): text.append(try texts.prompt(of: comparison.row))
      case .field("a"): text.append(texts.cuttableText(ofGeneration: shown[0]))
      case .field("b"): text.append(texts.cuttableText(ofGeneration: shown[1]))
      case .field(let name):
        guard let value = PromptTemplate.value(name, in: comparison.row.columns) else {
          throw InputError("row `\(comparison.row.id)` has no column `\(name)`, which `template` names")
        }
        text.append(field: value.stringValue ?? value.text())
      }
    }
    return text
  }
}
