// What stands beside `with:`: how to run, never what the result is. Also `defaults:`.

import JSON

struct ExecutionDecoder {
  let collector: DiagnosticCollector
  /// For messages: the stage, or `defaults`.
  let what: String
  private(set) var settings: ExecutionSettings

  /// `base` with what `fields` says on top; mappings merge key by key.
  static func decode(
    _ fields: Fields, of what: String, over base: ExecutionSettings, _ collector: DiagnosticCollector
  ) -> ExecutionSettings {
    var decoder = ExecutionDecoder(collector: collector, what: what, settings: base)
    decoder.decode(fields)
    return decoder.settings
  }

  private mutating func decode(_ fields: Fields) {
    let old = settings
    settings.shards = read("shards", of: fields) { $0.integer($1, $2, Language.shards) } ?? old.shards
    settings.threads = read("threads", of: fields) { $0.integer($1, $2, Language.threads) } ?? old.threads
    settings.retries = read("retries", of: fields) { $0.integer($1, $2, Language.retries) } ?? old.retries
    settings.timeoutSeconds = read("timeout", of: fields) { $0.seconds($1, $2) } ?? old.timeoutSeconds
    settings.keep = read("keep", of: fields) { $0.choice($1, $2, Language.keep) } ?? old.keep
    if let inner = mapping("checkpoint", of: fields, known: Language.checkpoint) {
      settings.checkpointSeconds =
        read("checkpoint.seconds", of: inner) {
          $0.number($1, $2, Language.checkpointSeconds, exclusiveMinimum: true)
        } ?? old.checkpointSeconds
      if inner["seconds"] == nil {
        collector.missingKey("seconds", of: "`checkpoint` of \(what)", at: inner.span)
      }
    }
    if let inner = mapping("engine", of: fields, known: Language.engine) {
      var engine = old.engine.objectValue ?? JSONObject()
      if let bytes = read("engine.memory", of: inner, as: { $0.byteCount($1, $2) }) {
        engine["memory"] = .int(Int64(bytes))
      }
      if let count = read("engine.batch", of: inner, as: { $0.integer($1, $2, Language.batch) }) {
        engine["batch"] = .int(Int64(count))
      }
      settings.engine = .object(engine)
    }
    if let inner = mapping("resources", of: fields, known: Language.resources) {
      let asked = old.resources
      settings.resources = Resources(
        cpus: read("resources.cpus", of: inner) { $0.integer($1, $2, Language.cpus) } ?? asked.cpus,
        memoryBytes: read("resources.memory", of: inner) { $0.byteCount($1, $2) } ?? asked.memoryBytes,
        timeSeconds: read("resources.time", of: inner) { $0.seconds($1, $2) } ?? asked.timeSeconds,
        gpus: read("resources.gpus", of: inner) { $0.integer($1, $2, Language.gpus) } ?? asked.gpus)
    }
  }

  private func mapping(_ name: String, of fields: Fields, known: [LanguageKey]) -> Fields? {
    fields[name].flatMap { collector.fields($0, of: "`\(name)` of \(what)", known: known.names) }
  }

  /// - Parameter name: dotted; its last part is the key in `fields`.
  private mutating func read<Value>(
    _ name: String, of fields: Fields, as decode: (DiagnosticCollector, Node, String) -> Value?
  ) -> Value? {
    guard let node = fields[name.split(separator: ".").last.map { String($0) } ?? name],
      let value = decode(collector, node, "`\(name)` of \(what)")
    else { return nil }
    settings.origins.removeAll { UTF8Key($0.option) == UTF8Key(name) }
    settings.origins.append(ValueOrigin(name, at: node.origin ?? node.span))
    return value
  }
}
