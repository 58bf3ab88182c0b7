// Models and numbers that are NaN or infinite: every stage that meets one fails and names it.

import JSON
import Models
import Runner
import Stages
import Testing
import TinyModel

struct NotFiniteTests {
  let bench: ModelBench
  init() { bench = ModelBench() }

  static let inner = "model.layers.1.mlp.down_proj.weight"

  private func model(_ value: Float = .nan, in tensor: String = inner, reward: Bool = false) throws -> String
  {
    try bench.model(reward ? "reward" : "model") {
      $0.changedWeight = (tensor, value)
      if reward { $0.head = TinyModel.rewardHead }
    }
  }

  @Test(
    arguments: [0, 1] as [JSON],
    [["top_p": 0.9], ["n": 1], ["statistics": true], ["frequency_penalty": 1]] as [JSON])
  func `sampling from logits that are not finite is an error, greedy and drawn`(
    temperature: JSON, options: JSON
  ) throws {
    for value in [Float.nan, .infinity] {
      let path = try model(value)
      var all = try #require(options.objectValue)
      all["temperature"] = temperature
      all["max_new_tokens"] = 6
      let found = inputError {
        try bench.run(SampleStage(), .object(all), models: ["model": path], rows: prompts, port: "prompts")
      }
      #expect(
        found.hasPrefix("\(path): the model's logits are not finite for row `p")
          && found.contains("inspect MODEL"),
        "\(value): \(found)")
    }
  }

  /// The quotients overflow, the logits do not.
  @Test func `a very low temperature is greedy`() throws {
    let path = try bench.model()
    func sample(_ temperature: Double) throws -> [Row] {
      try bench.rows(
        bench.run(
          SampleStage(), ["temperature": .double(temperature), "max_new_tokens": 12, "n": 1],
          models: ["model": path],
          rows: prompts, port: "prompts"))
    }
    #expect(try sample(2e-38) == sample(0))
    #expect(try sample(1) != sample(0))
  }

  @Test func `scoring and measuring with such a model is an error that names row and model`() throws {
    let choice: JSON = [
      "scorer": [
        "kind": "choice", "template": "{prompt}{generation} is", "labels": [" good", " bad"],
        "reward": " good",
      ]
    ]
    let reward: JSON = ["scorer": ["kind": "reward", "template": "{prompt}{generation}"]]
    for (path, options) in [(try model(), choice), (try model(reward: true), reward)] {
      let found = inputError {
        try bench.run(ScoreStage(), options, models: ["model": path], rows: pooledRows())
      }
      #expect(found.hasPrefix("\(path): the model's logits are not finite for row `q0`"), "\(found)")
    }
    let path = try model()
    let found = inputError {
      try bench.run(
        EvaluateStage(), ["metrics": ["perplexity"]], models: ["reference": path], rows: pooledRows())
    }
    #expect(found.hasPrefix("\(path): the model's logits are not finite for row `q0`"), "\(found)")
  }

  @Test func `a perplexity that overflows is an error that names row and model`() throws {
    let path = try model(1e6, in: "model.norm.weight")
    let found = inputError {
      try bench.run(
        EvaluateStage(), ["metrics": ["perplexity"]], models: ["reference": path], rows: pooledRows())
    }
    #expect(found.hasPrefix("\(path): the perplexity of row `q"), "\(found)")
  }

  /// Also where no loss shows it.
  @Test func `training from weights that are not finite is an error that names the tensor`() throws {
    let path = try model(.infinity)
    let found = inputError {
      try bench.run(
        TrainStage(), ["lr": 1e-3, "conditioning": ["kind": "none"]], models: ["model": path],
        rows: pooledRows())
    }
    #expect(
      found.hasPrefix("\(path): 1 numbers of the tensor `\(Self.inner)` are NaN or infinite"), "\(found)")
  }

  @Test(
    arguments: [
      ([1e200, -1e200], 0, 1e200), ([1e308, 1e308], 1e308, 0), ([3e-200, 1e-200], 2e-200, 1e-200),
      ([0, 0], 0, 0),
      ([1.5e308, -1.5e308], 0, 1.5e308), ([5, 1, 3], 3, 1.632993161855452),
    ] as [([Double], Double, Double)])
  func `mean and deviation of rewards overflow and vanish nowhere`(
    rewards: [Double], mean: Double, deviation: Double
  )
    throws
  {
    let row = sampledRow("a", [("rewards", rewards.map { .double($0) })])
    let output = try bench.run(EvaluateStage(), ["metrics": ["reward"]], rows: [row])
    let metrics = try bench.json("\(output)/metrics.json")
    for (name, expected) in [("reward", mean), ("reward_deviation", deviation)] {
      let found = try #require(metrics[name]?.doubleValue)
      #expect(abs(found - expected) <= 1e-15 * expected.magnitude, "\(name): \(found)")
    }
  }
}
