// Explanations: the file as a YAML text.

extension Explanation {
  /// The smallest experiment there is.
  static let smallest = """
    version: 1
    name: example
    stages:
      rows: {uses: data, with: {path: train.jsonl}}
    """

  static let missingFile = Explanation(
    "a file cannot be read",
    """
    The experiment itself, or a file that an option names, does not exist or cannot be read. A relative path is relative
    to the folder of the file that contains it, not to the working directory.
    """,
    wrong: Example(smallest.replacing("train.jsonl", with: "trian.jsonl")), right: Example(smallest))

  static let fileTooLarge = Explanation(
    "the experiment file is too large",
    """
    An experiment file holds settings and may have at most 8 MiB. Put data into a file of their own and
    give its path.
    """,
    wrong: Example("# 9 MiB of anything") { [UInt8](repeating: 0x23, count: 9 << 20) },
    right: Example(smallest))

  static let emptyFile = Explanation(
    "the file is empty",
    "The file is empty, or holds nothing but comments. The smallest experiment has a version, a name and a stage.",
    wrong: Example("# nothing yet"), right: Example(smallest))

  static let invalidUTF8 = Explanation(
    "the file is not UTF-8",
    """
    Text must be UTF-8. The message gives the position of the first invalid byte; save the file as UTF-8
    (not as UTF-16 or Latin-1).
    """,
    wrong: Example("name: caf\\xE9        # the byte E9, Latin-1's `é`") {
      Array("name: caf".utf8) + [0xE9]
    },
    right: Example(smallest + "\ndescription: café"))

  static let controlCharacter = Explanation(
    "the text contains a control character",
    """
    YAML allows no control characters but tab and line breaks. In a double-quoted string they are written as escapes:
    `"\\a"`, `"\\x07"`. Many of them, or a NUL, mean that the file is not UTF-8 text.
    """,
    wrong: Example("version: 1\nname: example\ndescription: ding<07>   # the byte 07") {
      Array("version: 1\nname: example\ndescription: ding\u{7}".utf8)
    },
    right: Example(smallest + "\ndescription: \"ding\\x07\""))

  static let syntax = Explanation(
    "the text is not YAML",
    """
    The text cannot be parsed. Usual causes: a bracket or quote that is not closed, a value with `: ` or a leading
    `*`, `&`, `@`, `%` that is not quoted, lines of one mapping that are not indented alike.
    """,
    wrong: Example("version: 1\nname: [example\nstages: {}"), right: Example(smallest))

  static let tab = Explanation(
    "a tab is used for indentation",
    "YAML is indented with spaces. Most editors can be set to insert spaces for the Tab key.",
    wrong: Example("version: 1\nname: example\nstages:\n\trows: {uses: data, with: {path: train.jsonl}}"),
    right: Example(smallest))

  static let tooDeep = Explanation(
    "the document is nested too deep",
    """
    Mappings and lists may be nested 64 levels deep, an alias counted with its whole value. No
    experiment needs that much; a bracket that is never closed may be the reason.
    """,
    wrong: Example("params: {a: [[[[[[ … ]]]]]]}            # 65 levels") {
      Array(("a: " + String(repeating: "[", count: 65) + String(repeating: "]", count: 65)).utf8)
    },
    right: Example(smallest + "\nparams: {a: [[1, 2], [3, 4]]}"))

  static let tooLarge = Explanation(
    "aliases or parameters expand the document too far",
    """
    An alias repeats the whole value of its anchor, so a few lines can expand to billions of values. A document may
    expand to 200,000 nodes and 32 MiB of text.
    """,
    wrong: Example(
      """
      params:
        a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
        b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
        c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
        d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
        e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
        f: [*e, *e, *e]
      """),
    right: Example(smallest + "\nparams: {a: &a [1, 2], b: [*a, *a]}"))

  static let undefinedAlias = Explanation(
    "an alias has no anchor before it",
    "`*name` repeats the value of the anchor `&name`. The anchor must be above the alias, and there is none.",
    wrong: Example(smallest + "\nparams: {a: *rate, b: &rate 2e-5}"),
    right: Example(smallest + "\nparams: {a: &rate 2e-5, b: *rate}"))

  static let recursiveAlias = Explanation(
    "an alias is inside its own anchor",
    "The value of `&name` would contain itself, without end.",
    wrong: Example(smallest + "\nparams: {a: &loop [1, *loop]}"),
    right: Example(smallest + "\nparams: {a: &list [1], b: [1, *list]}"))

  static let duplicateKey = Explanation(
    "a key is written twice in one mapping",
    """
    One of the two would be lost silently, so neither is used. Quotes make no difference:
    `seed` and `"seed"` are the same key.
    """,
    wrong: Example(smallest + "\nseed: 1\n\"seed\": 2"), right: Example(smallest + "\nseed: 2"))

  static let complexKey = Explanation(
    "a key is not a single word",
    """
    Keys are words or strings. A list or mapping as a key is most often `{name}` without quotes, which YAML reads as a
    mapping.
    """,
    wrong: Example(smallest + "\n{a: 1}: 2"), right: Example(smallest + "\nparams: {a: 1}"))

  static let wrongMerge = Explanation(
    "`<<` is given something other than a mapping",
    "`<<: *name` merges the entries of an anchored mapping, or of a list of mappings; no other value has entries.",
    wrong: Example(smallest + "\nparams: {<<: 5}"),
    right: Example(
      smallest.replacing("{path: train.jsonl}", with: "&all {path: train.jsonl}")
        + "\n  few: {uses: data, with: {<<: *all, limit: 10}}"))

  static let unknownTag = Explanation(
    "an unknown tag",
    """
    Only the core tags are known: `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!map`, `!!seq`. Tags of other programs, such as
    `!!python/object`, are refused.
    """,
    wrong: Example(smallest + "\ndescription: !!binary R0lGODlh"),
    right: Example(smallest + "\ndescription: !!str 12"))

  static let wrongTag = Explanation(
    "a value does not fit its tag",
    "The value must have the type that the tag names.",
    wrong: Example(smallest + "\nseed: !!int many"), right: Example(smallest + "\nseed: !!int 7"))

  static let severalDocuments = Explanation(
    "the file holds more than one document",
    "A line `---` begins another YAML document. One file is one experiment.",
    wrong: Example(smallest + "\n---\n" + smallest), right: Example("---\n" + smallest))

  static let notAMapping = Explanation(
    "the experiment is not a mapping",
    "The top level of the file must be `key: value` lines, not a list or a single value.",
    wrong: Example("- version: 1\n- name: example"), right: Example(smallest))
}
