// What stands beside `with:`: how to run, never what the result is. Also `defaults:`.

import JSON

struct ExecutionDecoder {
  let collector: DiagnosticCollector

  /// `base` with what `fields` says on top; mappings merge key by key.
  func decode(_ fields: Fields, of what: String, over base: ExecutionSettings) -> ExecutionSettings {
    var settings = base
    if let node = fields["shards"] {
      settings.shards = collector.integer(node, "`shards` of \(what)", Language.shards) ?? settings.shards
    }
    if let node = fields["threads"] {
      settings.threads = collector.integer(node, "`threads` of \(what)", Language.threads) ?? settings.threads
    }
    if let node = fields["retries"] {
      settings.retries = collector.integer(node, "`retries` of \(what)", Language.retries) ?? settings.retries
    }
    if let node = fields["timeout"] {
      settings.timeoutSeconds = collector.seconds(node, "`timeout` of \(what)") ?? settings.timeoutSeconds
    }
    if let node = fields["keep"] {
      settings.keep = collector.choice(node, "`keep` of \(what)", Language.keep) ?? settings.keep
    }
    if let node = fields["checkpoint"],
      let inner = collector.fields(node, of: "`checkpoint` of \(what)", known: Language.checkpoint.names)
    {
      if let seconds = inner["seconds"] {
        settings.checkpointSeconds =
          collector.number(
            seconds, "`checkpoint.seconds` of \(what)", Language.checkpointSeconds, exclusiveMinimum: true)
          ?? settings.checkpointSeconds
      } else {
        collector.missingKey("seconds", of: "`checkpoint` of \(what)", at: node.span)
      }
    }
    if let node = fields["engine"] { settings.engine = engine(node, of: what, over: settings.engine) }
    if let node = fields["resources"] {
      settings.resources = resources(node, of: what, over: settings.resources)
    }
    return settings
  }

  /// What stages hear of how to compute: `memory` in bytes, `batch` as a count.
  private func engine(_ node: Node, of what: String, over base: JSON) -> JSON {
    guard let fields = collector.fields(node, of: "`engine` of \(what)", known: Language.engine.names) else {
      return base
    }
    var members = base.objectValue ?? JSONObject()
    if let node = fields["memory"], let bytes = collector.byteCount(node, "`engine.memory` of \(what)") {
      members["memory"] = .int(Int64(bytes))
    }
    if let node = fields["batch"],
      let count = collector.integer(node, "`engine.batch` of \(what)", Language.batch)
    {
      members["batch"] = .int(Int64(count))
    }
    return .object(members)
  }

  private func resources(_ node: Node, of what: String, over base: Resources) -> Resources {
    let name = "`resources` of \(what)"
    guard let fields = collector.fields(node, of: name, known: Language.resources.names) else {
      return base
    }
    var result = base
    if let node = fields["cpus"] {
      result.cpus = collector.integer(node, "`resources.cpus` of \(what)", Language.cpus) ?? result.cpus
    }
    if let node = fields["gpus"] {
      result.gpus = collector.integer(node, "`resources.gpus` of \(what)", Language.gpus) ?? result.gpus
    }
    if let node = fields["memory"] {
      result.memoryBytes = collector.byteCount(node, "`resources.memory` of \(what)") ?? result.memoryBytes
    }
    if let node = fields["time"] {
      result.timeSeconds = collector.seconds(node, "`resources.time` of \(what)") ?? result.timeSeconds
    }
    return result
  }
}
