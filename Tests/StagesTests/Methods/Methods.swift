// Golden vectors of the methods: what the originals of Quark and ALT compute, rule by rule, and where an option changes it.

import JSON
import Models
import Runner
import Stages
import Testing

/// The rules are those of METHODS, the specification of the originals' behaviour, by section, and its hazards 9 to 24 of 4.2.
/// Expected numbers are literals from there, or by a formula that stands beside them; none is made by the code under test.
///
/// | rule | file |
/// |---|---|
/// | 1.0 shards | `ShardVectors` |
/// | 1.1, 1.2 data and draws; hazards 16, 17, 24 | `DataVectors` |
/// | 1.3 conditioning; hazards 10, 11 | `ConditioningVectors` |
/// | 1.1, 1.5 reward models; hazards 9, 10, 11 | `RewardVectors` |
/// | 1.6.2 replies of ALT-LMU; hazards 18, 19 | `AnalysisVectors` |
/// | 1.6.3, 1.6.4 categories; hazard 15 | `CategoryVectors` |
/// | 1.7 quantiles; hazard 12 | `QuantileVectors` |
/// | 1.7 picks and what is kept; hazards 15, 17 | `PoolVectors`, `PoolStatisticsVectors` |
/// | 1.8 targets, end rule | `TargetVectors`, `EndRuleVectors` |
/// | 1.10 losses; hazard 13 | `LossVectors` |
/// | 1.11 steps, schedule, freezing, clipping; hazard 23 | `ScheduleVectors` |
/// | 1.13 metrics; hazard 20 | `MetricVectors` |
///
/// Elsewhere, against programs of others: pairs in PyTorch (`PreferencePairTests`), texts of reward models in Python
/// (`RewardReaderTests`), optimizers (`OptimizerTests`), new tokens (`VocabularyGrowthTests`), ROUGE (`RougeTests`). By their
/// properties: exemplars (`ExemplarStageTests`), questions that are asked again (`AnnotateStageTests`, hazard 18), adaptive
/// coefficients (`AdaptiveObjectiveTests`).
///
/// Hazards 14, 21 and 22 have no option: there are no sentinels, no replies are collated by position, and every name and length
/// is written.
@Suite enum Methods {}

extension ModelBench {
  /// What a stage's model would read. Nothing is computed.
  func inputs<S: Stage>(
    of stage: S, _ options: JSON, models: [String: String], rows: [Row], port: String = "rows"
  ) throws -> ModelInputProbe.Found {
    let probe = ModelInputProbe(limit: 100) { [reporter] in reporter.log($0) }
    var circumstances = ModelBench.Circumstances()
    circumstances.reporter = probe
    #expect(throws: EndOfProbe.self) {
      try run(stage, options, models: models, rows: rows, port: port, circumstances)
    }
    return try #require(probe.found)
  }

  /// A model that gives `a`, `b` and `c` these probabilities, whatever it reads.
  func model(_ name: String, _ a: Double, _ b: Double, _ c: Double) throws -> String {
    let tokenizer = try openCheckpoint(model("\(name)-start") { $0.family = .gptj }).requireTokenizer()
    return try model(name) {
      $0.family = .gptj
      for (text, probability) in [("a", a), ("b", b), ("c", c)] {
        let ids = tokenizer.encode(text)
        #expect(ids.count == 1)
        $0.distribution[ids[0]] = probability
      }
    }
  }
}

extension ModelInputProbe.Found {
  /// Each input's text before what is trained on; all of it where nothing is.
  var contexts: [String] {
    inputs.map { input in
      tokenizer.decode(
        Array(input.tokens[..<(input.targets.first?.lowerBound ?? input.tokens.count)]), skipSpecial: false)
    }
  }
}

/// The object with other members.
func with(_ object: JSON, _ members: [(String, JSON)]) -> JSON {
  var changed = object.objectValue ?? JSONObject()
  for (name, value) in members { changed[name] = value }
  return .object(changed)
}
