// METHODS 1.11: steps, warm-up and decay, clipping, and which blocks train.

import JSON
import Models
import Runner
import Stages
import Testing

extension Methods {
  @Suite struct ScheduleVectors {
    let bench = ModelBench()

    // MARK: steps

    /// Prompts * samples * 2 epochs over the batches of two cards, and 0.05 of it: 128, 102.4 and 25.6. The originals hand the
    /// fraction on; here a part of a step is a whole one: 102.4 is 103 and 25.6 is 26.
    @Test(arguments: [
      (prompts: 2048, samples: 10, batch: 16, steps: 2560, warmUp: 128),
      (2048, 8, 16, 2048, 103), (2048, 8, 64, 512, 26),
    ])
    func `steps and warm-up are counted as the originals count them, a part of a step as a whole one`(
      counts: (prompts: Int, samples: Int, batch: Int, steps: Int, warmUp: Int)
    ) {
      let plan = BatchPlan(
        ids: (0..<counts.prompts * counts.samples).map { "r\($0)" }, batchSize: counts.batch, dropLast: false,
        seed: 7)
      #expect(plan.stepsPerEpoch * 2 == counts.steps)
      let schedule = LearningRateSchedule(
        peak: 2e-5, steps: counts.steps, warmUpLength: .share(0.05), warmUp: .logarithmic, decay: .linear)
      #expect(schedule.warmUpSteps == counts.warmUp)
    }

    /// The originals count ceil(20 * 2 / 16) = 3 steps over 2 epochs of 20 samples, and leave out the last batch of each. Here
    /// an epoch is ceil(20 / 16) = 2 steps, or with `drop_last` 1; `steps: 3` gives the originals' number.
    @Test(arguments: [(false, nil, 4), (true, nil, 2), (false, 3, 3), (true, 3, 3)] as [(Bool, Int?, Int)])
    func `where samples make no whole batches the steps of each epoch are counted`(
      dropsLast: Bool, steps: Int?, expected: Int
    ) throws {
      let row = Row(["id": "r", "prompt": "The", "generations": .array((0..<20).map { _ in "a" })])
      let output = try bench.run(
        TrainStage(),
        [
          "lr": 1e-30, "conditioning": ["kind": "none"], "batch_size": 16, "epochs": 2,
          "drop_last": .bool(dropsLast), "steps": steps.map { .int(Int64($0)) } ?? .null,
        ], models: ["model": bench.model("policy", 0.5, 0.3, 0.2)], rows: [row], mode: "fp32")
      #expect(try bench.json("\(output)/metrics.json")["steps"] == .int(Int64(expected)))
    }

    // MARK: rates

    private func schedule(
      _ steps: Int, _ ratio: Double, _ warmUp: LearningRateSchedule.WarmUp,
      _ decay: LearningRateSchedule.Decay
    ) -> LearningRateSchedule {
      LearningRateSchedule(
        peak: 2e-5, steps: steps, warmUpLength: .share(ratio), warmUp: warmUp, decay: decay)
    }

    /// WarmupDecayLR: log(t + 1) / log(128) while t < 128, then (2560 - t) / (2560 - 128).
    @Test(arguments: [
      (0, 0), (1, 0.142857143), (3, 0.285714286), (63, 0.857142857), (127, 1), (128, 1), (1344, 0.5),
      (2559, 0.000411184), (2560, 0), (9999, 0),
    ])
    func `the schedule warms up by the logarithm and decays to zero`(step: Int, share: Double) {
      let rate = schedule(2560, 0.05, .logarithmic, .linear).rate(at: step)
      #expect(abs(rate / 2e-5 - share) < 1e-6, "\(rate / 2e-5)")
    }

    /// Hazard 23: the default warm-up is the straight line t / 128, 0.492 where the original has 0.857.
    @Test(arguments: [
      (0, 0), (1, 0.0078125), (63, 0.4921875), (127, 0.9921875), (128, 1), (1344, 0.5), (2559, 0.000411184),
    ])
    func `the straight warm-up reaches the peak after its last step`(step: Int, share: Double) {
      let rate = schedule(2560, 0.05, .linear, .linear).rate(at: step)
      #expect(abs(rate / 2e-5 - share) < 1e-9, "\(rate / 2e-5)")
    }

    /// The originals' log(103) / log(102.4) is 1.00126, above the peak, at step 102. Here w is 103, so that step 101 has
    /// log(102) / log(103), step 102 the peak, and none more.
    @Test(arguments: [
      (2048, 101, 0.997894985), (2048, 102, 1), (2048, 103, 1), (512, 12, 0.787253946), (512, 25, 1),
      (512, 26, 1),
    ])
    func `a warm-up of a fraction of a step ends at the peak`(steps: Int, step: Int, share: Double) {
      let rate = schedule(steps, 0.05, .logarithmic, .constant).rate(at: step)
      #expect(abs(rate / 2e-5 - share) < 1e-6, "\(rate / 2e-5)")
    }

    @Test func `without decay the rate stays, and a warm-up of 0 has none`() {
      let plain = schedule(10, 0, .linear, .constant)
      #expect((0..<10).allSatisfy { plain.rate(at: $0) == 2e-5 })
      // A training of one step would change nothing.
      #expect(schedule(1, 1, .linear, .linear).rate(at: 0) == 2e-5)
      // 0.07 * 100 is a little more than 7 in binary.
      #expect(schedule(100, 0.07, .linear, .constant).warmUpSteps == 7)
    }

    /// Hazard 23: in the originals every iteration starts again at the peak. With `state` and `schedule` two trainings of four
    /// steps have one schedule of eight: (8 - t) / 8.
    @Test(
      arguments: [
        (nil, [0.01, 0.0075, 0.005, 0.0025, 0.01, 0.0075, 0.005, 0.0025]),
        (8, [0.01, 0.00875, 0.0075, 0.00625, 0.005, 0.00375, 0.0025, 0.00125]),
      ] as [(Int64?, [Double])])
    func `the rate of an iteration begins anew, or goes on`(total: Int64?, rates: [Double]) throws {
      let row = Row(["id": "r", "prompt": "The", "generations": ["a", "b", "c", "a"]])
      let options: JSON = [
        "lr": 0.01, "conditioning": ["kind": "none"], "batch_size": 1, "warmup_ratio": 0.0, "steps": 4,
        "state": "full", "schedule": total.map { ["total_steps": .int($0)] } ?? .null,
      ]
      let model = try bench.model("policy", 0.5, 0.3, 0.2)
      let first = try bench.run(TrainStage(), options, models: ["model": model], rows: [row], mode: "fp32")
      let second = try bench.run(
        TrainStage(), options, models: ["model": "\(first)/model"],
        files: total == nil ? [:] : ["state": "\(first)/state"], rows: [row], mode: "fp32")
      let found = try [first, second].flatMap {
        try bench.json("\($0)/metrics.json")["lr"]?.arrayValue?.compactMap(\.doubleValue) ?? []
      }
      try #require(found.count == 8)
      #expect(zip(found, rates).allSatisfy { abs($0 - $1) < 1e-9 }, "\(found)")
    }

    // MARK: clipping

    /// Hazard 23: the originals' configuration says that gradients are not clipped; what they run under probably clips to the
    /// norm 1 (not known).
    ///
    /// One token `a` under (0.5, 0.3, 0.2): the only gradient is that of the head's bias, g = (-0.5, 0.3, 0.2), of norm
    /// 0.616441400. The first step of Adam with lr = eps = 1 is -g / (|g| + 1). Clipped to 0.1, g is
    /// (-0.081110711, 0.048666426, 0.032444284).
    @Test(
      arguments: [
        (nil, [0.333333333, -0.230769231, -0.166666667]), (1.0, [0.333333333, -0.230769231, -0.166666667]),
        (0.1, [0.075025238, -0.046407847, -0.031424682]),
      ] as [(Double?, [Double])])
    func `gradients are clipped to a norm, or not at all`(bound: Double?, change: [Double]) throws {
      let start = try bench.model("policy", 0.5, 0.3, 0.2)
      let row = Row(["id": "r", "prompt": "The", "generations": ["a"]])
      let output = try bench.run(
        TrainStage(),
        [
          "lr": 1.0, "conditioning": ["kind": "none"], "end": "never",
          "max_gradient_norm": bound.map { .double($0) } ?? .null,
          "optimizer": [
            "kind": "adamw", "beta1": 0.8, "beta2": 0.999, "epsilon": 1.0, "weight_decay": 0.0,
            "no_decay": [],
          ],
        ], models: ["model": start], rows: [row], mode: "fp32")
      let norm = try #require(
        try bench.json("\(output)/metrics.json")["gradient_norm"]?.arrayValue?.first?.doubleValue)
      #expect(abs(norm - 0.616441400) < 1e-6)
      let tokenizer = try openCheckpoint(start).requireTokenizer()
      let biases = try [start, "\(output)/model"].map {
        try openCheckpoint($0).tensors.floats("lm_head.bias")
      }
      for (text, expected) in zip(["a", "b", "c"], change) {
        let id = Int(tokenizer.encode(text)[0])
        #expect(abs(Double(biases[1][id] - biases[0][id]) - expected) < 1e-6, "\(text)")
      }
    }

    // MARK: freezing

    /// int(ratio * blocks) of the last blocks train, and with them the embedding, the last norm and the head: 8 of 28, as 8.4
    /// is cut. Where that is 0 the original freezes nothing (hazard 23); here it is 0.
    @Test(arguments: [(28, 0.3, 8), (28, 1.0, 28), (3, 0.3, 0), (4, 0.5, 2), (2, 0.0, 0)])
    func `the last blocks train, and what is not a block`(blocks: Int, ratio: Double, trained: Int) throws {
      let model = try bench.model {
        $0.family = .gptj
        $0.layers = blocks
      }
      let output = try bench.run(
        TrainStage(),
        [
          "lr": 0.01, "conditioning": ["kind": "none"], "steps": 1, "unfrozen_ratio": .double(ratio),
          "adam": ["beta1": 0.8, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 3e-7],
        ], models: ["model": model], rows: [pooledRows()[0]], mode: "fp32")
      let (before, after) = (try openCheckpoint(model), try openCheckpoint("\(output)/model"))
      var changed: Set<Int> = []
      for tensor in before.configuration.layout.tensors {
        let isChanged =
          try before.tensors.floats(tensor.name) != after.tensors.floats(tensor.name)
        if let layer = tensor.layer {
          if isChanged { changed.insert(layer) }
        } else {
          #expect(isChanged, "\(tensor.name)")
        }
      }
      #expect(changed == Set(blocks - trained..<blocks))
    }
  }
}
