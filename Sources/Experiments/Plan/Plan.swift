// The plan: an experiment unrolled into nodes, as a value. Making it runs nothing.

import JSON

/// Everything a run will do, in an order in which each node comes after what it needs.
package struct Plan: Sendable {
  package var experimentName: String
  package var nodes: [PlanNode]
  /// Models that the nodes name, by name.
  package var models: [ModelReference]
  /// Declared metrics: name and the address it was resolved to.
  package var metrics: [PlanMetric]
  /// What must hold of metrics when all is done.
  package var expectations: [PlanCondition] = []
  /// Loops that may end early.
  package var earlyEnds: [PlanEarlyEnd] = []
  /// What was found wrong without keeping the experiment from running.
  package var warnings: [Diagnostic] = []

  package init(
    experimentName: String, nodes: [PlanNode], models: [ModelReference], metrics: [PlanMetric]
  ) {
    self.experimentName = experimentName
    self.nodes = nodes
    self.models = models
    self.metrics = metrics
  }
}

/// One stage execution.
package struct PlanNode: Sendable {
  /// Index in `Plan.nodes`.
  package var index: Int
  /// `quark@2.train`
  package var address: String
  /// The plug-in.
  package var stage: String
  /// Decoded options, every default filled in; file options hold absolute paths.
  package var options: JSON
  /// The files that options name. In the content key they count by their content.
  package var files: [OptionFiles]
  /// In the order the stage declares its ports; ports that are null or unbound are left out, and one that collects is
  /// there once for each artifact.
  package var inputs: [PlanInput]
  /// The node's derived seed. Enters the key only of stages that draw random numbers.
  package var seed: UInt64
  /// One of the modes that stages declare. Enters the key only of stages that compute.
  package var numericMode: String
  /// How to run; never in a key.
  package var execution: ExecutionSettings
  /// Indices of nodes that must be done (or skipped) before this one though it reads nothing of theirs: `needs:`, and
  /// what `until:` is judged by.
  package var after: [Int] = []
  /// The iterations around this node that run only if a loop did not end before.
  package var conditions: [PlanIteration] = []
  /// Variables whose values its options stand for, each once: `{env: NAME}`.
  package var environment: [String] = []
  /// The identities of servers that it asks: what it gives is observed, not computed.
  package var servers: [String] = []
  /// How many rows an output will have, by its name, where that is certain before anything has run.
  package var rowCounts: [UTF8Key: Int] = [:]
  /// Where the options that were written come from.
  package var origins: [ValueOrigin] = []
  /// Names this node across runs: plug-in, version, options, recipe keys of what is upstream. Hex SHA-256.
  package var recipeKey: String

  package init(
    index: Int, address: String, stage: String, options: JSON, files: [OptionFiles],
    inputs: [PlanInput], seed: UInt64, numericMode: String, execution: ExecutionSettings, after: [Int] = [],
    origins: [ValueOrigin] = [], recipeKey: String
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
package struct PlanInput: Sendable {
  package enum Source: Sendable, Equatable {
    /// Output `output` of the node with this index.
    case node(Int, output: String)
    /// `Plan.models` entry with this name.
    case model(String)
  }
  package var port: String
  package var type: ArtifactType
  package var source: Source
  /// On a port that collects: what tells this artifact from the others (`rm=a`, `2`). A stage sees it, so it is in the key.
  package var label: String?
  /// `@last` of a loop that may end early: the same stage in earlier iterations, the latest first. When the source is
  /// skipped, the first of these that is not stands in.
  package var alternatives: [Int]
  package init(
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

/// `reward: quark@last.evaluate.reward`, resolved.
package struct PlanMetric: Sendable {
  package var name: String
  /// One for each value: for `@all` each iteration, for a matrix each cell.
  package var nodes: [Int]
  /// By node: those that stand in when it is skipped (see `PlanInput.alternatives`).
  package var alternatives: [Int: [Int]]
  /// By node: the cells of matrices that tell its value from the others (`rm=a`); absent where nothing has to.
  package var cells: [Int: String] = [:]
  /// The output port that holds it.
  package var output: String
  /// The name inside the metrics artifact.
  package var metric: String
  package init(
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
package struct PlanCondition: Sendable {
  package enum Operand: Sendable {
    case number(Double)
    /// One value.
    case metric(PlanMetric)
  }
  /// Every one of its values must pass.
  package var metric: PlanMetric
  package var tests: [(comparison: Comparison, operand: Operand)]
  package init(metric: PlanMetric, tests: [(comparison: Comparison, operand: Operand)]) {
    self.metric = metric
    self.tests = tests
  }
}

/// A loop with `until:`, once for each place where it is unrolled.
package struct PlanEarlyEnd: Sendable {
  /// `quark`, `outer@2.inner`
  package var loop: String
  /// For each iteration but the last what is judged after it; if all hold, the iterations after it are skipped.
  package var conditions: [[PlanCondition]]
  package init(loop: String, conditions: [[PlanCondition]]) {
    self.loop = loop
    self.conditions = conditions
  }
}

/// An iteration of a loop that may end before it.
package struct PlanIteration: Sendable, Equatable {
  /// Position in `Plan.earlyEnds`.
  package var loop: Int
  /// 1-based.
  package var iteration: Int
  package init(loop: Int, iteration: Int) {
    self.loop = loop
    self.iteration = iteration
  }
}
