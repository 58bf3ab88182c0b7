// An experiment as it is understood: parameters in their places, defaults filled in, loops unrolled; with `origins` each
// option beside the place that set it.

import JSON
import System

package struct ResolvedConfiguration {
  let experiment: Experiment
  let plan: Plan
  let showsOrigins: Bool

  package init(_ experiment: Experiment, _ plan: Plan, showsOrigins: Bool) {
    self.experiment = experiment
    self.plan = plan
    self.showsOrigins = showsOrigins
  }

  /// YAML: the same in every run, and read back by any YAML reader. Paths of files are relative to the project.
  package var text: String {
    var lines = Lines()
    lines.add(0, "name", .string(plan.experimentName))
    lines.add(0, "seed", JSON(unsigned: experiment.seed))
    lines.add(0, "numeric", .string(experiment.numericMode))
    if !experiment.parameters.isEmpty {
      lines.open(0, "params")
      for parameter in experiment.parameters {
        lines.add(1, parameter.name, parameter.value, comment: comment(parameter.span))
      }
    }
    if !plan.models.isEmpty {
      lines.open(0, "models")
      for model in plan.models { add(model, to: &lines) }
    }
    lines.open(0, "stages")
    for node in plan.nodes { add(node, to: &lines) }
    if !plan.metrics.isEmpty {
      lines.open(0, "metrics")
      for metric in plan.metrics {
        let values = metric.nodes.map {
          JSON.string("\(plan.nodes[$0].address).\(metric.metric)")
        }
        lines.add(1, metric.name, values.count == 1 ? values[0] : .array(values))
      }
    }
    return lines.text
  }

  private func add(_ model: ModelReference, to lines: inout Lines) {
    lines.open(1, model.name)
    switch model.source {
    case .path(let path):
      lines.add(2, "path", .string(relative(path)))
      if let config = model.parts?.config { lines.add(2, "config", .string(relative(config))) }
      if let tokenizer = model.parts?.tokenizer { lines.add(2, "tokenizer", .string(relative(tokenizer))) }
    case .remote(let source): lines.add(2, source.scheme.rawValue, .string(source.text))
    case .run(let file, let address):
      lines.add(2, "run", .string("\(relative(file))::\(address)"))
    case .server(let server): add(server, to: &lines)
    }
    if let sha256 = model.sha256 { lines.add(2, "sha256", .string(sha256)) }
  }

  /// Its limits are no part of what is computed, and are left out.
  private func add(_ server: ServerModel, to lines: inout Lines) {
    if let serve = server.serve {
      lines.add(
        2, "serve",
        [
          "run": .array(serve.run.map { .string($0) }), "ready": .string(serve.ready),
          "path": .string(server.url),
        ])
    } else {
      lines.add(2, "server", .string(server.url))
    }
    if let model = server.model { lines.add(2, "model", .string(model)) }
    lines.add(2, "interface", .string(server.interface.rawValue))
    if server.serve == nil { lines.add(2, "identity", .string(server.identity)) }
    if server.attempt != 1 { lines.add(2, "attempt", .int(Int64(server.attempt))) }
    if let key = server.key {
      lines.add(
        2, "key",
        .object(
          JSONObject([("env", .string(key))] + (server.keyHeader.map { [("header", .string($0))] } ?? []))))
    }
    if server.body != .object(JSONObject()) { lines.add(2, "body", server.body) }
    if let reply = server.reply { lines.add(2, "reply", .string(reply)) }
    if let id = server.replyID { lines.add(2, "id", .string(id)) }
  }

  private func add(_ node: PlanNode, to lines: inout Lines) {
    lines.open(1, node.address)
    lines.add(2, "uses", .string(node.stage))
    lines.add(2, "seed", JSON(unsigned: node.seed))
    if node.numericMode != experiment.numericMode { lines.add(2, "numeric", .string(node.numericMode)) }
    add(node.inputs, to: &lines)
    add(node.execution, to: &lines)
    guard let options = node.options.objectValue, !options.members.isEmpty else { return }
    lines.open(2, "with")
    for option in options.members { add(option.value, at: option.key, option.key, 3, of: node, to: &lines) }
  }

  /// A port that collects has a list.
  private func add(_ inputs: [PlanInput], to lines: inout Lines) {
    if !inputs.isEmpty { lines.open(2, "in") }
    for (index, input) in inputs.enumerated()
    where !inputs[..<index].contains(where: { $0.port == input.port }) {
      let sources = inputs.filter { $0.port == input.port }.map { input -> JSON in
        switch input.source {
        case .model(let name): .string(name)
        case .node(let index, let output): .string("\(plan.nodes[index].address).\(output)")
        }
      }
      lines.add(3, input.port, input.label == nil ? sources[0] : .array(sources))
    }
  }

  /// Those that were written; each has its default otherwise.
  private func add(_ settings: ExecutionSettings, to lines: inout Lines) {
    let asked = settings.resources
    func seconds(_ value: Double?) -> JSON? {
      value.map { .string((Int(exactly: $0).map { "\($0)" } ?? JSON.double($0).text()) + "s") }
    }
    func bytes(_ value: Int?) -> JSON? {
      guard let value else { return nil }
      let text = ByteCount(value).text
      return ByteCount(text)?.bytes == value ? .string(text) : .int(Int64(value))
    }
    func count(_ value: Int?) -> JSON? { value.map { .int(Int64($0)) } }
    let values: [(name: String, value: JSON?)] = [
      ("shards", count(settings.shards)), ("retries", count(settings.retries)),
      ("timeout", seconds(settings.timeoutSeconds)), ("threads", count(settings.threads)),
      ("engine.memory", bytes(settings.engine["memory"]?.intValue)),
      ("engine.batch", settings.engine["batch"]),
      ("resources.cpus", count(asked.cpus)), ("resources.memory", bytes(asked.memoryBytes)),
      ("resources.time", seconds(asked.timeSeconds)), ("resources.gpus", count(asked.gpus)),
      ("checkpoint.seconds", .double(settings.checkpointSeconds)), ("keep", .string(settings.keep)),
    ]
    var group: Substring?
    for (name, value) in values {
      guard let value, let origin = settings.origins.first(where: { $0.option == name }) else { continue }
      let parts = name.split(separator: ".")
      if parts.count > 1, parts[0] != group { lines.open(2, String(parts[0])) }
      group = parts.count > 1 ? parts[0] : nil
      lines.add(1 + parts.count, String(parts[parts.count - 1]), value, comment: comment(origin))
    }
  }

  /// Mappings are opened up, so that each of their values stands beside its own place.
  private func add(
    _ value: JSON, at path: String, _ name: String, _ level: Int, of node: PlanNode, to lines: inout Lines
  ) {
    if let members = value.objectValue?.members, !members.isEmpty {
      lines.open(level, name)
      for member in members {
        add(member.value, at: "\(path).\(member.key)", member.key, level + 1, of: node, to: &lines)
      }
      return
    }
    lines.add(level, name, shown(value, at: path, of: node), comment: comment(path, of: node))
  }

  /// With the paths of files relative to the project.
  private func shown(_ value: JSON, at path: String, of node: PlanNode) -> JSON {
    let isFile = node.files.contains { UTF8Key($0.option) == UTF8Key(path) }
    if let elements = value.arrayValue {
      return .array(
        elements.enumerated().map { shown($1, at: isFile ? path : "\(path).\($0)", of: node) })
    }
    return isFile ? value.stringValue.map { .string(relative($0)) } ?? value : value
  }

  /// The place that set an option, or an element of it; a kind is set where its variant is.
  private func comment(_ option: String, of node: PlanNode) -> String? {
    guard showsOrigins else { return nil }
    let origin =
      node.origins.first { UTF8Key($0.option) == UTF8Key(option) }
      ?? node.origins.first { $0.option.hasPrefix(option + ".") }
    guard let origin else { return "default" }
    let isChosen = experiment.compatibility.map { ValueOrigin(origin.option, at: $0) == origin } ?? false
    return isChosen ? "compat: \(Compatibility.original.rawValue)" : text(origin)
  }

  private func comment(_ origin: ValueOrigin) -> String? { showsOrigins ? text(origin) : nil }

  private func text(_ origin: ValueOrigin) -> String { "\(origin.file):\(origin.line):\(origin.column)" }

  private func comment(_ span: SourceSpan) -> String? {
    showsOrigins ? "\(span.file.name):\(span.line):\(span.column)" : nil
  }

  private func relative(_ path: String) -> String {
    let prefix = experiment.projectRoot + "/"
    return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
  }
}

/// Block style for mappings, flow style for what is in them.
private struct Lines {
  private(set) var text = ""

  mutating func open(_ level: Int, _ key: String) { text += "\(indent(level))\(Self.scalar(key)):\n" }

  mutating func add(_ level: Int, _ key: String, _ value: JSON, comment: String? = nil) {
    text += "\(indent(level))\(Self.scalar(key)): \(Self.flow(value))"
    if let comment { text += "    # \(TerminalText.escaped(comment))" }
    text += "\n"
  }

  private func indent(_ level: Int) -> String { String(repeating: "  ", count: level) }

  /// JSON is YAML; strings that mean themselves are written without quotes.
  private static func flow(_ value: JSON) -> String {
    switch value {
    case .string(let text): scalar(text)
    case .array(let elements): "[" + elements.map { flow($0) }.joined(separator: ", ") + "]"
    case .object(let object):
      "{" + object.members.map { "\(scalar($0.key)): \(flow($0.value))" }.joined(separator: ", ") + "}"
    default: value.text()
    }
  }

  private static func scalar(_ text: String) -> String {
    let isPlain =
      text.utf8.count < 200
      && text.unicodeScalars.first.map { $0.isASCII && $0.properties.isAlphabetic } == true
      && text.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
          || "_-./@=".utf8.contains($0)
      }
    if isPlain, case .string = ScalarValue.resolve(plain: text) { return text }
    return TerminalText.escapedInQuotes(JSON.string(text).text())
  }
}

extension TerminalText {
  /// What a terminal must not see, as YAML's own escapes; `text` is in double quotes.
  fileprivate static func escapedInQuotes(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if needsEscape(scalar) {
        let hex = String(scalar.value, radix: 16, uppercase: true)
        result += "\\U" + String(repeating: "0", count: max(0, 8 - hex.utf8.count)) + hex
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension JSON {
  /// Seeds have 64 bits without a sign; beyond 63 they are words.
  fileprivate init(unsigned value: UInt64) {
    self = Int64(exactly: value).map { .int($0) } ?? .string(String(value))
  }
}
