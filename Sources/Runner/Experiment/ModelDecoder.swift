// `models:`: where models come from.

import JSON

struct ModelDecoder {
  let collector: DiagnosticCollector
  let paths: ProjectPaths

  /// The model of one entry. A wrong one is reported and still has its name, so that references to it are not
  /// reported too.
  func decode(_ entry: MappingEntry) -> Experiment.ModelEntry {
    collector.checkName(entry, "a model")
    let what = "model `\(entry.key)`"
    let decoded = source(entry.value, what: what)
    let model = PlanModel(
      name: entry.key, source: decoded?.source ?? .path(""), sha256: decoded?.sha256)
    return Experiment.ModelEntry(model: model, identity: decoded?.identity ?? "", span: entry.keySpan)
  }

  private typealias Decoded = (source: PlanModel.Source, sha256: String?, identity: String)

  private func source(_ node: Node, what: String) -> Decoded? {
    if let text = node.string {
      collector.wrongType(
        node, what, expected: "a mapping that says where the model comes from",
        help: text.contains(":") ? "write `{path: \(text), sha256: …}`" : "write `{path: \(text)}`")
      return nil
    }
    guard
      let fields = collector.fields(
        node, of: what, known: Language.model.names, notBuilt: ["hf", "https"])
    else { return nil }
    if fields["hf"] != nil || fields["https"] != nil { return nil }
    let sha256 = fields["sha256"].flatMap { digest($0, what: "`sha256` of \(what)") }
    if let run = fields.entry("run") {
      for other in ["path", "pypi"] {
        guard let entry = fields.entry(other) else { continue }
        collector.error(
          "conflicting-keys", "\(what) has both `run` and `\(other)`", at: entry.keySpan,
          label: "one too many")
        return nil
      }
      return result(run.value, sha256, what: what)
    }
    switch (fields["path"], fields.entry("pypi")) {
    case (let path?, nil) where Self.scheme(path) == "pypi":
      return downloaded(path, prefix: "pypi:", fields, sha256, what: what, at: path.span)
    case (let path?, nil):
      if let scheme = Self.scheme(path) {
        collector.notBuiltYet("a model from `\(scheme):`", at: path.span)
        return nil
      }
      guard let path = self.path(path, what: "`path` of \(what)") else { return nil }
      return (.path(path), sha256, sha256.map { "sha256:\($0)" } ?? "path:\(paths.relative(path))")
    case (nil, let pypi?):
      return downloaded(pypi.value, prefix: "", fields, sha256, what: what, at: pypi.keySpan)
    case (_?, let pypi?):
      collector.error(
        "conflicting-keys", "\(what) has both `path` and `pypi`", at: pypi.keySpan, label: "one too many")
    case (nil, nil):
      collector.missingKey("path", of: what, at: node.span, help: "or `pypi` with `sha256`")
    }
    return nil
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
        .run(file: found.path, address: result.address), sha256,
        sha256.map { "sha256:\($0)" } ?? "run:\(paths.relative(found.path))::\(result.address)"
      )
    case .failure(.unreadable(let resolved, let reason)):
      collector.error(
        "missing-file", "`run` of \(what) names `\(result.file)`, which cannot be read: \(reason)",
        at: node.span,
        label: "looked for `\(resolved)`")
    case .failure(.outside(let resolved)):
      collector.outsideProject(result.file, node, what, resolved: resolved, paths)
    }
    return nil
  }

  /// `pypi:`, `hf:` and the like before a source that is not a path.
  private static func scheme(_ node: Node) -> String? {
    guard let text = node.string else { return nil }
    return ["pypi", "hf", "https", "http"].first { text.hasPrefix($0 + ":") }
  }

  private func downloaded(
    _ node: Node, prefix: String, _ fields: Fields, _ sha256: String?, what: String, at span: SourceSpan
  ) -> Decoded? {
    if fields["sha256"] == nil {
      collector.missingKey(
        "sha256", of: what, at: span, help: "what is downloaded is checked against its SHA-256")
    }
    guard let source = pypi(node, prefix: prefix, what: what), let sha256 else { return nil }
    return (source, sha256, "sha256:\(sha256)")
  }

  private func digest(_ node: Node, what: String) -> String? {
    let text = node.scalar?.text.lowercased()
    if let text, let digest = Digest(hex: text) { return digest.hex }
    collector.wrongType(node, what, expected: "a SHA-256 of 64 hexadecimal digits")
    return nil
  }

  /// A model that is not there yet is a warning here; a run refuses it.
  private func path(_ node: Node, what: String) -> String? {
    guard let text = collector.string(node, what) else { return nil }
    guard !text.isEmpty else {
      collector.wrongType(node, what, expected: "a path")
      return nil
    }
    switch paths.resolve(text, from: (node.origin ?? node.span).file.folder) {
    case .success(let found): return found.path
    case .failure(.unreadable(let resolved, let reason)):
      collector.warning(
        "missing-model", "\(what) names `\(text)`, which cannot be read: \(reason)", at: node.span,
        label: "looked for `\(resolved)`", notes: collector.originNotes(node))
      return resolved
    case .failure(.outside(let resolved)):
      collector.outsideProject(text, node, what, resolved: resolved, paths)
      return nil
    }
  }

  private func pypi(_ node: Node, prefix: String, what: String) -> PlanModel.Source? {
    guard let text = collector.string(node, "the source of \(what)") else { return nil }
    if let source = PlanModel.Source(
      pypi: String(decoding: text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
    {
      return source
    }
    collector.wrongType(node, "the source of \(what)", expected: "`\(prefix)PACKAGE==VERSION/FILE`")
    return nil
  }
}

extension PlanModel.Source {
  /// `package==version/file/inside/the/wheel`; nil for anything else.
  package init?(pypi text: String) {
    let bytes = Array(text.utf8)
    func isWord(_ bytes: ArraySlice<UInt8>, extra: String) -> Bool {
      !bytes.isEmpty && bytes.first != UInt8(ascii: "-")
        && bytes.allSatisfy {
          (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
            || extra.utf8.contains($0)
        }
    }
    let equals = bytes.indices.first { bytes[$0...].starts(with: Array("==".utf8)) }
    if let equals, let slash = bytes[equals...].firstIndex(of: UInt8(ascii: "/")) {
      let package = bytes[..<equals]
      let version = bytes[(equals + 2)..<slash]
      let file = String(decoding: bytes[(slash + 1)...], as: UTF8.self)
      let parts = file.split(separator: "/", omittingEmptySubsequences: false)
      let isInside = parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
      if isWord(package, extra: "._-"), isWord(version, extra: "._+!-"), isInside {
        self = .pypi(
          package: String(decoding: package, as: UTF8.self),
          version: String(decoding: version, as: UTF8.self), file: file)
        return
      }
    }
    return nil
  }
}
