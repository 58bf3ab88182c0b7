// The yaml-test-suite where it lies beside the project, and what bare libyaml makes of each case.

import CYAML
import Foundation

enum YAMLTestSuite {
  static let folder = "\(Fixtures.shared)/conformance/yaml-test-suite"
  static let isPresent = FileManager.default.fileExists(atPath: folder)

  struct Case {
    var name: String
    var input: [UInt8]
    /// Nil when the input must be refused.
    var events: String?

    func isRight(_ events: String?) -> Bool { events == self.events }
  }

  static func cases() throws -> [Case] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted().compactMap { name in
      let files = FileManager.default
      guard let input = files.contents(atPath: "\(folder)/\(name)/in.yaml") else { return nil }
      let mustFail = files.fileExists(atPath: "\(folder)/\(name)/error")
      let events = files.contents(atPath: "\(folder)/\(name)/test.event") ?? Data()
      return Case(
        name: name, input: Array(input), events: mustFail ? nil : String(decoding: events, as: UTF8.self))
    }
  }

  /// libyaml asked directly, by nothing that Plumb uses: the peer that Plumb is held against.
  /// - Returns: its events in the suite's format, or nil when it refuses.
  static func libyaml(_ input: [UInt8]) -> String? {
    var parser = yaml_parser_t()
    guard yaml_parser_initialize(&parser) == 1 else { return nil }
    defer { yaml_parser_delete(&parser) }
    return input.withUnsafeBufferPointer { bytes in
      yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
      var text = ""
      while true {
        var event = yaml_event_t()
        guard yaml_parser_parse(&parser, &event) == 1 else { return nil }
        defer { yaml_event_delete(&event) }
        text += line(event) + "\n"
        if event.type == YAML_STREAM_END_EVENT { return text }
      }
    }
  }

  private static func line(_ event: yaml_event_t) -> String {
    func string(_ pointer: UnsafeMutablePointer<yaml_char_t>?, _ before: String, _ after: String = "")
      -> String
    {
      pointer.map { before + String(decodingCString: $0, as: UTF8.self) + after } ?? ""
    }
    let data = event.data
    switch event.type {
    case YAML_STREAM_START_EVENT: return "+STR"
    case YAML_STREAM_END_EVENT: return "-STR"
    case YAML_DOCUMENT_START_EVENT: return data.document_start.implicit == 1 ? "+DOC" : "+DOC ---"
    case YAML_DOCUMENT_END_EVENT: return data.document_end.implicit == 1 ? "-DOC" : "-DOC ..."
    case YAML_SEQUENCE_END_EVENT: return "-SEQ"
    case YAML_MAPPING_END_EVENT: return "-MAP"
    case YAML_ALIAS_EVENT: return "=ALI" + string(data.alias.anchor, " *")
    case YAML_SEQUENCE_START_EVENT:
      let start = data.sequence_start
      return "+SEQ" + (start.style == YAML_FLOW_SEQUENCE_STYLE ? " []" : "") + string(start.anchor, " &")
        + string(start.tag, " <", ">")
    case YAML_MAPPING_START_EVENT:
      let start = data.mapping_start
      return "+MAP" + (start.style == YAML_FLOW_MAPPING_STYLE ? " {}" : "") + string(start.anchor, " &")
        + string(start.tag, " <", ">")
    default:
      let scalar = data.scalar
      let bytes = UnsafeBufferPointer(start: scalar.value, count: Int(scalar.length))
      var value = String(decoding: bytes, as: UTF8.self)
      for (character, escape) in [
        ("\\", "\\\\"), ("\0", "\\0"), ("\u{8}", "\\b"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"),
      ] {
        value = value.replacingOccurrences(of: character, with: escape, options: .literal)
      }
      let style = [
        YAML_PLAIN_SCALAR_STYLE.rawValue: ":", YAML_SINGLE_QUOTED_SCALAR_STYLE.rawValue: "'",
        YAML_DOUBLE_QUOTED_SCALAR_STYLE.rawValue: "\"", YAML_LITERAL_SCALAR_STYLE.rawValue: "|",
        YAML_FOLDED_SCALAR_STYLE.rawValue: ">",
      ]
      return "=VAL" + string(scalar.anchor, " &") + string(scalar.tag, " <", ">") + " "
        + (style[scalar.style.rawValue] ?? "?") + value
    }
  }
}
