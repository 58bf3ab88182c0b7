// `{env: NAME}`: the variable that holds a secret. Only its name is kept.

import System

extension DiagnosticCollector {
  /// The name of a variable, which may be without a value here.
  /// - Parameters:
  ///   - variable: what stands behind `env`.
  ///   - what: what is secret, for messages.
  ///   - node: the mapping.
  /// - Returns: nil for a wrong one, which is reported.
  func variableName(_ variable: Node, of what: String, at node: Node) -> String? {
    guard let name = string(variable, "`env` of \(what)") else { return nil }
    guard isVariableName(name) else {
      error(
        .badName, "`\(name)` cannot be the name of an environment variable", at: variable.span,
        label: "not a name", notes: originNotes(node),
        help: "letters, digits and `_`, not beginning with a digit")
      return nil
    }
    if environmentValue(name) == nil {
      warning(
        .missingVariable, "\(what) uses the environment variable `\(name)`, which is not set or empty",
        at: node.span, label: "has no value here", notes: originNotes(node),
        help: "set it for `\(Program.name) run`; only its name is stored",
        lack: "the environment variable `\(name)` is not set")
    }
    return name
  }
}

private func isVariableName(_ name: String) -> Bool {
  !name.isEmpty && !(0x30...0x39).contains(name.utf8.first ?? 0x30)
    && name.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
        || $0 == UInt8(ascii: "_")
    }
}
