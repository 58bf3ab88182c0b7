// The types that options may have, each with the Swift type of its values.

import Glibc
import JSON

/// What may be written for an option, and the Swift value that it becomes.
public struct OptionValueType<Value>: Sendable {
  package let type: OptionType
  /// Of a value that the decoder of experiments gave, complete; nil for any other.
  let decode: @Sendable (JSON) -> Value?
}

extension OptionValueType where Value == Bool {
  public static var bool: Self { Self(type: .bool) { $0.boolValue } }
}

extension OptionValueType where Value == Int {
  public static func integer(_ range: ClosedRange<Int>) -> Self {
    Self(type: .integer(range)) { $0.intValue }
  }
}

extension OptionValueType where Value == Double {
  /// Finite. `exclusiveMinimum` wins over the range's lower bound: `.number(0...1, exclusiveMinimum: true)`. A number that the stage
  /// computes with as a `Float` is `single`: what would become 0 or infinite there is refused.
  public static func number(
    _ range: ClosedRange<Double>, exclusiveMinimum: Bool = false, single: Bool = false
  ) -> Self {
    Self(type: .number(range, exclusiveMinimum: exclusiveMinimum, single: single)) { $0.doubleValue }
  }
}

extension OptionValueType where Value == String {
  public static var string: Self {
    Self(type: .string) { value in
      if let text = value.stringValue { return text }
      guard let name = value["env"]?.stringValue, value.objectValue?.count == 1 else { return nil }
      return getenv(name).map { String(cString: $0) } ?? ""
    }
  }

  /// A file of the project, written relative to the experiment file. Its value is the absolute path; what enters the key is the
  /// file's content hash, never the path.
  public static var file: Self { Self(type: .file) { $0.stringValue } }
}

extension OptionValueType where Value == [String] {
  /// Data files of the project, written as a file, a pattern (`data/*.jsonl`), a folder that is laid out as on the Hugging Face hub, a
  /// data set of the hub (`{hf: datasets/OWNER/NAME@REVISION, sha256: …}`), or a list of these. Its value is their absolute paths in the order
  /// in which they are to be read, none where a check is made before a data set was fetched; what enters the key is their content, never a name. `split` and `config` name the options beside it, each a text or null, that choose among the files of a folder.
  public static func files(split: String, config: String) -> Self {
    Self(type: .files(split: split, config: config)) { value in
      let values = value.arrayValue ?? [value]
      guard values.allSatisfy({ $0.stringValue != nil || $0.objectValue != nil }) else { return nil }
      // Of a data set that is not here nothing is known; before a stage runs, it is.
      let paths = values.compactMap(\.stringValue)
      return paths.count == values.count ? paths : []
    }
  }
}

extension OptionValueType
where Value: CaseIterable & RawRepresentable & Sendable, Value.RawValue == String {
  /// One of the words of an enumeration, in its order.
  public static func choice(_ words: Value.Type) -> Self {
    Self(type: .choice(words.allCases.map(\.rawValue))) { $0.stringValue.flatMap(words.init(rawValue:)) }
  }
}

extension OptionValueType where Value: Sendable {
  /// One of the words of a list, each with the value that it stands for.
  public static func choice(_ values: [(word: String, value: Value)]) -> Self {
    Self(type: .choice(values.map(\.word))) { json in
      guard let word = json.stringValue else { return nil }
      return values.first { UTF8Key($0.word) == UTF8Key(word) }?.value
    }
  }
}

extension OptionValueType {
  /// Null, or a value of another type.
  public static func optional<Wrapped>(_ inner: OptionValueType<Wrapped>) -> Self where Value == Wrapped? {
    Self(type: .optional(inner.type)) { $0.isNull ? .some(nil) : inner.decode($0).map { .some($0) } }
  }

  /// A list; `count` bounds its length.
  public static func list<Element>(_ element: OptionValueType<Element>, count: ClosedRange<Int>) -> Self
  where Value == [Element] {
    Self(type: .list(element.type, count: count)) { value in
      guard let values = value.arrayValue else { return nil }
      let elements = values.compactMap(element.decode)
      return elements.count == values.count ? elements : nil
    }
  }

  /// A mapping from names that its author chooses to values of one type; `count` bounds how many. Given in the order of the names' bytes:
  /// the order in which they were written is in no key.
  public static func mapping<Element>(_ element: OptionValueType<Element>, count: ClosedRange<Int>) -> Self
  where Value == [(name: String, value: Element)] {
    Self(type: .mapping(element.type, count: count)) { value in
      guard let members = value.objectValue?.members else { return nil }
      let values = members.compactMap { member in
        element.decode(member.value).map { (name: member.key, value: $0) }
      }
      guard values.count == members.count else { return nil }
      return values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
  }

  /// A mapping with options of its own, from which `value` makes one value.
  public static func object(
    _ fields: [OptionField], _ value: @escaping @Sendable (StageOptions) -> Value
  ) -> Self {
    Self(type: .object(fields)) { json in
      guard let members = json.objectValue,
        members.keys.allSatisfy({ name in fields.contains { UTF8Key($0.name) == UTF8Key(name) } }),
        fields.allSatisfy({ members[$0.name] != nil || $0.isAddedLater })
      else { return nil }
      return value(StageOptions(json))
    }
  }

  /// A mapping whose key `kind` names one of several sets of further options.
  public static func variant(_ cases: [OptionCase<Value>]) -> Self {
    Self(type: .variant(cases.map { OptionVariant($0.kind, $0.fields, summary: $0.summary) })) { value in
      guard let kind = value["kind"]?.stringValue else { return nil }
      return cases.first { UTF8Key($0.kind) == UTF8Key(kind) }?.value(StageOptions(value))
    }
  }

  /// The first alternative that fits, for options such as `best`, `none` or `{text: …}`. Each gives the same Swift type: see `mapped`.
  public static func either(_ alternatives: Self...) -> Self {
    Self(type: .either(alternatives.map(\.type))) { value in
      for alternative in alternatives {
        if let value = alternative.decode(value) { return value }
      }
      return nil
    }
  }

  /// What may be written for another type, as a value of this one.
  public static func mapped<Other>(
    _ other: OptionValueType<Other>, _ value: @escaping @Sendable (Other) -> Value
  ) -> Self {
    Self(type: other.type) { other.decode($0).map(value) }
  }
}

/// One of the sets of options of a variant: `{kind: KIND, …}`.
public struct OptionCase<Value>: Sendable {
  let kind: String
  let fields: [OptionField]
  let summary: String
  let value: @Sendable (StageOptions) -> Value

  public init(
    _ kind: String, _ fields: [OptionField], summary: String,
    _ value: @escaping @Sendable (StageOptions) -> Value
  ) {
    self.kind = kind
    self.fields = fields
    self.summary = summary
    self.value = value
  }
}
