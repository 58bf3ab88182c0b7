// `state:` and `schedule:` of `train`: trainings that go on from each other.

import Experiments
import JSON
import Models

extension TrainStage {
  enum StateOutput: String, CaseIterable { case none, light, full }

  static let state = StageOption(
    "state", .choice(StateOutput.self), default: "none", addedLater: true,
    summary:
      "whether there is an output `state`, from which the next training goes on: count of steps, adaptive coefficients, place in the data, and with `full` the optimizer's moments, 8 bytes for each number that trains with Adam; with `light` the next training's moments begin at zero"
  )
  static let schedule = StageOption(
    "schedule",
    .optional(.object([totalSteps.field]) { $0[totalSteps] }), default: nil, addedLater: true,
    summary:
      "warm-up and decay over the steps of all trainings that go on from each other by `state`; null is over those of this one"
  )

  static let statePort = OutputPort(
    "state", .file,
    summary: "with `state: light` or `full`: what the next training takes at its input `state`")
}

private let totalSteps = StageOption(
  "total_steps", .integer(1...1_000_000_000), aliases: ["max_steps"],
  summary: "steps of all trainings together; one that would end later is an error")
