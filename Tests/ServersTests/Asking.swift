// What the tests of asking share: right responses, one run of questions, and what came of it.

import FaultyServer
import JSON
import Runner
import Servers
import System
import TestFolder

/// A right response of `chat/completions`.
func chatResponse(
  _ content: JSON, finish: JSON = "stop", usage: JSON? = ["prompt_tokens": 7, "completion_tokens": 3],
  message: [JSONObject.Member] = []
) -> JSON {
  var text = JSONObject([("role", "assistant"), ("content", content)])
  for (name, value) in message { text[name] = value }
  var response = JSONObject([
    ("id", "x"), ("model", "tiny-1"),
    ("choices", [["index": 0, "message": .object(text), "finish_reason": finish]]),
  ])
  response["usage"] = usage
  return .object(response)
}

func chatAnswer(_ content: String) -> Answer { .json(chatResponse(.string(content))) }

/// The last message of a request.
func lastText(_ request: FaultyServer.Request) -> String {
  request.json["messages"]?.arrayValue?.last?["content"]?.stringValue ?? ""
}

func question(_ text: String, attempt: Int = 1, maximumTokens: Int? = 16) -> Question {
  var settings = SamplingSettings()
  settings.maximumTokens = maximumTokens
  return Question(Ask(.messages([Ask.Message("user", text)]), settings), attempt: attempt)
}

/// What came of a run.
struct Asked {
  var outcomes: [Int: [AskOutcome]] = [:]
  var error: (any Error)?
  var notes: [String] = []
  var totals = AskTotals()
  var budgets: [Budget] = []

  var runError: RunError? { error as? RunError }
  func reply(_ index: Int) -> ServerReply? {
    if case .reply(let reply, _)? = outcomes[index]?.last { reply } else { nil }
  }
  func failure(_ index: Int) -> ServerFailure? {
    if case .failure(let failure)? = outcomes[index]?.last { failure } else { nil }
  }
  var texts: [String?] { (0..<outcomes.count).map { reply($0)?.text } }
}

/// A store in a folder, and a model behind a server.
struct Asking {
  let folder = TemporaryFolder()
  var model: ServerModel
  var options: Asker.Options

  init(_ url: String, interface: ServerModel.Interface = .chat) {
    model = ServerModel(url: "\(url)/v1", identity: "tests")
    model.model = "tiny"
    model.interface = interface
    model.limits.attempts = 3
    model.limits.connect = 2
    model.limits.firstByte = 5
    model.limits.whole = 10
    options = Asker.Options(name: "judge")
    options.backoff = Backoff(first: 0.002, longest: 0.01)
  }

  func ask(
    _ questions: [Question], checkpoint: () throws -> Void = {},
    followUp: (Int, AskOutcome) throws -> Int? = { _, _ in nil }
  ) -> Asked {
    var asked = Asked()
    let asker = Asker(model, store: folder.path, options)
    do {
      try asker.ask(
        questions, checkpoint: checkpoint, note: { asked.notes.append($0) },
        take: { index, outcome in
          asked.outcomes[index, default: []].append(outcome)
          return try followUp(index, outcome)
        })
    } catch { asked.error = error }
    asked.totals = asker.totals
    asked.budgets = asker.budgets
    return asked
  }

  func ask(_ texts: String...) -> Asked { ask(texts.map { question($0) }) }
}
