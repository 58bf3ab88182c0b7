// libyaml's events as Swift values, pulled one at a time. The one file that imports CYAML.

import CYAML

/// What libyaml saw. Offsets are in bytes of the text it was given.
struct YAMLEvent {
  enum Kind {
    case streamStart, streamEnd, sequenceEnd, mappingEnd
    /// With `---`
    case documentStart(isExplicit: Bool)
    /// With `...`
    case documentEnd(isExplicit: Bool)
    /// Flow style is `[a]` and `{a: b}`.
    case sequenceStart(isFlow: Bool)
    case mappingStart(isFlow: Bool)
    case alias(String)
    case scalar(String, ScalarStyle)
  }
  enum ScalarStyle { case plain, singleQuoted, doubleQuoted, literal, folded }
  var kind: Kind
  var anchor: String?
  var tag: String?
  var start: Int
  var end: Int
}

/// A text that is not YAML, in libyaml's words.
struct YAMLProblem: Error {
  var problem: String
  var offset: Int
  /// What was being read, and where it began.
  var context: String?
  var contextOffset: Int
}

/// A pull parser over bytes that are already known to be UTF-8 without NUL.
/// Never asked for more events than its user wants to see: libyaml itself bounds neither depth nor size.
final class LibYAML {
  // SAFETY: both allocations live exactly as long as this object; libyaml keeps pointers into them.
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let input: UnsafeMutableBufferPointer<UInt8>
  /// Byte offset of every character; nil when they are the same number. libyaml counts characters.
  private let offsets: [Int]?

  init(_ bytes: ArraySlice<UInt8>) {
    parser = .allocate(capacity: 1)
    input = .allocate(capacity: max(1, bytes.count))
    _ = input.initialize(from: bytes)
    if bytes.allSatisfy({ $0 < 0x80 }) {
      offsets = nil
    } else {
      var table: [Int] = []
      table.reserveCapacity(bytes.count)
      for (index, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 { table.append(index) }
      table.append(bytes.count)
      offsets = table
    }
    precondition(yaml_parser_initialize(parser) == 1, "libyaml found no memory")
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
    input.deallocate()
  }

  private func offset(_ mark: yaml_mark_t) -> Int {
    let index = Int(clamping: mark.index)
    guard let offsets else { return index }
    return offsets[min(index, offsets.count - 1)]
  }

  /// - Throws: `YAMLProblem`; nothing may be asked after that.
  func next() throws(YAMLProblem) -> YAMLEvent {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { throw problem() }
    defer { yaml_event_delete(&event) }
    var result = YAMLEvent(
      kind: .streamEnd, anchor: nil, tag: nil, start: offset(event.start_mark),
      end: offset(event.end_mark))
    switch event.type {
    case YAML_STREAM_START_EVENT: result.kind = .streamStart
    case YAML_DOCUMENT_START_EVENT:
      result.kind = .documentStart(isExplicit: event.data.document_start.implicit == 0)
    case YAML_DOCUMENT_END_EVENT:
      result.kind = .documentEnd(isExplicit: event.data.document_end.implicit == 0)
    case YAML_SEQUENCE_END_EVENT: result.kind = .sequenceEnd
    case YAML_MAPPING_END_EVENT: result.kind = .mappingEnd
    case YAML_ALIAS_EVENT: result.kind = .alias(text(event.data.alias.anchor) ?? "")
    case YAML_SEQUENCE_START_EVENT:
      result.kind = .sequenceStart(isFlow: event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE)
      result.anchor = text(event.data.sequence_start.anchor)
      result.tag = text(event.data.sequence_start.tag)
    case YAML_MAPPING_START_EVENT:
      result.kind = .mappingStart(isFlow: event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE)
      result.anchor = text(event.data.mapping_start.anchor)
      result.tag = text(event.data.mapping_start.tag)
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let value = UnsafeBufferPointer(start: scalar.value, count: Int(clamping: scalar.length))
      result.kind = .scalar(String(decoding: value, as: UTF8.self), style(scalar.style))
      result.anchor = text(scalar.anchor)
      result.tag = text(scalar.tag)
    default: result.kind = .streamEnd
    }
    return result
  }

  private func style(_ style: yaml_scalar_style_t) -> YAMLEvent.ScalarStyle {
    switch style {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
    case YAML_LITERAL_SCALAR_STYLE: .literal
    case YAML_FOLDED_SCALAR_STYLE: .folded
    default: .plain
    }
  }

  private func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    guard let pointer else { return nil }
    return String(decodingCString: pointer, as: UTF8.self)
  }

  private func problem() -> YAMLProblem {
    let state = parser.pointee
    let words = state.problem.map { String(cString: $0) } ?? "not YAML"
    switch state.error {
    case YAML_SCANNER_ERROR, YAML_PARSER_ERROR:
      let context = state.context.map { String(cString: $0) }
      return YAMLProblem(
        problem: words, offset: offset(state.problem_mark), context: context,
        contextOffset: offset(state.context_mark))
    case YAML_READER_ERROR:
      return YAMLProblem(
        problem: words, offset: Int(clamping: state.problem_offset), context: nil, contextOffset: 0)
    case YAML_MEMORY_ERROR:
      return YAMLProblem(problem: "out of memory", offset: offset(state.mark), contextOffset: 0)
    default:
      return YAMLProblem(problem: words, offset: offset(state.mark), contextOffset: 0)
    }
  }
}
