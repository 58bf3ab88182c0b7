// Prompts on which a model is evaluated though it was trained on them: what `check` can know of it from the data files.

import Experiments
import JSON
import Synchronization
import System

extension Fact {
  /// Of rows: the `data` stages whose prompts they have, by their names in `KnownPrompts`.
  static let prompts = "prompts"
  /// Of a model: those whose prompts it was trained on. Of rows: of the models that made, scored or annotated them.
  static let trainedPrompts = "trained_prompts"
}

extension StageFindings {
  /// What an output has of the prompts of rows and of the prompts that models were trained on.
  /// - Parameters:
  ///   - artifacts: the rows that it is made of.
  ///   - models: that made it of them.
  mutating func passPrompts(
    of artifacts: [KnownArtifact], and models: [KnownArtifact] = [], to output: String
  ) {
    declare(Fact.prompts, artifacts.names(Fact.prompts), of: output)
    declare(Fact.trainedPrompts, (artifacts + models).names(Fact.trainedPrompts), of: output)
  }

  /// A model that was trained on these rows is one that knows their prompts.
  mutating func passPrompts(ofTraining rows: [KnownArtifact], from model: [KnownArtifact], to output: String)
  {
    let all = Set(model.names(Fact.trainedPrompts) + rows.names(Fact.prompts))
    declare(Fact.trainedPrompts, all.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, of: output)
  }

  private mutating func declare(_ name: String, _ sets: [String], of output: String) {
    if !sets.isEmpty { declare(name, .array(sets.map { .string($0) }), of: output) }
  }

  /// Warns of prompts that stand in the rows and in what models were trained on.
  mutating func checkOverlap(of rows: [KnownArtifact], readBy models: [KnownArtifact]) {
    let known = KnownPrompts.shared
    let trained = (rows + models).names(Fact.trainedPrompts).compactMap { known.prompts(of: $0) }
    let evaluated = rows.names(Fact.prompts).compactMap { known.prompts(of: $0) }
      .reduce(into: Set<UInt64>()) { $0.formUnion($1) }
    let count = evaluated.count { prompt in trained.contains { $0.contains(prompt) } }
    guard count > 0 else { return }
    warning(
      .trainedPrompts,
      "\(count) of the \(evaluated.count) prompts of these rows are also among those that a model was trained on",
      at: .input("rows"), label: "evaluated on what was trained on",
      help:
        "`partition` of `data` keeps rows for training and for evaluation apart; where it is meant, `overlap` among `metrics` counts them and this is not said"
    )
  }
}

extension [KnownArtifact] {
  /// Each once, in one order.
  fileprivate func names(_ fact: String) -> [String] {
    Set(flatMap { $0.facts[fact]?.arrayValue?.compactMap(\.stringValue) ?? [] })
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}

/// The prompts of `data` stages, read when they are first asked for.
final class KnownPrompts: Sendable {
  static let shared = KnownPrompts()

  /// Of larger files nothing is known before a run.
  static let bytesRead = 1 << 24

  private enum State {
    case declared(StageOptions)
    /// Nil where they are not known.
    case read(Set<UInt64>?)
  }

  private let states = Mutex<[String: State]>([:])

  /// - Returns: the name by which `prompts(of:)` knows them.
  func declare(_ options: StageOptions) -> String {
    let name = String(Digest.of(text: options.json.text(.canonical)).hex.prefix(16))
    states.withLock { if $0[name] == nil { $0[name] = .declared(options) } }
    return name
  }

  /// A number for each prompt; texts that differ in white space and case alone have one number. Nil where they are not known.
  func prompts(of name: String) -> Set<UInt64>? {
    states.withLock { states in
      switch states[name] {
      case nil: return nil
      case .read(let prompts): return prompts
      case .declared(let options):
        let prompts = Self.read(options)
        states[name] = .read(prompts)
        return prompts
      }
    }
  }

  private static func read(_ options: StageOptions) -> Set<UInt64>? {
    let paths = options[DataOptions.path]
    let sizes = paths.map { FileStatus.of($0)?.size }
    guard !sizes.contains(nil), sizes.compactMap({ $0 }).reduce(0, +) <= bytesRead,
      let data = try? DataOptions(options), !data.countsTokens
    else { return nil }
    // Of shuffled rows it would have to be known which are first.
    guard data.shuffle == nil || (data.skip == 0 && data.limit == .max) else { return nil }
    var prompts: Set<UInt64> = []
    var reader = DataReader(data, tokenizer: nil)
    do {
      try reader.read(DataFiles(paths)) { row in
        if let prompt = row["prompt"]?.stringValue { prompts.insert(PromptNumber(prompt).value) }
      }
    } catch { return nil }
    return prompts
  }
}
