// One run of a trial: the experiment with a trial's values and one repetition's, planned.

import JSON
import Search
import System

/// Plans the experiment with settings as `--set` takes them. Stages are asked only where there are answers.
package typealias TrialPlanner = (_ settings: [String], _ answers: StageAnswers?) throws -> (
  experiment: Experiment, plan: Plan
)

package struct TrialRun {
  /// As `--set` takes them: of the trial, then of the repetition.
  package let settings: [String]
  package let repetition: JSONObject
  package let experiment: Experiment
  package let plan: Plan
  /// Names what it computes and measures: two runs with one identity measure the same.
  let identity: String

  /// - Parameter models: digests of what the plan's models hold now, where the store can tell; a file may change under its name.
  package init(
    _ values: JSONObject, _ repetition: JSONObject, _ planner: TrialPlanner,
    models: (Plan) throws -> [String] = { _ in [] }
  ) throws {
    settings = (values.members + repetition.members).map { "\($0.key)=\($0.value.text())" }
    self.repetition = repetition
    let planned = try planner(settings, nil)
    (experiment, plan) = planned
    identity = Self.identity(of: planned.plan, models: try models(planned.plan))
  }

  private static func identity(of plan: Plan, models: [String]) -> String {
    let metrics = plan.metrics.map { metric -> JSON in
      [
        "name": .string(metric.name), "output": .string(metric.output), "metric": .string(metric.metric),
        "nodes": .array(metric.nodes.map { .string(plan.nodes[$0].recipeKey) }),
      ]
    }
    let whole: JSON = [
      "stages": .array(plan.nodes.map { .string($0.recipeKey) }), "metrics": .array(metrics),
      "models": .array(models.map { .string($0) }),
    ]
    return Digest.of(text: whole.text(.canonical)).hex
  }

  /// The metric that a sweep compares.
  /// - Throws: `RunError` (3) where it is not one number, or for `isSeries` one number for each iteration of a loop.
  package func metric(_ name: String, isSeries: Bool) throws -> PlanMetric {
    guard let metric = plan.metrics.first(where: { UTF8Key($0.name) == UTF8Key(name) }) else {
      throw RunError(.bug, "the plan has no metric `\(name)`")
    }
    let addresses = metric.nodes.map { plan.nodes[$0].address }
    if isSeries, metric.nodes.count < 2 {
      throw RunError(
        .experiment,
        "`early_terminate` compares `\(name)` after each iteration, and it has \(addresses.isEmpty ? "no value" : "one value, of `\(addresses[0])`"); address all iterations: `LOOP@all.…`"
      )
    }
    if Set(metric.nodes.map { metric.cells[$0] }).count > 1 {
      throw RunError(
        .experiment,
        "`metric` of `sweep` names `\(name)`, which has a value for each of \(metric.nodes.count) cells of a matrix; name one cell in its address"
      )
    }
    return metric
  }

  /// The stage that gives the metric's value after so many iterations.
  func address(of metric: String, iterations: Int) throws -> String {
    let metric = try self.metric(metric, isSeries: true)
    return plan.nodes[metric.nodes[min(iterations, metric.nodes.count) - 1]].address
  }

  /// All that this value needs; the whole plan for nil.
  func selection(of metric: String, iterations: Int?) throws -> Selection {
    guard let iterations else { return Selection() }
    return try Selection(until: [try address(of: metric, iterations: iterations)], in: plan)
  }
}
