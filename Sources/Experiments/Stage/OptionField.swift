// An option as decoding, JSON Schema and pages see it: name, type, default, summary.

import JSON

/// One option under `with:`, without the Swift type of its values: `StageOption.field`.
public struct OptionField: Sendable {
  public let name: String
  package let type: OptionType
  /// Nil when the option must be written.
  public let defaultValue: JSON?
  /// Where it is another one, what the systems do that the method comes from: the default under `compat: original`.
  package let originalDefault: JSON?
  /// Whether results were stored under keys before the option was there. Decoded options, and with them keys, lack it where it has
  /// its default, so that those results are found.
  package let isAddedLater: Bool
  /// What other tools call it: suggested, never accepted.
  public let aliases: [String]
  public let summary: String

  /// A required option.
  package init(_ name: String, _ type: OptionType, aliases: [String] = [], summary: String) {
    self.init(
      name: name, type: type, defaultValue: nil, originalDefault: nil, isAddedLater: false, aliases: aliases,
      summary: summary)
  }

  package init(
    _ name: String, _ type: OptionType, default value: JSON, original: JSON? = nil,
    addedLater isAddedLater: Bool = false, aliases: [String] = [], summary: String
  ) {
    self.init(
      name: name, type: type, defaultValue: value, originalDefault: original, isAddedLater: isAddedLater,
      aliases: aliases, summary: summary)
  }

  /// The same option of a stage whose original has another default.
  package func originally(_ value: JSON) -> OptionField {
    OptionField(
      name: name, type: type, defaultValue: defaultValue, originalDefault: value, isAddedLater: isAddedLater,
      aliases: aliases, summary: summary)
  }

  private init(
    name: String, type: OptionType, defaultValue: JSON?, originalDefault: JSON?, isAddedLater: Bool,
    aliases: [String], summary: String
  ) {
    self.name = name
    self.type = type
    self.defaultValue = defaultValue
    self.originalDefault = originalDefault
    self.isAddedLater = isAddedLater
    self.aliases = aliases
    self.summary = summary
  }
}

/// The type of an option as the decoder, the schema and the pages see it. Decoding yields JSON: booleans, integers, doubles (an
/// integer written where a number is wanted becomes a double), strings, lists, objects with every default filled in.
package indirect enum OptionType: Sendable {
  case bool
  case integer(ClosedRange<Int>)
  /// Finite. `exclusiveMinimum` wins over the range's lower bound: `.number(0...1, exclusiveMinimum: true)`. A number that the stage
  /// computes with as a `Float` is `single`: what would become 0 or infinite there is refused.
  case number(ClosedRange<Double>, exclusiveMinimum: Bool = false, single: Bool = false)
  case string
  /// One of a fixed list of words.
  case choice([String])
  /// A file of the project, written relative to the experiment file. Decodes to its absolute path; what
  /// enters the key is the file's content hash, never the path.
  case file
  /// Data files of the project: a file, a pattern, a folder, a data set of a hub, or a list of these. Decodes to an absolute path, or to a list of several;
  /// what enters the key is their content. `split` and `config` name the options beside it that choose among the files of a folder.
  case files(split: String, config: String)
  /// A list; the range bounds its length.
  case list(OptionType, count: ClosedRange<Int>)
  /// A mapping from names that its author chooses to values of one type; the range bounds how many.
  case mapping(OptionType, count: ClosedRange<Int>)
  /// A nested mapping with fields of its own.
  case object([OptionField])
  /// A mapping whose key `kind` names one of several sets of further fields.
  case variant([OptionVariant])
  /// Null, or the wrapped type.
  case optional(OptionType)
  /// The first alternative that fits, for options such as `best`, `none` or `{text: ...}`.
  case either([OptionType])
}

package struct OptionVariant: Sendable {
  package let kind: String
  package let fields: [OptionField]
  package let summary: String
  package init(_ kind: String, _ fields: [OptionField], summary: String) {
    self.kind = kind
    self.fields = fields
    self.summary = summary
  }
}
