// METHODS 1.10: the loss of a policy on three symbols, by hand.

import JSON
import Models
import Runner
import Stages
import Testing

extension Methods {
  /// The policy gives `a`, `b` and `c` 0.5, 0.3 and 0.2, the reference 0.2, 0.2 and 0.6, whatever they read.
  @Suite struct LossVectors {
    let bench = ModelBench()

    /// The terms of the first step, before anything has changed.
    private func terms(
      _ generations: [JSON], _ objective: [(String, JSON)], _ conditioning: JSON = ["kind": "none"]
    ) throws -> JSON {
      let policy = try bench.model("policy", 0.5, 0.3, 0.2)
      let reference = try bench.model("reference", 0.2, 0.2, 0.6)
      let row = Row([
        "id": "r", "prompt": "The", "generations": .array(generations),
        "quantiles": .array(generations.map { _ in 0 }),
      ])
      let options: JSON = [
        "lr": 1e-30, "conditioning": conditioning, "end": "never", "batch_size": 8,
        "objective": with(["kind": "conditional"], objective),
      ]
      let output = try bench.run(
        TrainStage(), options, models: ["model": policy, "reference": reference], rows: [row], mode: "fp32")
      return try bench.json("\(output)/metrics.json")
    }

    private func expect(_ metrics: JSON, _ name: String, _ expected: Double) throws {
      let found = try #require(metrics[name]?.arrayValue?.first?.doubleValue)
      #expect(abs(found - expected) < 1e-6, "\(name): \(found), expected \(expected)")
    }

    /// In nats, L = lm + b KL - a H with
    ///
    ///     lm of one `a`     = ln 2
    ///     KL(ref || policy) = 0.2 ln(0.2 / 0.5) + 0.2 ln(0.2 / 0.3) + 0.6 ln(0.6 / 0.2)      ALT
    ///     KL(policy || ref) = 0.5 ln(0.5 / 0.2) + 0.3 ln(0.3 / 0.2) + 0.2 ln(0.2 / 0.6)      Quark
    ///     H                 = -(0.5 ln 0.5 + 0.3 ln 0.3 + 0.2 ln 0.2)
    @Test(arguments: [
      ("reference_policy", 0.05, 0.06, 0.394816205, 0.651108810),
      ("policy_reference", 0.05, 0.06, 0.360062441, 0.649371122),
      ("reference_policy", 1.0, 0.0, 0.394816205, 1.087963386),
      ("policy_reference", 1.0, 0.0, 0.360062441, 1.053209621),
      // The released scripts: no KL. What is not computed is 0.
      ("reference_policy", 0.0, 0.06, 0, 0.631367999), ("policy_reference", 0.0, 0.0, 0, 0.693147181),
    ])
    func `the divergence has two directions`(
      direction: String, kl: Double, entropy: Double, divergence: Double, loss: Double
    ) throws {
      let found = try terms(
        ["a"], [("kl", .double(kl)), ("entropy", .double(entropy)), ("kl_direction", .string(direction))])
      try expect(found, "lm", 0.693147181)
      try expect(found, "kl", divergence)
      try expect(found, "entropy", 1.029653014)
      try expect(found, "loss", loss)
    }

    /// (2 * -ln 0.5 - ln 0.3 - ln 0.2) / 4; the mean of the two sequences' means would be 1.236430150.
    @Test func `the mean is over all tokens of a batch, not over its samples`() throws {
      let found = try terms(["aab", "c"], [("kl", 0.05), ("entropy", 0.06)])
      try expect(found, "lm", 1.049926269)
      try expect(found, "loss", 1.007887899)
      try expect(try terms(["a", "b", "c"], []), "lm", 1.168852632)
    }

    /// Quark: the columns of the K class tokens are dropped before the softmax for the KL only. A new token's logit is 0 here,
    /// so that five of them take 5/6 of the probability: lm = -ln(0.5 / 6), H is that of (0.5, 0.3, 0.2, 1, 1, 1, 1, 1) / 6,
    /// and the KL is that of the three.
    @Test(arguments: [("reference_policy", 0.394816205), ("policy_reference", 0.360062441)])
    func `class tokens count in lm and entropy, and not in the divergence`(
      direction: String, divergence: Double
    ) throws {
      let found = try terms(
        ["a"], [("kl", 0.05), ("entropy", 0.06), ("kl_direction", .string(direction))],
        ["kind": "tokens", "classes": 5, "opening": "", "words": nil])
      try expect(found, "lm", 2.484906650)
      try expect(found, "kl", divergence)
      try expect(found, "entropy", 1.963368305)
      try expect(found, "loss", 2.484906650 + 0.05 * divergence - 0.06 * 1.963368305)
    }

    // MARK: what the reference reads

    /// Hazard 13: in ALT's TL;DR training the reference reads the conditioning too; in Quark, and by default, it does not.
    @Test func `the reference reads the conditioning, or the prompt alone`() {
      let example = TrainingExample(
        id: "r#0", context: [90, 1, 2], unconditioned: [1, 2], output: [3, 4])
      for (keeps, tokens, rows) in [
        (true, [90, 1, 2, 3] as [Int32], [2, 3]), (false, [1, 2, 3], [1, 2]),
      ] {
        let objective = ConditionalObjective(kl: 0.05, entropy: 0, referenceConditioned: keeps)
        #expect(objective.reference?.conditioned == keeps)
        let read = objective.sequences(of: example, conditioned: keeps)
        #expect(read.map(\.tokens) == [tokens])
        // It predicts the same tokens in either case.
        #expect(read.map(\.rows) == [rows] && read.map(\.labels) == [[3, 4]])
      }
    }

    /// A model beside itself: with the same text it is at no distance, with another one it is.
    @Test(arguments: [("keep", true), ("strip", false)])
    func `the option says what the reference reads`(option: String, isEqual: Bool) throws {
      let model = try bench.model()
      let row = Row(["id": "r", "prompt": "The", "generations": [" film"], "quantiles": [1]])
      for direction in ["reference_policy", "policy_reference"] {
        let output = try bench.run(
          TrainStage(),
          [
            "lr": 1e-30,
            "conditioning": ["kind": "text", "prefixes": ["Excellent. input: ", "Horrible. input: "]],
            "objective": [
              "kind": "conditional", "kl": 0.05, "kl_direction": .string(direction),
              "reference_conditioning": .string(option),
            ],
          ], models: ["model": model, "reference": model], rows: [row], mode: "fp32")
        let kl = try #require(
          try bench.json("\(output)/metrics.json")["kl"]?.arrayValue?.first?.doubleValue)
        #expect((abs(kl) < 1e-9) == isEqual, "\(kl)")
        #expect(isEqual || kl > 1e-3, "\(kl)")
      }
    }
  }
}
