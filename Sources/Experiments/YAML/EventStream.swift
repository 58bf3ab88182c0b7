// The events of a YAML text, a line each, in the format of the yaml-test-suite: `+MAP {}`, `=VAL :text`.

import JSON

/// What `plumb yaml events` shows: structure and text as libyaml sees them, before tags, keys and values get a meaning.
package enum EventStream {
  /// Hands every line, without its line break, to `line`, until the end or the first mistake.
  /// - Returns: the mistake, if there is one: not UTF-8, not YAML, nested too deep, an alias without its anchor.
  package static func read(_ file: SourceFile, line: (String) throws -> Void) rethrows -> DiagnosticList {
    let collector = DiagnosticCollector()
    guard let base = TextCheck.start(of: file, collector) else { return collector.list }
    let parser = LibYAML(file.bytes[base...])
    var anchors = AnchorNames()
    var depth = 0
    while true {
      let event: YAMLEvent
      do throws(YAMLProblem) {
        event = try parser.next()
      } catch {
        collector.add(.syntax(error, in: file, base: base))
        return collector.list
      }
      let span = SourceSpan(file: file, start: base + event.start, end: base + event.end)
      switch event.kind {
      case .documentStart: anchors = AnchorNames()
      case .sequenceStart, .mappingStart: depth += 1
      case .sequenceEnd, .mappingEnd: depth -= 1
      case .alias(let name) where !anchors.contains(name):
        collector.add(.undefinedAlias(name, at: span, anchors: anchors.names))
        return collector.list
      default: break
      }
      guard depth <= Document.maximumDepth else {
        collector.add(.tooDeep(at: span))
        return collector.list
      }
      if let anchor = event.anchor { anchors.insert(anchor) }
      try line(text(of: event))
      if case .streamEnd = event.kind { return collector.list }
    }
  }

  private static func text(of event: YAMLEvent) -> String {
    switch event.kind {
    case .streamStart: "+STR"
    case .streamEnd: "-STR"
    case .documentStart(let isExplicit): isExplicit ? "+DOC ---" : "+DOC"
    case .documentEnd(let isExplicit): isExplicit ? "-DOC ..." : "-DOC"
    case .sequenceStart(let isFlow): "+SEQ" + (isFlow ? " []" : "") + properties(event)
    case .sequenceEnd: "-SEQ"
    case .mappingStart(let isFlow): "+MAP" + (isFlow ? " {}" : "") + properties(event)
    case .mappingEnd: "-MAP"
    case .alias(let name): "=ALI *\(name)"
    case .scalar(let text, let style): "=VAL\(properties(event)) \(indicator(style))\(escaped(text))"
    }
  }

  private static func properties(_ event: YAMLEvent) -> String {
    (event.anchor.map { " &\($0)" } ?? "") + (event.tag.map { " <\($0)>" } ?? "")
  }

  private static func indicator(_ style: YAMLEvent.ScalarStyle) -> String {
    switch style {
    case .plain: ":"
    case .singleQuoted: "'"
    case .doubleQuoted: "\""
    case .literal: "|"
    case .folded: ">"
    }
  }

  /// The escapes of the format; every other character stands for itself.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\0": result += "\\0"
      case "\u{8}": result += "\\b"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

/// The anchors written so far in a document.
private struct AnchorNames {
  private(set) var names: [String] = []
  private var keys: Set<UTF8Key> = []

  mutating func insert(_ name: String) {
    if keys.insert(UTF8Key(name)).inserted { names.append(name) }
  }

  func contains(_ name: String) -> Bool { keys.contains(UTF8Key(name)) }
}
