// `models:`: where models come from.

import JSON
import System

struct ModelDecoder {
  let collector: DiagnosticCollector
  let paths: ProjectPaths

  /// The model of one entry. A wrong one is reported and still has its name, so that references to it are not
  /// reported too.
  func decode(_ entry: MappingEntry) -> Experiment.ModelEntry {
    collector.checkName(entry, "a model")
    let what = "model `\(entry.key)`"
    var decoded = source(entry.value, what: what)
    if case .server(var server)? = decoded?.source {
      server.name = entry.key
      decoded?.source = .server(server)
    }
    var model = ModelReference(
      name: entry.key, source: decoded?.source ?? .path(""), parts: decoded?.parts, sha256: decoded?.sha256)
    if model.server != nil { model.origins = ServerDecoder.origins(entry.value) }
    return Experiment.ModelEntry(model: model, identity: decoded?.identity ?? "", span: entry.keySpan)
  }

  private typealias Decoded = (
    source: ModelReference.Source, parts: ModelParts?, sha256: String?, identity: String
  )

  private func source(_ node: Node, what: String) -> Decoded? {
    if let text = node.string {
      collector.wrongType(
        node, what, expected: "a mapping that names the source of the model",
        help: text.contains(":") ? "write `{path: \(text), sha256: …}`" : "write `{path: \(text)}`")
      return nil
    }
    guard
      let fields = collector.fields(
        node, of: what, known: Language.model.names, aliases: Language.modelAliases)
    else { return nil }
    let sha256 = fields["sha256"].flatMap { digest($0, what: "`sha256` of \(what)") }
    let schemes = RemoteSource.Scheme.allCases
    let sources = (["path", "run", "server", "serve"] + schemes.map(\.rawValue)).compactMap(fields.entry)
    guard let source = sources.first else {
      collector.missingKey(
        "path", of: what, at: node.span,
        help: fields["model"] == nil
          ? "or `run`, `server`, `serve`, or one of `pypi`, `hf` and `https` with `sha256`"
          : "`model` is what a `server` calls it; a folder is a `path`")
      return nil
    }
    if sources.count > 1 {
      collector.error(
        .conflictingKeys, "\(what) has both `\(source.key)` and `\(sources[1].key)`",
        at: sources[1].keySpan,
        label: "only one is possible")
      return nil
    }
    let isServer = ["server", "serve"].contains { source.key.utf8.elementsEqual($0.utf8) }
    let foreign = isServer ? ["config", "tokenizer", "sha256"] : Language.serverOnly
    if let part = foreign.compactMap(fields.entry).first {
      collector.error(
        .conflictingKeys,
        isServer
          ? "\(what) has `\(part.key)`, which goes with weights that are here"
          : "\(what) has `\(part.key)`, which goes with a `server` alone",
        at: part.keySpan, label: "beside `\(source.key)`")
      return nil
    }
    if isServer {
      return ServerDecoder(collector: collector, what: what).decode(fields, at: source).map {
        (.server($0), nil, nil, "server:\($0.digest.hex)")
      }
    }
    let isRemotePath = source.value.string.flatMap(RemoteSource.scheme) != nil
    if isRemotePath || !source.key.utf8.elementsEqual("path".utf8),
      let part = ["config", "tokenizer"].compactMap(fields.entry).first
    {
      collector.error(
        .conflictingKeys, "\(what) has `\(part.key)`, which goes with a `path` in the project alone",
        at: part.keySpan, label: isRemotePath ? "beside a fetched model" : "beside `\(source.key)`")
      return nil
    }
    if let scheme = schemes.first(where: { UTF8Key($0.rawValue) == UTF8Key(source.key) }) {
      return fetched(source.value, scheme, fields, sha256, what: what, at: source.keySpan)
    }
    if source.key.utf8.elementsEqual("run".utf8) { return result(source.value, sha256, what: what) }
    if let scheme = source.value.string.flatMap(RemoteSource.scheme) {
      return fetched(source.value, scheme, fields, sha256, what: what, at: source.value.span)
    }
    return local(source.value, fields, sha256, what: what)
  }

  /// `path`, with `config` and `tokenizer` where they lie elsewhere.
  private func local(_ node: Node, _ fields: Fields, _ sha256: String?, what: String) -> Decoded? {
    var parts = ModelParts()
    var isWrong = false
    func part(_ key: String, _ expected: String) -> String? {
      guard let node = fields[key] else { return nil }
      let found = path(node, what: "`\(key)` of \(what)", expected: expected)
      if found == nil { isWrong = true }
      return found
    }
    parts.config = part("config", "a `config.json` or a folder with one")
    parts.tokenizer = part("tokenizer", "a `tokenizer.json` or a folder with a tokenizer")
    let isWhole = parts == ModelParts()
    guard
      let path = path(
        node, what: "`path` of \(what)",
        expected: isWhole ? "a directory or a GGUF file" : "a directory or a file of weights"),
      !isWrong
    else { return nil }
    let places = [("path", path), ("config", parts.config), ("tokenizer", parts.tokenizer)]
    let identity = places.compactMap { key, path in path.map { "\(key):\(paths.relative($0))" } }
    return (
      .path(path), isWhole ? nil : parts, sha256,
      sha256.map { "sha256:\($0)" } ?? identity.joined(separator: " ")
    )
  }

  /// `run: EXPERIMENT.yaml::ADDRESS` or `run: runs/NAME/ID::ADDRESS`.
  private func result(_ node: Node, _ sha256: String?, what: String) -> Decoded? {
    guard let text = collector.string(node, "`run` of \(what)") else { return nil }
    guard let result = ResultAddress(text) else {
      collector.wrongType(
        node, "`run` of \(what)", expected: "`EXPERIMENT.yaml::ADDRESS` or `runs/NAME/ID::ADDRESS`",
        help: "such as `sft.yaml::train.model`")
      return nil
    }
    switch paths.resolve(result.file, from: (node.origin ?? node.span).file.folder) {
    case .success(let found):
      return (
        .run(file: found.path, address: result.address), nil, sha256,
        sha256.map { "sha256:\($0)" } ?? "run:\(paths.relative(found.path))::\(result.address)"
      )
    case .failure(.unreadable(let resolved, let reason)):
      collector.error(
        .missingFile, "`run` of \(what) names `\(result.file)`, which cannot be read: \(reason)",
        at: node.span,
        label: "looked for `\(resolved)`")
    case .failure(.outside(let resolved)):
      collector.outsideProject(result.file, node, what, resolved: resolved, paths)
    }
    return nil
  }

  private func fetched(
    _ node: Node, _ scheme: RemoteSource.Scheme, _ fields: Fields, _ sha256: String?, what: String,
    at span: SourceSpan
  ) -> Decoded? {
    guard let text = collector.string(node, "the source of \(what)") else { return nil }
    let source = RemoteSource(text, scheme)
    if source == nil {
      let prefix = RemoteSource.scheme(of: text) == scheme ? "\(scheme.rawValue):" : ""
      collector.wrongType(node, "the source of \(what)", expected: "`\(prefix)\(scheme.form)`")
    }
    if fields["sha256"] == nil {
      let command = source.map {
        "`\(Program.name) inspect \(scheme.rawValue):\($0.text)` fetches it and prints the SHA-256"
      }
      collector.missingKey(
        "sha256", of: what, at: span,
        help: "what is downloaded is checked against its SHA-256" + (command.map { "; \($0)" } ?? ""))
    }
    guard let source, let sha256 else { return nil }
    return (.remote(source), nil, sha256, "sha256:\(sha256)")
  }

  private func digest(_ node: Node, what: String) -> String? {
    let text = node.scalar?.text.lowercased()
    if let text, let digest = Digest(hex: text) { return digest.hex }
    collector.wrongType(node, what, expected: "a SHA-256 of 64 hexadecimal digits")
    return nil
  }

  /// A model that is not there yet is a warning here; a run refuses it.
  private func path(_ node: Node, what: String, expected: String) -> String? {
    guard let text = collector.string(node, what) else { return nil }
    guard !text.isEmpty else {
      collector.wrongType(node, what, expected: "a path")
      return nil
    }
    switch paths.resolve(text, from: (node.origin ?? node.span).file.folder) {
    case .success((let path, .other(let kind))):
      collector.error(
        .notAFile, "\(what) must name \(expected), `\(text)` is \(kind)", at: node.span,
        label: kind, notes: collector.originNotes(node))
      return path
    case .success(let found): return found.path
    case .failure(.unreadable(let resolved, let reason)):
      collector.warning(
        .missingModel, "\(what) names `\(text)`, which cannot be read: \(reason)", at: node.span,
        label: "looked for `\(resolved)`", notes: collector.originNotes(node),
        lack: "the model at `\(text)` is missing")
      return resolved
    case .failure(.outside(let resolved)):
      collector.outsideProject(text, node, what, resolved: resolved, paths)
      return nil
    }
  }
}
