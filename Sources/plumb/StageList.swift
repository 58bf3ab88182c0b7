// The stages this program has, in the order in which they are shown: from data to evaluation, then any program.

import Runner
import Stages

let stageRegistry = StageRegistry([
  DataStage.self, DrawStage.self, SampleStage.self, ScoreStage.self, QuantizeStage.self, PoolStage.self,
  TrainStage.self, EvaluateStage.self, CommandStage.self,
])
