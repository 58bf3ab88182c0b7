// The judge of `win_rate` where it is behind a server.

import Experiments
import JSON
import Models
import Servers

extension Judge {
  /// Replies at temperature 0; nil for one that did not come.
  func verdicts(
    _ comparisons: [GenerationPair], _ questions: [Question], from server: AskedServer,
    _ context: StageContext
  ) throws -> Judged {
    let options = PromptOptions(context.options)
    let template: PromptTemplate
    do { template = try PromptTemplate(self.template) } catch { throw InputError("`template`: \(error)") }
    var settings = SamplingSettings()
    settings.temperature = 0
    settings.maximumTokens = maxNewTokens
    let asks = try questions.map { question in
      let text = try self.text(
        of: comparisons[question.comparison], swaps: question.swaps, template, RowTexts(options: options))
      return Ask(server.prompt(text, options.chat), settings)
    }
    var judged = Judged(verdicts: [JudgeVerdict?](repeating: nil, count: questions.count))
    var done = 0
    try server.ask(
      zip(asks, questions).map { server.question($0, repetition: $1.repetition) }, unit: "questions"
    ) { index, outcome, _ in
      switch outcome {
      case .reply(let reply, _): judged.verdicts[index] = JudgeVerdict(of: reply.text, words)
      case .failure(let failure):
        context.log("row `\(comparisons[questions[index].comparison].row.id)`: \(failure)")
      }
      done += 1
      context.progress(done, of: questions.count, unit: "questions")
      return false
    }
    return judged
  }
}
