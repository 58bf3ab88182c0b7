// What a step changes and what it leaves: frozen tensors, clipping, the schedule, the order of examples.

import Models
import Testing

struct TrainingStepTests {
  @Test(arguments: [0, 1, 2], [false, true])
  func `frozen tensors keep their bits and the others change`(blocks: Int, embeddings: Bool) throws {
    for model in ["tied", "untied"] {
      let bench = TrainingBench(model: model, trainableBlocks: blocks, trainsEmbeddings: embeddings)
      let trainer = try bench.trainer()
      let before = try bench.trainer().parameters
      let layers = model == "tied" ? 3 : 2
      let expected = before.names.filter { name in
        if name == "model.norm.weight" { return true }
        if name.hasPrefix("model.layers.") {
          return (layers - blocks..<layers).contains { name.hasPrefix("model.layers.\($0).") }
        }
        return embeddings
      }
      #expect(trainer.trainable == expected)
      try TrainingBench.train(trainer, to: 2)
      #expect(differences(trainer.parameters, before) == expected, "\(model)")
    }
  }

  @Test func `what a frozen part computes does not depend on the budget either`() throws {
    var bench = TrainingBench(tokenBudget: 1, trainableBlocks: 1, trainsEmbeddings: false)
    let one = try bench.trainer()
    try TrainingBench.train(one, to: 3)
    bench.tokenBudget = 10_000
    let all = try bench.trainer()
    try TrainingBench.train(all, to: 3)
    #expect(differences(one.parameters, all.parameters) == [])
  }

  /// With a large epsilon AdamW's first step is lr * g / (|g| + epsilon), which shows the gradient's scale.
  @Test(arguments: [nil, 1e9, 0.1, 0.01])
  func `clipping scales the gradient down to the norm and not up`(maximum: Double?) throws {
    var bench = TrainingBench(mode: .fp32, maximumGradientNorm: maximum)
    bench.optimizer = AdamW(beta1: 0.9, beta2: 0.99, epsilon: 0.5, weightDecay: 0)
    bench.warmUpRatio = 0
    let batch = TrainingBench.batch(0)
    let trainer = try bench.trainer()
    let before = try bench.trainer().parameters
    let gradients = try bench.trainer().gradient(batch).gradients
    let squares = gradients.names.reduce(0.0) { sum, name in
      gradients[name].read().reduce(sum) { $0 + Double($1) * Double($1) }
    }
    let report = try trainer.train(batch)
    #expect(abs(report.gradientNorm - squares.squareRoot()) < 1e-5 * report.gradientNorm)
    #expect(report.gradientNorm > 0.2)
    let scale = min(1, (maximum ?? .infinity) / report.gradientNorm)
    var worst = 0.0
    var largest = 0.0
    for name in before.names {
      let (old, new) = (before[name].read(), trainer.parameters[name].read())
      for (index, gradient) in gradients[name].read().enumerated() {
        let g = Double(gradient) * scale
        let expected = -report.learningRate * g / (abs(g) + 0.5)
        let found = Double(new[index]) - Double(old[index])
        worst = max(worst, abs(found - expected))
        largest = max(largest, abs(expected))
      }
    }
    // A weight near 1 moves in steps of 6e-8.
    #expect(worst < 1.5e-7 && largest > 1e-6, "\(worst) of \(largest)")
  }

  @Test func `a loss that is not a number is an error and changes nothing`() throws {
    let bench = TrainingBench()
    let trainer = try bench.trainer { parameters in
      var weights = parameters["model.norm.weight"].read()
      weights[0] = .nan
      parameters["model.norm.weight"].write(weights)
    }
    let before = bits(trainer.parameters)
    let error = #expect(throws: TrainingDiverged.self) { _ = try trainer.train(TrainingBench.batch(0)) }
    #expect(error?.description.contains("at step 1, before any update: the policy or the reference") == true)
    #expect(bits(trainer.parameters) == before && trainer.step == 0)
  }

  /// Rows of the embedding without a gradient: 0 / 0 without an epsilon. The step's own loss is good, and none follows.
  @Test func `parameters that the last update broke are an error that names the tensor`() throws {
    var bench = TrainingBench(model: "untied")
    bench.warmUpRatio = 0
    let good = try bench.trainer()
    _ = try good.train(TrainingBench.batch(0))
    try good.checkParameters()
    bench.optimizer = AdamW(beta1: 0.9, beta2: 0.99, epsilon: 0, weightDecay: 0)
    let trainer = try bench.trainer()
    _ = try trainer.train(TrainingBench.batch(0))
    let error = #expect(throws: TrainingDiverged.self) { try trainer.checkParameters() }
    #expect(
      error?.description.contains(
        "numbers of the tensor `model.embed_tokens.weight` are NaN or infinite after step 1") == true)
  }

  @Test func `a group's rows learn at its rate, and the others as without it`() throws {
    func trained(_ groups: [ParameterGroup]) throws -> Parameters {
      var bench = TrainingBench(model: "untied", warmUpRatio: 0)
      bench.groups = groups
      let trainer = try bench.trainer()
      try TrainingBench.train(trainer, to: 1)
      return trainer.parameters
    }
    let (before, common) = (try TrainingBench(model: "untied").trainer().parameters, try trained([]))
    let (table, norm) = ("model.embed_tokens.weight", "model.norm.weight")
    let found = try trained([
      ParameterGroup([.init(table, rows: 10..<20), .init(norm)], learningRateFactor: 0),
      ParameterGroup([.init(table, rows: 90..<96)], learningRateFactor: 2),
    ])
    #expect(differences(found, common) == [table, norm])
    #expect(found[norm].read() == before[norm].read())
    func rows(_ parameters: Parameters, _ range: Range<Int>) -> [Float] {
      parameters[table].slice(range).read()
    }
    #expect(rows(found, 10..<20) == rows(before, 10..<20) && rows(common, 10..<20) != rows(before, 10..<20))
    #expect(
      rows(found, 0..<10) == rows(common, 0..<10) && rows(found, 20..<90) == rows(common, 20..<90))
    // The decay of the weights doubles with the rate, as the rest of the step does.
    let steps = zip(rows(before, 90..<96), zip(rows(common, 90..<96), rows(found, 90..<96)))
    #expect(steps.allSatisfy { abs(($1.1 - $0) - 2 * ($1.0 - $0)) < 1e-6 })
    #expect(steps.contains { abs($1.0 - $0) > 1e-3 })
  }

  private func schedule(
    _ steps: Int, _ ratio: Double, _ warmUp: LearningRateSchedule.WarmUp, _ decay: LearningRateSchedule.Decay
  ) -> LearningRateSchedule {
    LearningRateSchedule(peak: 2e-5, steps: steps, warmUpLength: .share(ratio), warmUp: warmUp, decay: decay)
  }

  /// A share of 1.05 steps gave the second step 14 times the peak.
  @Test(arguments: [LearningRateSchedule.WarmUp.linear, .logarithmic])
  func `no step's rate is above the peak, and only a warm-up's first is 0`(
    warmUp: LearningRateSchedule.WarmUp
  ) {
    for steps in 1...60 {
      for ratio in [0, 1e-9, 0.03, 0.05, 0.06, 0.12, 0.5, 0.99, 1] {
        let schedule = schedule(steps, ratio, warmUp, .linear)
        let rates = (0..<steps).map { schedule.rate(at: $0) }
        #expect(rates.allSatisfy { $0 <= 2e-5 }, "\(steps) steps, \(ratio)")
        let warms = steps > 1 && ratio > 0
        #expect(
          (rates[0] == 0) == warms && rates.dropFirst().allSatisfy { $0 > 0 }, "\(steps) steps, \(ratio)")
      }
    }
    for ratio in [0.05, 0.06, 0.12] {
      // 21 steps: a warm-up of 2, 2 and 3.
      let rates = (0..<4).map { schedule(21, ratio, .logarithmic, .constant).rate(at: $0) / 2e-5 }
      let expected: [Double] = ratio < 0.1 ? [0, 1, 1, 1] : [0, 0.63092975, 1, 1]
      #expect(zip(rates, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(rates)")
    }
  }

  /// Of transformers 5.24: `get_cosine_schedule_with_warmup` and `get_cosine_with_min_lr_schedule_with_warmup` with 3 of 11 steps.
  @Test(arguments: [
    (
      0.0,
      [
        0, 0.3333333333333333, 0.6666666666666666, 1, 0.9619397662556434, 0.8535533905932737,
        0.6913417161825449, 0.5, 0.30865828381745514, 0.14644660940672627, 0.03806023374435663, 0,
      ]
    ),
    (
      0.1,
      [
        0, 0.3333333333333333, 0.6666666666666666, 1, 0.9657457896300791, 0.8681980515339464,
        0.7222075445642904, 0.55, 0.3777924554357096, 0.23180194846605365, 0.13425421036992097, 0.1,
      ]
    ),
  ])
  func `the cosine decays as transformers' does, to the floor`(floor: Double, expected: [Double]) {
    let schedule = LearningRateSchedule(
      peak: 1, steps: 11, warmUpLength: .steps(3), warmUp: .linear, decay: .cosine, floor: floor)
    for (step, rate) in expected.enumerated() {
      #expect(abs(schedule.rate(at: step) - rate) < 1e-15, "step \(step)")
    }
    #expect(schedule.rate(at: 999) == floor)
  }

  @Test func `the linear decay has a floor, and a warm-up a number of steps`() {
    func schedule(_ warmUp: LearningRateSchedule.WarmUp, _ steps: Int, floor: Double = 0.2)
      -> LearningRateSchedule
    {
      LearningRateSchedule(
        peak: 1, steps: 10, warmUpLength: .steps(steps), warmUp: warmUp, decay: .linear, floor: floor)
    }
    let linear = schedule(.linear, 2)
    #expect(linear.warmUpSteps == 2 && linear.rate(at: 1) == 0.5 && linear.rate(at: 2) == 1)
    #expect(abs(linear.rate(at: 6) - 0.6) < 1e-15 && linear.rate(at: 10) == 0.2)
    // The logarithm's first whole warm-up has two steps.
    #expect(schedule(.logarithmic, 1).warmUpSteps == 2 && schedule(.logarithmic, 0).warmUpSteps == 0)
    #expect(schedule(.linear, 0).rate(at: 0) == 1)
  }

  @Test func `the order of an epoch does not depend on the order examples came in`() {
    let ids = (0..<50).map { "row\($0 / 3)#\($0 % 3)" }
    func order(_ ids: [String], seed: UInt64 = 5, epoch: Int = 0) -> [String] {
      shuffledOrder(ids, seed: seed, epoch: epoch).map { ids[$0] }
    }
    let expected = order(ids)
    #expect(expected.sorted() == ids.sorted() && expected != ids)
    #expect(order(ids.reversed()) == expected)
    #expect(order(ids.sorted()) == expected)
    // Leaving one out leaves the others in their order.
    #expect(order(ids.filter { $0 != "row3#1" }) == expected.filter { $0 != "row3#1" })
    #expect(order(ids, epoch: 1) != expected && order(ids, seed: 6) != expected)
  }
}
