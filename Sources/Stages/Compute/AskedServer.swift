// A model behind a server, as a stage asks it: questions in, replies out, and what that took in the record.

import Experiments
import JSON
import Models
import Servers
import System

/// For one run of a stage. What the store has of its replies is replayed, and only the rest is asked.
struct AskedServer {
  let model: ServerModel
  private let context: StageContext
  private let store: String
  /// As messages call it.
  private let name: String

  /// Nil where the weights of the model at the port are here.
  init?(_ port: String, _ context: StageContext) throws {
    guard let server = context.inputs[port]?.server else { return nil }
    try self.init(server, port, context)
  }

  /// - Parameter port: as messages call the model.
  init(_ server: ServerModel, _ port: String, _ context: StageContext) throws {
    guard let replies = context.repliesDirectory else {
      throw InputError("the model at `\(port)` is behind a server, and there is no store to keep its replies")
    }
    model = server
    name = server.name.isEmpty ? port : server.name
    self.context = context
    store = Path.parent(replies)
  }

  /// A conversation where the server keeps one, else text that it goes on from.
  func prompt(_ question: ModelText, _ chat: ChatOption?) -> Ask.Prompt {
    var conversation = Conversation(user: question)
    if let system = chat?.system { conversation.addSystem(system) }
    return prompt(conversation)
  }

  func prompt(_ conversation: Conversation) -> Ask.Prompt {
    if model.interface == .completions {
      return .text(conversation.messages.map(\.text).joined(separator: "\n\n"))
    }
    return .messages(conversation.messages.map { Ask.Message($0.role, $0.text) })
  }

  /// What is asked about a row's item. Equal questions are one, unless something is drawn: then each has a seed, or where the server
  /// takes none is an attempt of its own.
  func question(_ prompt: Ask.Prompt, _ settings: SamplingSettings, _ item: RowItem) -> Question {
    var question = Question(Ask(prompt, settings), attempt: 0)
    guard let temperature = settings.temperature, temperature > 0 else { return question }
    // What every server's integers hold.
    let number = Int(
      randomNumber(seed: context.seed, .askServer, id: item.row.id, element: item.item) & 0x7FFF_FFFF)
    // A seed that the experiment's body sets or takes out is the same for all.
    if model.serverInterface.lacks.contains(.seed) || model.body["seed"] != nil {
      question.attempt = number * Self.attemptsOfOneDraw
    } else {
      question.ask.settings.seed = number
    }
    return question
  }

  /// How many of these the store has no reply to.
  func missing(_ questions: [Question]) throws -> Int {
    try Asker(model, store: store, Asker.Options(name: name)).missing(
      questions.map { Self.numbered($0, of: model) })
  }

  /// Another number of the model asks anew for all that a stage asks.
  private static func numbered(_ question: Question, of model: ServerModel) -> Question {
    Question(question.ask, attempt: firstAttempt(of: model) + question.attempt)
  }

  /// The attempt that what a stage asks once is.
  static func firstAttempt(of model: ServerModel) -> Int { (model.attempt - 1) * attemptsOfOne + 1 }

  /// The same question for another time.
  func question(_ ask: Ask, repetition: Int) -> Question {
    Question(ask, attempt: repetition * Self.attemptsOfOneDraw)
  }

  func ask(
    _ asks: [Ask], unit: String,
    take: (_ index: Int, _ outcome: AskOutcome, _ attempt: Int) throws -> Bool
  ) throws { try ask(asks.map { Question($0, attempt: 0) }, unit: unit, take: take) }

  /// - Parameters:
  ///   - questions: their attempts are counted from 0.
  ///   - take: gets a question's index, its reply and how often it was asked as soon as the reply is there, in any order; says whether
  ///     to ask it again. What has no reply comes once all were asked.
  /// - Throws: `RunError` (7) where the server refuses or stays away; what `take` throws.
  func ask(
    _ questions: [Question], unit: String,
    take: (_ index: Int, _ outcome: AskOutcome, _ attempt: Int) throws -> Bool
  ) throws {
    var options = Asker.Options(name: name)
    options.mayAsk = context.mayAsk
    options.comparesModel = true
    options.backoff = Backoff(seed: context.seed)
    if let tokens = model.limits.tokens { options.budgets = [Budget(limit: Double(tokens))] }
    if let money = model.limits.money, let price = model.limits.price {
      options.budgets.append(
        Budget(
          price.currency, limit: money, promptPrice: price.input / 1e6, completionPrice: price.output / 1e6))
    }
    let asker = Asker(model, store: store, options)
    let questions = questions.map { Self.numbered($0, of: model) }
    try requirePrice(asker, questions)
    let started = ContinuousClock.now
    var attempts = [Int](repeating: 1, count: questions.count)
    defer { record(asker.totals, since: started) }
    // Taken once all are asked: a run that ends before that asks for them again.
    var failures: [(index: Int, outcome: AskOutcome)] = []
    try asker.ask(
      questions, checkpoint: context.checkCancellation,
      note: { line in
        context.log(line)
        context.progress(0, of: questions.count, unit: unit, message: line)
      },
      take: { index, outcome in
        if case .failure = outcome {
          failures.append((index, outcome))
          return nil
        }
        let outcome = Self.cut(outcome, before: questions[index].ask.settings.stop)
        guard try take(index, outcome, attempts[index]) else { return nil }
        attempts[index] += 1
        return questions[index].attempt + attempts[index] - 1
      })
    for (index, outcome) in failures { _ = try take(index, outcome, attempts[index]) }
  }

  private static func cut(_ outcome: AskOutcome, before stops: [String]) -> AskOutcome {
    guard case .reply(let reply, let isReplayed) = outcome else { return outcome }
    var whole = reply.cut(before: stops)
    // OpenAI's `stop` is either; a server that cuts the stop text off does not say which.
    if !stops.isEmpty, whole.finish == .end { whole.finish = .stop(nil) }
    return .reply(whole, isReplayed: isReplayed)
  }

  /// A budget in money means nothing without a price.
  private func requirePrice(_ asker: Asker, _ questions: [Question]) throws {
    guard model.limits.money != nil, model.limits.price == nil, context.mayAsk,
      try asker.missing(questions) > 0
    else { return }
    let name = model.model.map { ", model: \(JSON.string($0).text())" } ?? ""
    throw InputError(
      "the model `\(model.name)` has a budget of `money`, and your configuration (\(UserConfiguration.path ?? "$PLUMB_CONFIG")) has no price for it; write `prices: [{server: \(JSON.string(model.identity).text())\(name), input: …, output: …}]` there"
    )
  }

  private static let attemptsOfOne = 1_000_000
  /// More than any question is asked.
  private static let attemptsOfOneDraw = 128

  private func record(_ totals: AskTotals, since started: ContinuousClock.Instant) {
    for (name, count) in [
      ("replies_asked", totals.asked), ("replies_replayed", totals.replayed),
      ("requests_retried", totals.retried), ("requests_failed", totals.failedRequests),
      ("prompt_tokens", totals.askedTokens.prompt), ("completion_tokens", totals.askedTokens.completion),
      ("reasoning_tokens", totals.askedTokens.reasoning),
      ("replayed_prompt_tokens", totals.replayedTokens.prompt),
      ("replayed_completion_tokens", totals.replayedTokens.completion),
    ] where count > 0 || name.hasPrefix("replies") {
      context.measure(name, Double(count))
    }
    if let price = model.limits.price, totals.asked > 0 {
      context.measure(
        "cost_\(price.currency)",
        price.cost(
          promptTokens: Double(totals.askedTokens.prompt),
          completionTokens: Double(totals.askedTokens.completion)))
    }
    let seconds = (ContinuousClock.now - started) / .seconds(1)
    if totals.asked > 0 { context.measure("replies_per_second", Double(totals.asked) / max(seconds, 1e-3)) }
    context.log(
      "\(model.identity): \(totals.asked) replies asked for, \(totals.replayed) replayed"
        + (totals.shared > 0 ? ", \(totals.shared) shared with an equal question" : ""))
    if !totals.models.isEmpty { context.log("the server calls the model \(Self.list(totals.models))") }
    if !totals.fingerprints.isEmpty {
      context.log("the server's configuration is \(Self.list(totals.fingerprints))")
    }
    if totals.withoutUsage > 0 {
      context.log("of \(totals.withoutUsage) replies the server did not say how many tokens they took")
    }
  }

  private static func list(_ names: [String]) -> String { names.map { "`\($0)`" }.joined(separator: ", ") }
}
