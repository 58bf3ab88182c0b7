// `models: {NAME: {server: …}}`: a model behind a server.

import Glibc
import JSON
import System

struct ServerDecoder {
  let collector: DiagnosticCollector
  /// "model `judge`"
  let what: String

  /// Nil for a wrong one, which is reported.
  func decode(_ fields: Fields, at source: MappingEntry) -> ServerModel? {
    let isServed = source.key.utf8.elementsEqual("serve".utf8)
    guard let address = isServed ? started(source.value) : address(source.value) else { return nil }
    var server = ServerModel(url: address.url, identity: address.identity)
    server.serve = address.serve
    if isServed { server.interface = .completions }
    if let word = fields["interface"].flatMap({
      collector.choice($0, "`interface` of \(what)", Language.serverInterfaces)
    }) {
      if word == Self.perspective {
        (server.interface, server.body, server.reply) = (.http, Self.perspectiveBody, Self.perspectiveReply)
        server.keyHeader = "X-Goog-Api-Key"
        collector.warning(
          .serverRisk, "\(what): Perspective is announced to end its service on 31 December 2026",
          at: fields["interface"]?.span ?? source.keySpan, label: "will not answer after that day",
          help: "a classifier that `train` makes needs no service: see experiments/small/toxicity.yaml"
        )
      } else if let interface = ServerModel.Interface(rawValue: word) {
        server.interface = interface
      }
    }
    if let word = fields["mode"].flatMap({
      collector.choice($0, "`mode` of \(what)", ServerModel.Mode.allCases.map(\.rawValue))
    }) {
      server.mode = ServerModel.Mode(rawValue: word) ?? .live
    }
    if let node = fields["model"] { server.model = collector.string(node, "`model` of \(what)") }
    if let node = fields["identity"], let text = collector.string(node, "`identity` of \(what)") {
      server.identity = text
    }
    if let node = fields["attempt"] {
      server.attempt = collector.integer(node, "`attempt` of \(what)", Language.serverAttempt) ?? 1
    }
    if let node = fields["key"] { key(node, of: &server, isPlain: address.isPlain) }
    if let node = fields["body"], !node.isNull, let body = object(node) { server.body = body }
    if let node = fields["reply"] { server.reply = collector.string(node, "`reply` of \(what)") }
    if let node = fields["id"] { server.replyID = collector.string(node, "`id` of \(what)") }
    if let node = fields["limits"], !node.isNull { limits(node, of: &server) }
    check(server, fields, at: source)
    return server
  }

  /// What sets the members of `ServerModel.keyPart`.
  static func origins(_ model: Node) -> [ValueOrigin] {
    func places(_ path: String, _ node: Node) -> [ValueOrigin] {
      [ValueOrigin(path, at: node.span)]
        + (node.entries ?? []).flatMap { places("\(path).\($0.key)", $0.value) }
    }
    let entries = model.entries ?? []
    // `identity` stands for the address, where it is there.
    let identity = entries.first { $0.key.utf8.elementsEqual("identity".utf8) }
    return (identity.map { places("server", $0.value) } ?? []) + entries.flatMap { places($0.key, $0.value) }
  }

  static let perspective = "perspective"
  private static let perspectiveBody: JSON = [
    "comment": ["text": "{generation}"], "languages": ["en"], "requestedAttributes": ["TOXICITY": [:]],
    "spanAnnotations": true,
  ]
  private static let perspectiveReply = "attributeScores.TOXICITY.summaryScore.value"

  /// What goes together.
  private func check(_ server: ServerModel, _ fields: Fields, at source: MappingEntry) {
    if server.serve != nil, server.interface != .completions {
      collector.error(
        .wrongValue,
        "\(what) is served, and has `interface: \(server.interface.rawValue)`; a served model is given tokens, which `completions` takes",
        at: fields["interface"]?.span ?? source.keySpan, label: "expected `completions`", help: "remove it")
    }
    if server.mode == .batch, server.serve != nil || server.interface == .http {
      collector.error(
        .wrongValue,
        server.serve != nil
          ? "\(what) is served, and has `mode: batch`; a server that a stage starts is asked one by one"
          : "\(what) has `mode: batch` and `interface: \(fields["interface"]?.string ?? server.interface.rawValue)`; an endpoint that gives scores takes no batches",
        at: fields["mode"]?.span ?? source.keySpan, label: "expected `live`", help: "remove it")
    }
    if server.interface == .http {
      if server.reply == nil {
        collector.missingKey(
          "reply", of: what, at: source.keySpan,
          help: "where the score stands in what the server answers: `reply: scores.0`")
      }
      if server.body == .object(JSONObject()) {
        collector.missingKey(
          "body", of: what, at: source.keySpan, help: "what is sent: `body: {text: \"{generation}\"}`")
      }
      if let entry = fields.entry("model") {
        collector.error(
          .conflictingKeys, "\(what) has `model`, which an `http` endpoint is not sent", at: entry.keySpan,
          label: "has nothing to act on", help: "write it into `body`")
      }
    } else {
      for name in ["reply", "id"] {
        guard let entry = fields.entry(name) else { continue }
        collector.error(
          .conflictingKeys, "\(what) has `\(name)`, which goes with `interface: http`", at: entry.keySpan,
          label: "has nothing to act on")
      }
    }
  }

  private typealias Address = (url: String, identity: String, isPlain: Bool, serve: ServerModel.Serve?)

  /// Of a server that a stage starts: its words are what it is.
  private func started(_ node: Node) -> Address? {
    let place = "`serve` of \(what)"
    guard let fields = collector.fields(node, of: place, known: Language.serve.names) else { return nil }
    guard let run = fields["run"] else {
      collector.missingKey(
        "run", of: place, at: node.span, help: "write `run: [vllm, serve, \"{model}\", --port, \"{port}\"]`")
      return nil
    }
    func texts(_ node: Node, _ name: String) -> [String]? {
      guard case .sequence(let nodes) = node.content else {
        collector.wrongType(node, "`\(name)` of \(place)", expected: "a list of texts")
        return nil
      }
      let texts = nodes.compactMap { collector.string($0, "an entry of `\(name)` of \(place)") }
      return texts.count == nodes.count ? texts : nil
    }
    guard let words = texts(run, "run") else { return nil }
    for name in ["{model}", "{port}"] where !words.contains(where: { $0.contains(name) }) {
      collector.error(
        .wrongValue, "`run` of \(place) does not name `\(name)`", at: run.span,
        label: "not in any of its words",
        help: name == "{port}" ? "it is asked at that port" : "the folder of the model that it serves")
    }
    var serve = ServerModel.Serve(run: words)
    func path(_ name: String) -> String? {
      guard let node = fields[name], let text = collector.string(node, "`\(name)` of \(place)") else {
        return nil
      }
      guard text.utf8.first == UInt8(ascii: "/"), text.unicodeScalars.allSatisfy({ $0.value > 0x20 }) else {
        collector.wrongType(node, "`\(name)` of \(place)", expected: "a path that begins with `/`")
        return nil
      }
      return text
    }
    if let ready = path("ready") { serve.ready = ready }
    if let within = fields["within"].flatMap({ collector.seconds($0, "`within` of \(place)") }) {
      serve.within = within
    }
    if let node = fields["env"] { serve.environment = texts(node, "env") ?? [] }
    return (path("path") ?? "/v1", words.joined(separator: " "), false, serve)
  }

  /// The address without its last slash, and its host, port and path.
  private func address(_ node: Node) -> Address? {
    guard let text = collector.string(node, "`server` of \(what)") else { return nil }
    let scheme = ["https://", "http://"].first { text.utf8.starts(with: $0.utf8) }
    let rest = scheme.map { text.dropFirst($0.count) } ?? ""
    let host = rest.prefix { $0 != "/" }
    guard let scheme, !host.isEmpty, !rest.contains("?"), !rest.contains("#"),
      text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F })
    else {
      collector.wrongType(
        node, "`server` of \(what)", expected: "an address: `https://HOST/v1` or `http://HOST:PORT/v1`")
      return nil
    }
    // What stands in a file is read by everyone who has it.
    guard !host.contains("@") else {
      collector.error(
        .literalSecret, "`server` of \(what) holds a user or a password", at: node.span,
        label: "a secret in the file", help: "write `key: {env: NAME}`")
      return nil
    }
    var end = text[...]
    while end.last == "/" { end = end.dropLast() }
    let name = host.first == "[" ? host.prefix { $0 != "]" }.dropFirst() : host.prefix { $0 != ":" }
    let isLoopback = name == "localhost" || name == "::1" || name.hasPrefix("127.")
    return (String(end), String(end.dropFirst(scheme.count)), scheme == "http://" && !isLoopback, nil)
  }

  /// `{env: NAME}`, and with `header` the header that it is sent in.
  private func key(_ node: Node, of server: inout ServerModel, isPlain: Bool) {
    let place = "`key` of \(what)"
    guard node.scalar == nil else {
      collector.error(
        .literalSecret, "\(place) holds a secret in plain text", at: node.span,
        label: "must not be in a file",
        help: "write `key: {env: NAME}` and set that variable; only its name is stored and shown")
      return
    }
    guard let fields = collector.fields(node, of: place, known: Language.serverKey.names) else { return }
    guard let variable = fields["env"] else {
      collector.missingKey("env", of: place, at: node.span, help: "write `key: {env: NAME}`")
      return
    }
    guard let name = collector.variableName(variable, of: place, at: node) else { return }
    server.key = name
    if let header = fields["header"].flatMap({ collector.string($0, "`header` of \(place)") }) {
      guard !header.isEmpty, header.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") })
      else {
        collector.error(
          .wrongValue, "`header` of \(place) is `\(header)`, which is no name of a header",
          at: fields["header"]?.span ?? node.span, label: "letters, digits and `-`")
        return
      }
      server.keyHeader = header
    }
    if isPlain {
      collector.warning(
        .serverRisk, "\(what) is sent the key in `\(name)` over `http`, which everyone on the way can read",
        at: node.span, label: "sent in the open", help: "write `https://` where the server has it")
    }
  }

  private func object(_ node: Node) -> JSON? {
    guard case .mapping = node.content, let value = node.json else {
      collector.wrongType(node, "`body` of \(what)", expected: "a mapping")
      return nil
    }
    return value
  }

  private func limits(_ node: Node, of server: inout ServerModel) {
    guard
      let fields = collector.fields(node, of: "`limits` of \(what)", known: Language.serverLimits.names)
    else { return }
    func whole(_ name: String) -> Int? {
      fields[name].flatMap { collector.integer($0, "`\(name)` of \(what)", Language.serverLimit) }
    }
    func seconds(_ name: String) -> Double? {
      fields[name].flatMap { collector.seconds($0, "`\(name)` of \(what)") }
    }
    if let value = fields["concurrency"].flatMap({
      collector.integer($0, "`concurrency` of \(what)", Language.serverConcurrency)
    }) {
      server.limits.concurrency = value
    }
    if let value = fields["attempts"].flatMap({
      collector.integer($0, "`attempts` of \(what)", Language.serverAttempts)
    }) {
      server.limits.attempts = value
    }
    server.limits.requestsPerMinute = whole("requests_per_minute")
    server.limits.tokensPerMinute = whole("tokens_per_minute")
    server.limits.tokens = whole("tokens")
    server.limits.money = fields["money"].flatMap {
      collector.number($0, "`money` of \(what)", Language.serverMoney, exclusiveMinimum: true)
    }
    if let value = seconds("connect") { server.limits.connect = value }
    if let value = seconds("first_byte") { server.limits.firstByte = value }
    if let value = seconds("longest_pause") { server.limits.longestPause = value }
    if let value = seconds("poll") { server.limits.poll = value }
    if let value = seconds("whole") { server.limits.whole = value }
  }
}
