// A stage that asks a server, before it runs: whether it may, and whether the server has what its options ask for.

import Experiments
import JSON
import Models
import Servers

extension KnownArtifact {
  /// Nil of a model whose weights are here, and where nothing is known.
  var server: ServerModel? { facts[Self.serverFact].flatMap(ServerModel.init(json:)) }
}

extension StageFindings {
  /// - Parameter help: for a server of another interface.
  /// - Returns: whether the model is behind a server; nothing of a model that is here need be checked then.
  mutating func want(
    server demand: ServerDemand, at port: String, _ interfaces: [ServerModel.Interface],
    help: String? = nil, in stage: StageCheck
  ) -> Bool {
    guard let server = stage.artifact(port)?.server else { return false }
    if server.serve != nil, port != "server" {
      error(
        .wrongModel, "input `\(port)` needs a model, but this one is a server that is started on a model",
        at: .input(port), label: "`serve`", help: "bind it to the input `server` of `sample`")
      return true
    }
    guard interfaces.contains(server.interface) else {
      let words = interfaces.map { "`\($0.rawValue)`" }.joined(separator: ", ")
      error(
        .wrongModel,
        "input `\(port)` needs a server that is asked in words (\(words)), but this one has `interface: \(server.interface.rawValue)`",
        at: .input(port), label: "`interface: \(server.interface.rawValue)`",
        help: server.interface == .http ? "an endpoint that gives scores is for `scorer: {kind: http}`" : help
      )
      return true
    }
    if let problem = server.serve == nil ? server.problem : nil {
      error(.wrongModel, problem, at: .model(port), label: "cannot be asked")
    }
    let lacks = server.serverInterface.lacks
    for filter in demand.filters {
      guard let known = logitsFilters.first(where: { $0.name == filter.filter }),
        filter.value != known.standard
      else { continue }
      let isSent =
        filter.filter == "top_p" && !lacks.contains(.topP)
        || filter.filter == "top_k" && !lacks.contains(.topK)
      if !isSent { refuse(demand.path + filter.filter, filter.filter, server, port) }
    }
    if !demand.stop.isEmpty, lacks.contains(.stop) { refuse(demand.path + "stop", "stop", server, port) }
    for (name, isSet) in demand.others where isSet { refuse(demand.path + name, name, server, port) }
    check(demand.prompts, demand.path, server, port)
    return true
  }

  private mutating func refuse(_ option: String, _ name: String, _ server: ServerModel, _ port: String) {
    error(
      .conflictingOptions,
      "`\(name)` is set, but the model at `\(port)` is behind a server with `interface: \(server.interface.rawValue)`, which is not asked for it",
      at: .option(option), label: "cannot be kept",
      help: "remove it; what this server alone knows is written into `body` of the model")
  }

  /// What would need the model's tokenizer.
  private mutating func check(
    _ prompts: PromptOptions, _ path: String, _ server: ServerModel, _ port: String
  ) {
    if prompts.length.maximum != nil || prompts.length.overflow == .cut {
      error(
        .conflictingOptions,
        "`max_length` and `cut` count tokens, and the tokenizer of the model at `\(port)` is behind its server",
        at: .option(
          path
            + (prompts.length.maximum != nil
              ? LengthPolicy.maximum.field.name : LengthPolicy.overflow.field.name)),
        label: "cannot be counted here",
        help: "remove them; `data` leaves long rows out: `where: [{field: post, words: {at_most: 400}}]`")
    }
    if prompts.specialTokens == .parse {
      error(
        .conflictingOptions,
        "`special_tokens: parse` is about tokens, and those of `\(port)` are behind its server",
        at: .option(path + PromptOptions.specialTokens.field.name), label: "has nothing to act on",
        help: "remove it")
    }
    if let chat = prompts.chat, server.interface == .completions {
      error(
        .conflictingOptions,
        "`chat` is set, but the server of `\(port)` has `interface: completions`, which goes on from text",
        at: .option(path + ChatOption.option.field.name), label: chat.system == nil ? "no chat" : "no system",
        help: "write `interface: chat` for the model, or remove it")
    } else if prompts.chat?.date != nil {
      error(
        .conflictingOptions,
        "`chat.date` is for a template that is here, and that of `\(port)` is behind its server",
        at: .option(path + "\(ChatOption.option.field.name).date"), label: "has nothing to act on",
        help: "remove it")
    }
  }
}
