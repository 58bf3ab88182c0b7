// Secrets written into a document: refused, wherever they stand, before anything else looks at the values.

struct SecretCheck {
  let collector: DiagnosticCollector

  /// A whole document, which mostly holds none and is then not built again.
  func cleaned(document root: Node) -> Node { mayHoldSecret(root) ? cleaned(root) : root }

  private func mayHoldSecret(_ node: Node) -> Bool {
    switch node.content {
    case .invalid: false
    case .scalar(let scalar): SecretText.holdsKey(scalar.text)
    case .sequence(let nodes): nodes.contains { mayHoldSecret($0) }
    case .mapping(let entries):
      entries.contains {
        SecretText.holdsKey($0.key) || SecretText.isName($0.key) || mayHoldSecret($0.value)
      }
    }
  }

  /// The node without its secrets: each is reported and passed over from then on, so that no later message shows it.
  func cleaned(_ node: Node) -> Node {
    var result = node
    switch node.content {
    case .invalid: break
    case .scalar(let scalar):
      guard SecretText.holdsKey(scalar.text) else { return node }
      report("a value looks like a secret", at: node.span, help: "write `{env: NAME}`")
      result.content = .invalid
    case .sequence(let nodes): result.content = .sequence(nodes.map { cleaned($0) })
    case .mapping(let entries):
      result.content = .mapping(
        entries.map { entry in
          var entry = entry
          if SecretText.holdsKey(entry.key) {
            report("a key looks like a secret", at: entry.keySpan, help: "write `{env: NAME}` as a value")
          }
          entry.value = cleaned(entry.value, under: entry.key, at: entry.keySpan)
          return entry
        })
    }
    return result
  }

  /// The value of a key (or of a parameter on the command line).
  func cleaned(_ node: Node, under key: String, at span: SourceSpan) -> Node {
    guard SecretText.isName(key), isLiteral(node, under: key) else { return cleaned(node) }
    var variable = ""
    for scalar in key.uppercased().unicodeScalars {
      variable.unicodeScalars.append(
        ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar) ? scalar : "_")
    }
    report(
      "the key `\(key)` holds a secret in plain text", at: span, help: "write `\(key): {env: \(variable)}`")
    return Node(.invalid, span: node.span)
  }

  private func report(_ message: String, at span: SourceSpan, help: String) {
    collector.error(
      .literalSecret, message, at: span, label: "must not be in a file",
      help: "\(help) and set that variable; only its name is stored and shown")
  }

  /// A parameter's value is judged where it is written. A number under `token` is a token's id.
  private func isLiteral(_ node: Node, under key: String) -> Bool {
    switch node.scalar?.value {
    case .string(let text): !text.isEmpty && !text.hasPrefix("$")
    case .int, .largeInteger, .double: !key.lowercased().contains("token")
    case .bool, .null, nil: false
    }
  }
}
