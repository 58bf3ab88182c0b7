// `kind: model` where the model is behind a server.

import Experiments
import JSON
import Models
import Servers

extension ModelAnnotator {
  func reply(
    to items: [RowItem], from server: AskedServer, _ context: StageContext,
    take: (RowItem, Reply) throws -> Bool
  ) throws {
    let template = try question.template()
    let texts = RowTexts(options: prompts)
    let table = context.input("rows").columns
    let schema = try schema()
    let settings = settings(schema)
    let questions = try items.map { item in
      let text = try question.text(template, of: item, table, texts)
      guard !text.text.isEmpty else { throw InputError("row `\(item.row.id)`: the question is empty") }
      return server.question(server.prompt(text, prompts.chat), settings, item)
    }
    var (done, misfits) = (0, 0)
    try server.ask(questions, unit: "replies") { index, outcome, attempt in
      let isLast = attempt == attempts
      let reply: Reply
      switch outcome {
      case .failure(let failure): reply = Reply(.failure("\(failure)"), attempts: attempt)
      case .reply(let answer, _):
        reply = Reply(
          Self.content(answer.text, schema), attempts: attempt, isLast: isLast,
          isTruncated: answer.finish == .length)
        if case .unusable = reply.content { misfits += 1 }
      }
      guard try take(items[index], reply) else { return true }
      done += 1
      context.progress(done, of: items.count, unit: "replies")
      return false
    }
    guard schema != nil, misfits > 0 else { return }
    context.log(
      server.model.serverInterface.sendsSchema
        ? "the schema was sent with each question, and \(misfits) replies do not fit it: not every server takes one"
        : "servers with `interface: \(server.model.interface.rawValue)` are not sent the schema; \(misfits) replies do not fit it"
    )
  }

  private func settings(_ schema: JSON?) -> SamplingSettings {
    var settings = SamplingSettings()
    settings.maximumTokens = maxNewTokens
    settings.temperature = temperature
    settings.set(filters)
    settings.stop = stop
    settings.schema = schema
    return settings
  }
}

extension SamplingSettings {
  /// Those that every server has; others are refused before anything is asked.
  mutating func set(_ filters: [FilterSetting]) {
    for filter in filters {
      guard let known = logitsFilters.first(where: { $0.name == filter.filter }),
        filter.value != known.standard
      else { continue }
      switch filter.filter {
      // As it was written: 0.9, and not what single precision makes of it.
      case "top_p": topP = Double("\(filter.value)")
      case "top_k": topK = Int(filter.value)
      default: break
      }
    }
  }
}

extension LogitsFilter {
  /// The value that leaves nothing out.
  var standard: Float {
    switch values {
    case .integer(_, let standard): Float(standard)
    case .number(_, _, let standard): Float(standard)
    }
  }
}
