// Explanations: the file as a YAML text.

extension Explanation {
  /// The smallest experiment there is.
  static let smallest = """
    version: 1
    name: example
    stages:
      rows: {uses: data, with: {path: train.jsonl}}
    """

  static let ofText: [Explanation] = [
    Explanation(
      "missing-file", "a file cannot be read",
      """
      The experiment itself, or a file that an option names, is not there or may not be read. A relative path starts at the
      folder of the file that wrote it, not where the command was typed.
      """,
      wrong: Example(smallest.replacing("train.jsonl", with: "trian.jsonl")), right: Example(smallest)),
    Explanation(
      "file-too-large", "the file is too large for settings",
      """
      An experiment file holds settings and is read whole; more than 8 MiB of it is not read. Data belong in a file of their
      own, named by its path.
      """,
      wrong: Example("# 9 MiB of anything") { [UInt8](repeating: 0x23, count: 9 << 20) },
      right: Example(smallest)),
    Explanation(
      "empty-file", "there is nothing in the file",
      "The file is empty, or holds nothing but comments. The smallest experiment has a version, a name and a stage.",
      wrong: Example("# nothing yet"), right: Example(smallest)),
    Explanation(
      "invalid-utf8", "the file is not UTF-8",
      """
      Texts are read as UTF-8 and nothing else. The place is that of the first byte that is not; save the file as UTF-8
      (without UTF-16 or Latin-1) and read it again.
      """,
      wrong: Example("name: caf\\xE9        # the byte E9, Latin-1's `é`") {
        Array("name: caf".utf8) + [0xE9]
      },
      right: Example(smallest + "\ndescription: café")),
    Explanation(
      "control-character", "a control character stands in the text",
      """
      YAML allows no control characters but tab and line breaks. In a double-quoted string they are written as escapes:
      `"\\a"`, `"\\x07"`. Many at once, or one that is NUL, mean that the file is not UTF-8 text.
      """,
      wrong: Example("version: 1\nname: example\ndescription: ding<07>   # the byte 07") {
        Array("version: 1\nname: example\ndescription: ding\u{7}".utf8)
      },
      right: Example(smallest + "\ndescription: \"ding\\x07\"")),
    Explanation(
      "syntax", "the text is not YAML",
      """
      The text cannot be taken apart. Usual reasons: a bracket or quote that is not closed, a value with `: ` or a leading
      `*`, `&`, `@`, `%` that is not quoted, lines of one mapping that are not indented alike.
      """,
      wrong: Example("version: 1\nname: [example\nstages: {}"), right: Example(smallest)),
    Explanation(
      "tab", "a tab is used for indentation",
      "YAML is indented with spaces. Most editors can be told to write spaces when Tab is pressed.",
      wrong: Example("version: 1\nname: example\nstages:\n\trows: {uses: data, with: {path: train.jsonl}}"),
      right: Example(smallest)),
    Explanation(
      "too-deep", "the document is nested too deep",
      """
      Mappings and lists may stand inside each other 64 levels deep, an alias counted with all that it stands for. No
      experiment needs that much; a bracket that is never closed may be the reason.
      """,
      wrong: Example("params: {a: [[[[[[ … ]]]]]]}            # 65 levels") {
        Array(("a: " + String(repeating: "[", count: 65) + String(repeating: "]", count: 65)).utf8)
      },
      right: Example(smallest + "\nparams: {a: [[1, 2], [3, 4]]}")),
    Explanation(
      "too-large", "aliases or parameters multiply the document",
      """
      An alias stands for the whole of what it names, so a few lines of them can mean billions of values. A document may
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
      right: Example(smallest + "\nparams: {a: &a [1, 2], b: [*a, *a]}")),
    Explanation(
      "undefined-alias", "an alias has no anchor before it",
      "`*name` repeats what `&name` marked further up. There is no such mark above it; below does not count.",
      wrong: Example(smallest + "\nparams: {a: *rate, b: &rate 2e-5}"),
      right: Example(smallest + "\nparams: {a: &rate 2e-5, b: *rate}")),
    Explanation(
      "recursive-alias", "an alias stands inside its own anchor",
      "What `&name` marks would contain itself. Such a value has no end.",
      wrong: Example(smallest + "\nparams: {a: &loop [1, *loop]}"),
      right: Example(smallest + "\nparams: {a: &list [1], b: [1, *list]}")),
    Explanation(
      "duplicate-key", "a key is written twice in one mapping",
      """
      One of the two would be lost without a word, so neither is taken. However it is quoted, a key is the same key:
      `seed` and `"seed"`.
      """,
      wrong: Example(smallest + "\nseed: 1\n\"seed\": 2"), right: Example(smallest + "\nseed: 2")),
    Explanation(
      "complex-key", "a key is not a single word",
      """
      Keys are words or strings. A list or mapping as a key is most often `{name}` without quotes, which YAML reads as a
      mapping.
      """,
      wrong: Example(smallest + "\n{a: 1}: 2"), right: Example(smallest + "\nparams: {a: 1}")),
    Explanation(
      "wrong-merge", "`<<` is given something other than a mapping",
      "`<<: *name` takes over the entries of an anchored mapping (or of a list of them); nothing else has entries.",
      wrong: Example(smallest + "\nparams: {<<: 5}"),
      right: Example(
        smallest.replacing("{path: train.jsonl}", with: "&all {path: train.jsonl}")
          + "\n  few: {uses: data, with: {<<: *all, limit: 10}}")),
    Explanation(
      "unknown-tag", "a tag is not known",
      """
      Only the core tags are: `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!map`, `!!seq`. Tags of other programs, such as
      `!!python/object`, are never acted upon.
      """,
      wrong: Example(smallest + "\ndescription: !!binary R0lGODlh"),
      right: Example(smallest + "\ndescription: !!str 12")),
    Explanation(
      "wrong-tag", "a value does not fit its tag",
      "The tag says what the value must be, and it is something else.",
      wrong: Example(smallest + "\nseed: !!int many"), right: Example(smallest + "\nseed: !!int 7")),
    Explanation(
      "several-documents", "the file holds more than one document",
      "A line `---` begins another YAML document. One file is one experiment.",
      wrong: Example(smallest + "\n---\n" + smallest), right: Example("---\n" + smallest)),
    Explanation(
      "not-a-mapping", "the experiment is not a mapping",
      "At the top of the file stand `key: value` lines, not a list or a single value.",
      wrong: Example("- version: 1\n- name: example"), right: Example(smallest)),
  ]
}
