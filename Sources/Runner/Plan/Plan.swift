// The plan: an experiment unrolled into nodes, as a value. Making it runs nothing.

import JSON

/// Everything a run will do, in an order in which each node comes after what it needs.
public struct Plan: Sendable {
  public var experimentName: String
  public var nodes: [PlanNode]
  /// Models that the nodes name, by name.
  public var models: [PlanModel]
  /// Declared metrics: name and the address it was resolved to.
  public var metrics: [PlanMetric]
  /// What must hold of metrics when all is done.
  public var expectations: [PlanCondition] = []
  /// Loops that may end early.
  public var earlyEnds: [PlanEarlyEnd] = []
  /// What was found wrong without keeping the experiment from running.
  package var warnings: [Diagnostic] = []

  public init(
    experimentName: String, nodes: [PlanNode], models: [PlanModel], metrics: [PlanMetric]
  ) {
    self.experimentName = experimentName
    self.nodes = nodes
    self.models = models
    self.metrics = metrics
  }
}

/// One stage execution.
public struct PlanNode: Sendable {
  /// Index in `Plan.nodes`.
  public var index: Int
  /// `quark@2.train`
  public var address: String
  /// The plug-in.
  public var stage: String
  /// Decoded options, every default filled in; file options hold absolute paths.
  public var options: JSON
  /// Absolute paths of the files that options name, by a dotted option path. In the content key each counts by its content.
  public var files: [(option: String, path: String)]
  /// In the order the stage declares its ports; ports that are null or unbound are left out, and one that collects is
  /// there once for each artifact.
  public var inputs: [PlanInput]
  /// The node's derived seed. Enters the key only of stages that draw random numbers.
  public var seed: UInt64
  /// `bf16` or `fp32`. Enters the key only of stages that compute.
  public var numericMode: String
  /// How to run; never in a key.
  public var execution: ExecutionSettings
  /// Indices of nodes that must be done (or skipped) before this one though it reads nothing of theirs: `needs:`, and
  /// what `until:` is judged by.
  public var after: [Int] = []
  /// The iterations around this node that run only if a loop did not end before.
  public var conditions: [PlanIteration] = []
  /// Variables whose values its options stand for, each once: `{env: NAME}`.
  public var environment: [String] = []
  /// Where the options that were written come from.
  public var origins: [PlanOrigin] = []
  /// Names this node across runs: plug-in, version, options, recipe keys of what is upstream. Hex SHA-256.
  public var recipeKey: String

  public init(
    index: Int, address: String, stage: String, options: JSON, files: [(option: String, path: String)],
    inputs: [PlanInput], seed: UInt64, numericMode: String, execution: ExecutionSettings, after: [Int] = [],
    origins: [PlanOrigin] = [], recipeKey: String
  ) {
    self.index = index
    self.address = address
    self.stage = stage
    self.options = options
    self.files = files
    self.inputs = inputs
    self.seed = seed
    self.numericMode = numericMode
    self.execution = execution
    self.after = after
    self.origins = origins
    self.recipeKey = recipeKey
  }
}

/// What a port is bound to.
public struct PlanInput: Sendable {
  public enum Source: Sendable, Equatable {
    /// Output `output` of the node with this index.
    case node(Int, output: String)
    /// `Plan.models` entry with this name.
    case model(String)
  }
  public var port: String
  public var type: ArtifactType
  public var source: Source
  /// On a port that collects: what tells this artifact from the others (`rm=a`, `2`). A stage sees it, so it is in the key.
  public var label: String?
  /// `@last` of a loop that may end early: the same stage in earlier iterations, the latest first. When the source is
  /// skipped, the first of these that is not stands in.
  public var alternatives: [Int]
  public init(
    port: String, type: ArtifactType, source: Source, label: String? = nil, alternatives: [Int] = []
  ) {
    self.port = port
    self.type = type
    self.source = source
    self.label = label
    self.alternatives = alternatives
  }

  /// The nodes that may give it, in order of preference; none for a model.
  package var candidates: [Int] {
    if case .node(let index, _) = source { [index] + alternatives } else { [] }
  }
}

/// What stands beside `with:`.
public struct ExecutionSettings: Sendable {
  public var shards: Int
  public var threads: Int?
  public var engine: JSON
  public var retries: Int
  public var timeoutSeconds: Double?
  public var checkpointSeconds: Double
  public var resources = Resources()
  /// Which iterations' bytes a run pins: `all`, `last` or `none`.
  public var keep = "all"
  public init(
    shards: Int = 1, threads: Int? = nil, engine: JSON = .object(JSONObject()), retries: Int = 0,
    timeoutSeconds: Double? = nil, checkpointSeconds: Double = 60
  ) {
    self.shards = shards
    self.threads = threads
    self.engine = engine
    self.retries = retries
    self.timeoutSeconds = timeoutSeconds
    self.checkpointSeconds = checkpointSeconds
  }
}

/// What a stage asks of the machine; nil where nothing was said.
public struct Resources: Sendable, Equatable {
  public var cpus: Int?
  public var memoryBytes: Int?
  public var timeSeconds: Double?
  public var gpus: Int?
  public init(cpus: Int? = nil, memoryBytes: Int? = nil, timeSeconds: Double? = nil, gpus: Int? = nil) {
    self.cpus = cpus
    self.memoryBytes = memoryBytes
    self.timeSeconds = timeSeconds
    self.gpus = gpus
  }
}

/// The place that set an option: a line of the experiment or a `--set`.
public struct PlanOrigin: Sendable, Equatable {
  /// Dotted path under `with:`.
  public var option: String
  /// As shown to the user.
  public var file: String
  /// Both 1-based.
  public var line: Int
  public var column: Int
}

/// A model named under `models:`.
public struct PlanModel: Sendable, Equatable {
  public enum Source: Sendable, Equatable {
    /// Absolute path of a directory or a GGUF file.
    case path(String)
    /// `pypi:PACKAGE==VERSION/FILE`: a file inside a wheel.
    case pypi(package: String, version: String, file: String)
    /// A model that an experiment, or one run of it, made: the absolute path of either, and the address in it.
    case run(file: String, address: String)
  }
  public var name: String
  public var source: Source
  /// Hex; required for remote sources.
  public var sha256: String?
  public init(name: String, source: Source, sha256: String?) {
    self.name = name
    self.source = source
    self.sha256 = sha256
  }
}

/// `reward: quark@last.evaluate.reward`, resolved.
public struct PlanMetric: Sendable {
  public var name: String
  /// One for each value: for `@all` each iteration, for a matrix each cell.
  public var nodes: [Int]
  /// By node: those that stand in when it is skipped (see `PlanInput.alternatives`).
  public var alternatives: [Int: [Int]]
  /// The output port that holds it.
  public var output: String
  /// The name inside the metrics artifact.
  public var metric: String
  public init(
    name: String, nodes: [Int], alternatives: [Int: [Int]] = [:], output: String = "metrics", metric: String
  ) {
    self.name = name
    self.nodes = nodes
    self.alternatives = alternatives
    self.output = output
    self.metric = metric
  }

  /// The nodes that may give one of its values, in order of preference.
  package func candidates(_ node: Int) -> [Int] { [node] + (alternatives[node] ?? []) }
}

/// `{metric: …, above: …}`, resolved.
public struct PlanCondition: Sendable {
  public enum Operand: Sendable {
    case number(Double)
    /// One value.
    case metric(PlanMetric)
  }
  /// Every one of its values must pass.
  public var metric: PlanMetric
  public var tests: [(comparison: Comparison, operand: Operand)]
  public init(metric: PlanMetric, tests: [(comparison: Comparison, operand: Operand)]) {
    self.metric = metric
    self.tests = tests
  }
}

/// A loop with `until:`, once for each place where it is unrolled.
public struct PlanEarlyEnd: Sendable {
  /// `quark`, `outer@2.inner`
  public var loop: String
  /// For each iteration but the last what is judged after it; if all hold, the iterations after it are skipped.
  public var conditions: [[PlanCondition]]
  public init(loop: String, conditions: [[PlanCondition]]) {
    self.loop = loop
    self.conditions = conditions
  }
}

/// An iteration of a loop that may end before it.
public struct PlanIteration: Sendable, Equatable {
  /// Position in `Plan.earlyEnds`.
  public var loop: Int
  /// 1-based.
  public var iteration: Int
  public init(loop: Int, iteration: Int) {
    self.loop = loop
    self.iteration = iteration
  }
}
