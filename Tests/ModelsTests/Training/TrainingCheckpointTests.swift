// Stop anywhere, go on: the same bits. A damaged checkpoint is passed over, with words, and leaves no trace.

import Glibc
import JSON
import Models
import Synchronization
import System
import TestFolder
import Testing

struct TrainingCheckpointTests {
  let folder = TemporaryFolder()

  private final class Log { var lines: [String] = [] }

  @Test(arguments: [1, 3, 5], TrainingBench.objectives)
  func `training goes on from a checkpoint to the same bits`(step: Int, objective: any Objective) throws {
    for mode in NumericMode.withGradients {
      let bench = TrainingBench(mode: mode, objective: objective)
      let undisturbed = try bench.trainer()
      let losses = try TrainingBench.train(undisturbed, to: 6)

      let first = try bench.trainer()
      try TrainingBench.train(first, to: step)
      try first.saveCheckpoint(in: folder.path)
      try TrainingBench.train(first, to: step + 1)

      let second = try bench.trainer()
      #expect(try second.restoreCheckpoint(from: folder.path) { _ in })
      #expect(second.step == step && second.series.count == step)
      #expect(try TrainingBench.train(second, to: 6) == Array(losses[step...]))
      #expect(differences(second.parameters, undisturbed.parameters) == [])
      #expect(second.series.json == undisturbed.series.json)
    }
  }

  @Test func `RMSprop, which keeps one moment, goes on from a checkpoint to the same bits`() throws {
    let bench = TrainingBench(optimizer: RMSProp(alpha: 0.9, epsilon: 1e-6, weightDecay: 0.1), warmUpRatio: 0)
    let undisturbed = try bench.trainer()
    try TrainingBench.train(undisturbed, to: 4)
    let first = try bench.trainer()
    try TrainingBench.train(first, to: 2)
    try first.saveCheckpoint(in: folder.path)
    let second = try bench.trainer()
    #expect(try second.restoreCheckpoint(from: folder.path) { _ in })
    try TrainingBench.train(second, to: 4)
    #expect(differences(second.parameters, undisturbed.parameters) == [])
    #expect(differences(try TrainingBench(warmUpRatio: 0).trainer().parameters, second.parameters) != [])
    // Its moments are not AdamW's.
    let (other, log) = (try TrainingBench().trainer(), Log())
    try second.saveCheckpoint(in: folder.path)
    #expect(try other.restoreCheckpoint(from: folder.path) { log.lines.append($0) } == false)
    #expect(log.lines.first?.contains("first.") == true, "\(log.lines)")
  }

  /// GPT-NeoX's tensors have another order in memory than in a file.
  @Test(arguments: Golden.kinds)
  func `the training of every family goes on from a checkpoint to the same bits`(model: String) throws {
    let bench = TrainingBench(model: model)
    let undisturbed = try bench.trainer()
    try TrainingBench.train(undisturbed, to: 3)
    let first = try bench.trainer()
    try TrainingBench.train(first, to: 2)
    try first.saveCheckpoint(in: folder.path)
    let second = try bench.trainer()
    #expect(try second.restoreCheckpoint(from: folder.path) { _ in })
    try TrainingBench.train(second, to: 3)
    #expect(differences(second.parameters, undisturbed.parameters) == [])
  }

  @Test func `a step's numbers stand in the series under the names that the objective gives`() throws {
    for objective in TrainingBench.objectives {
      let trainer = try TrainingBench(objective: objective).trainer()
      let step = try trainer.train(TrainingBench.batch(0))
      let numbers = [step.loss] + step.terms + [step.gradientNorm, step.learningRate] + step.coefficients
      let isAdaptive = (objective as? ConditionalObjective)?.adaptation != nil
      let names =
        ["loss"] + objective.terms + ["gradient_norm", "lr"]
        + (isAdaptive ? ["kl_coefficient", "entropy_coefficient"] : [])
      #expect(trainer.series.names == names && step.terms.count == objective.terms.count)
      #expect(
        trainer.series.json == .object(JSONObject(zip(names, numbers).map { ($0, .array([.double($1)])) })))
    }
  }

  @Test func `a checkpoint of another objective is ignored and logged`() throws {
    let conditional = try TrainingBench().trainer()
    try TrainingBench.train(conditional, to: 2)
    try conditional.saveCheckpoint(in: folder.path)
    let log = Log()
    let bench = TrainingBench(objective: SupervisedFineTuning())
    let tuned = try bench.trainer()
    #expect(try tuned.restoreCheckpoint(from: folder.path) { log.lines.append($0) } == false)
    #expect(
      log.lines.count == 1
        && log.lines[0].contains(
          "its `record` does not hold 2 numbers each of loss, lm, gradient_norm, lr, and nothing else"),
      "\(log.lines)")
    #expect(tuned.step == 0 && tuned.series.count == 0)
    let fresh = try bench.trainer()
    #expect(try TrainingBench.train(tuned, to: 2) == TrainingBench.train(fresh, to: 2))
    #expect(differences(tuned.parameters, fresh.parameters) == [])
  }

  @Test func `only the newest checkpoint stays, whole under its name`() throws {
    let trainer = try TrainingBench().trainer()
    #expect(try trainer.restoreCheckpoint(from: folder.path + "/absent") { _ in } == false)
    for step in 1...3 {
      try TrainingBench.train(trainer, to: step)
      try trainer.saveCheckpoint(in: folder.path)
      #expect(folder.names == ["step-\(step).safetensors"])
    }
  }

  @Test func `a checkpoint written beside the next step is the one that would have been written before it`()
    throws
  {
    let (trainer, waiting) = (try TrainingBench().trainer(), TemporaryFolder())
    try TrainingBench.train(trainer, to: 2)
    try trainer.saveCheckpoint(in: waiting.path)
    try trainer.beginCheckpoint(in: folder.path)
    try TrainingBench.train(trainer, to: 3)
    // No wait here: a step ends after the checkpoint beside it.
    #expect(folder.names == ["step-2.safetensors"])
    #expect(folder.bytes("step-2.safetensors") == waiting.bytes("step-2.safetensors"))
  }

  private final class Seen: Sendable { let bits = Mutex<[[UInt32]]>([]) }

  @Test func `a step changes nothing until a slow checkpoint has read it`() throws {
    let trainer = try TrainingBench(warmUpRatio: 0).trainer()
    let (parameters, seen) = (trainer.parameters, Seen())
    let before = bits(parameters)
    // Much longer than a step.
    try trainer.beforeUpdate {
      usleep(500_000)
      seen.bits.withLock { $0 = bits(parameters) }
    }
    try TrainingBench.train(trainer, to: 1)
    #expect(seen.bits.withLock { $0 } == before)
    #expect(bits(parameters) != before)
  }

  @Test func `a checkpoint that cannot be written ends the next step before it changes anything`() throws {
    let trainer = try TrainingBench().trainer()
    try TrainingBench.train(trainer, to: 1)
    let before = bits(trainer.parameters)
    try trainer.beginCheckpoint(in: "\(folder.path)/absent")
    let error = #expect(throws: SystemError.self) { try TrainingBench.train(trainer, to: 2) }
    #expect(
      error?.code == ENOENT && error?.path == "\(folder.path)/absent/step-1.safetensors", "\(error as Any)")
    #expect(trainer.step == 1 && bits(trainer.parameters) == before)
    // Said once; the step can be taken after that, and is the same.
    let undisturbed = try TrainingBench().trainer()
    #expect(try TrainingBench.train(trainer, to: 2) == TrainingBench.train(undisturbed, to: 2).suffix(1))
    #expect(differences(trainer.parameters, undisturbed.parameters) == [])
    // Nor does the next checkpoint hide it, nor an end of training.
    try trainer.beginCheckpoint(in: "\(folder.path)/absent")
    #expect(throws: SystemError.self) { try trainer.beginCheckpoint(in: folder.path) }
    try trainer.beginCheckpoint(in: "\(folder.path)/absent")
    #expect(throws: SystemError.self) { try trainer.finishCheckpoint() }
  }

  @Test func `what a killed write left goes with the next checkpoint`() throws {
    let trainer = try TrainingBench().trainer()
    try folder.write("half", to: "step-7.safetensors.0-0-0.tmp")
    #expect(try trainer.restoreCheckpoint(from: folder.path) { _ in } == false)
    try trainer.saveCheckpoint(in: folder.path)
    #expect(folder.names == ["step-0.safetensors"])
  }

  enum Damage: CaseIterable {
    case cut, emptied, header, flippedBit, flippedMoment, flippedChecksum, missingTensor, missingChecksum,
      otherShape
    case noStep, badRecord, otherRecord, shortRecord
  }

  private func damage(_ name: String, _ damage: Damage) throws {
    var bytes = folder.bytes(name)
    func replace(_ old: String, _ new: String) throws {
      let old = Array(old.utf8)
      #expect(old.count == new.utf8.count)
      let place = try #require((0..<min(bytes.count, 100_000)).first { bytes[$0...].starts(with: old) })
      bytes.replaceSubrange(place..<place + old.count, with: new.utf8)
    }
    switch damage {
    case .cut: bytes.removeLast(bytes.count / 3)
    case .emptied: bytes = []
    case .header: bytes[9] = 0x7B
    // The files hold parameters, then both moments, then 32 bytes of checksum.
    case .flippedBit: bytes[bytes.count / 4] ^= 0x10
    case .flippedMoment: bytes[bytes.count - 35] ^= 0x01
    case .flippedChecksum: bytes[bytes.count - 3] ^= 0x01
    case .missingTensor: try replace("\"second.model.norm.weight\"", "\"second.model.norm.weighs\"")
    case .missingChecksum: try replace("\"checksum\"", "\"checksun\"")
    case .otherShape: try replace("[96,64]", "[64,96]")
    case .noStep: try replace("\"step\"", "\"stop\"")
    case .badRecord: try replace("\"record\":\"{", "\"record\":\"[")
    case .otherRecord: try replace("\\\"gradient_norm\\\"", "\\\"gradient_nurm\\\"")
    case .shortRecord: try replace("\"step\":\"2\"", "\"step\":\"3\"")
    }
    try folder.write(bytes, to: name)
  }

  @Test(arguments: Damage.allCases)
  func `a damaged checkpoint is passed over, with words, and changes nothing`(damage: Damage) throws {
    let bench = TrainingBench()
    let trainer = try bench.trainer()
    try TrainingBench.train(trainer, to: 2)
    try trainer.saveCheckpoint(in: folder.path)
    try self.damage("step-2.safetensors", damage)

    let log = Log()
    let fresh = try bench.trainer()
    let start = bits(fresh.parameters)
    #expect(try fresh.restoreCheckpoint(from: folder.path) { log.lines.append($0) } == false)
    #expect(log.lines.count == 1)
    #expect(
      log.lines.first?.contains("ignored") == true
        && log.lines.first?.contains("step-2.safetensors") == true, "\(log.lines)")
    #expect(fresh.step == 0)
    #expect(bits(fresh.parameters) == start)
    // Moments as well: from here on it trains as if nothing had been there.
    try TrainingBench.train(fresh, to: 2)
    #expect(differences(fresh.parameters, trainer.parameters) == [])
  }

  @Test func `behind a damaged checkpoint an older one counts`() throws {
    let bench = TrainingBench()
    let trainer = try bench.trainer()
    try TrainingBench.train(trainer, to: 1)
    try trainer.saveCheckpoint(in: folder.path)
    let older = folder.bytes("step-1.safetensors")
    try TrainingBench.train(trainer, to: 2)
    try trainer.saveCheckpoint(in: folder.path)
    try folder.write(older, to: "step-1.safetensors")
    try damage("step-2.safetensors", .flippedBit)

    let fresh = try bench.trainer()
    let log = Log()
    #expect(try fresh.restoreCheckpoint(from: folder.path) { log.lines.append($0) })
    #expect(log.lines.count == 1 && fresh.step == 1)
    try TrainingBench.train(fresh, to: 2)
    #expect(differences(fresh.parameters, trainer.parameters) == [])
  }
}
