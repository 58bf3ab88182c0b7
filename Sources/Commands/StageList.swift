// The stages this program has, in the order in which they are shown: from data to evaluation, any program, then those that
// `Plumb.main(stages:)` was given.

import Runner
import Stages
import Synchronization
import System

private let builtIn: [any Stage.Type] = [
  DataStage.self, DrawStage.self, SampleStage.self, ScoreStage.self, NormalizeStage.self, QuantizeStage.self,
  AnnotateStage.self, ExemplarStage.self, PoolStage.self, TrainStage.self, EvaluateStage.self,
  CommandStage.self,
]

/// Without a look at what they declare, as a worker wants them.
func allStages(with stages: [any Stage.Type]) -> [any Stage.Type] { builtIn + stages }

private let known = Mutex(registry(of: builtIn))

private func registry(of stages: [any Stage.Type]) -> StageRegistry {
  StageRegistry(
    stages, describeModel: describeModel,
    fetchedModel: { sha256, name in (try? ModelCache.standard()).map { "\($0.root)/\(sha256)/\(name)" } },
    fetchedData: { digest in try? DataSetSource.standard().paths(of: digest) })
}

var stageRegistry: StageRegistry { known.withLock { $0 } }

/// Before the first command reads the list.
func addStages(_ stages: [any Stage.Type]) {
  known.withLock { known in
    for stage in stages where known.stage(named: stage.declaration.name) != nil {
      finish {
        throw RunError(
          .bug, "two stages are called `\(stage.declaration.name)`: `\(stage)` and one before it; rename one")
      }
    }
    known = registry(of: known.stages + stages)
  }
}
