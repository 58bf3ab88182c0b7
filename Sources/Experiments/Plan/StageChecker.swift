// Asks each stage what it knows before anything runs, once for each distinct knowledge: all iterations of a loop that are
// alike are asked about once.

import JSON
import System

/// What stages had nothing against, and what the headers of models say, over several plans of alike experiments.
package final class StageAnswers {
  fileprivate var findings: [String: StageFindings] = [:]
  fileprivate var models: [[String?]: JSON] = [:]
  package init() {}
}

/// Knowledge about artifacts travels along the plan as numbers: equal knowledge has one number.
struct StageChecker {
  private let experiment: Experiment
  private let collector: DiagnosticCollector
  /// Nil where stages are not asked.
  private let answers: StageAnswers?
  private var known: [KnownArtifact] = []
  private var numbers: [String: Int] = [:]
  private var models: [Int: Int] = [:]
  private var done: [Question: [UTF8Key: Int]] = [:]

  init(_ experiment: Experiment, _ collector: DiagnosticCollector, _ answers: StageAnswers?) {
    self.experiment = experiment
    self.collector = collector
    self.answers = answers
  }

  private struct Question: Hashable {
    var stage: Int
    /// For each input its port's position and its number.
    var inputs: [Int]
  }

  /// One artifact at a port.
  struct Input {
    var port: Int
    var number: Int
    var span: SourceSpan
    /// Position of a declared model.
    var model: Int?
  }

  // MARK: numbers

  /// Of an artifact of which nothing is known.
  var unknown: Int {
    mutating get { number(of: KnownArtifact()) }
  }

  mutating func number(of artifact: KnownArtifact) -> Int {
    let text =
      "\(artifact.hasOtherColumns)\u{0}\(artifact.columns.joined(separator: "\u{0}"))\u{0}\u{0}"
      + artifact.facts.text(.canonical)
    if let number = numbers[text] { return number }
    known.append(artifact)
    numbers[text] = known.count - 1
    return known.count - 1
  }

  /// What holds of all, when one of them will be there and it is not known which.
  mutating func common(_ candidates: [Int]) -> Int? {
    guard let first = candidates.first else { return nil }
    if candidates.allSatisfy({ $0 == first }) { return first }
    return number(of: candidates.dropFirst().reduce(known[first]) { $0.common(with: known[$1]) })
  }

  /// A model's header is read when the first stage that takes it is checked.
  mutating func number(ofModel index: Int) -> Int {
    guard answers != nil else { return unknown }
    if let number = models[index] { return number }
    let number = number(of: KnownArtifact(facts: facts(of: experiment.models[index].model)))
    models[index] = number
    return number
  }

  private func facts(of model: ModelReference) -> JSON {
    let path: String? =
      switch model.source {
      case .path(let path): path
      case .remote(let source): model.sha256.flatMap { experiment.fetchedModel($0, source.name) }
      case .run, .server: nil
      }
    if let server = model.server { return [KnownArtifact.serverFact: server.json] }
    guard let path, FileStatus.of(path) != nil else { return .object(JSONObject()) }
    let place = [path, model.parts?.config, model.parts?.tokenizer]
    if let known = answers?.models[place] { return known }
    let facts = experiment.describeModel(path, model.parts?.config, model.parts?.tokenizer)
    answers?.models[place] = facts
    return facts
  }

  /// How many rows an artifact has, where a stage said so.
  func rowCount(_ number: Int) -> Int? { known[number].facts["rows"]?.intValue }

  /// Of declared models that were looked at.
  func facts(ofModel index: Int) -> JSON? { models[index].map { known[$0].facts } }

  // MARK: questions

  /// Numbers of the outputs, by name. `columns`: of each rows output, as far as the declaration tells.
  mutating func check(
    _ stage: Experiment.StageEntry, _ inputs: [Input], columns: [UTF8Key: Columns]
  ) -> [UTF8Key: Int] {
    let question = Question(stage: stage.number, inputs: inputs.flatMap { [$0.port, $0.number] })
    if let outputs = done[question] { return outputs }
    let findings = findings(of: stage, inputs)
    var outputs: [UTF8Key: Int] = [:]
    for output in stage.declaration.outputs {
      let found = columns[UTF8Key(output.name)]
      outputs[UTF8Key(output.name)] = number(
        of: KnownArtifact(
          columns: found?.names.map(\.string) ?? [], hasOtherColumns: found?.isOpen ?? true,
          facts: findings.facts(of: output.name)))
    }
    done[question] = outputs
    for problem in findings.problems { report(problem, stage, inputs) }
    return outputs
  }

  private func findings(of stage: Experiment.StageEntry, _ inputs: [Input]) -> StageFindings {
    guard let answers, let plugIn = stage.plugIn, stage.options.isComplete else { return StageFindings() }
    let decoded = stage.options
    let options = localOptions(of: stage)
    let question: JSON = [
      "stage": .string(stage.declaration.name), "options": options, "numeric": .string(stage.numericMode),
      "written": .array(decoded.written.map { .string($0.option) }),
      "inputs": .array(
        inputs.map { input in
          let artifact = known[input.number]
          return [
            "port": .int(Int64(input.port)), "facts": artifact.facts,
            "columns": .array(artifact.columns.map { .string($0) }), "open": .bool(artifact.hasOtherColumns),
          ]
        }),
    ]
    let text = question.text(.canonical)
    if let known = answers.findings[text] { return known }
    let found = plugIn.check(
      StageCheck(
        options: StageOptions(options), numericMode: stage.numericMode,
        inputs: inputs.map { (stage.declaration.inputs[$0.port].name, known[$0.number]) },
        isWritten: { decoded.isWritten($0) }))
    // What is wrong is said at its place each time.
    if found.problems.isEmpty { answers.findings[text] = found }
    return found
  }

  /// With the paths of data sets that were fetched; those that were not are said.
  private func localOptions(of stage: Experiment.StageEntry) -> JSON {
    stage.options.json.replacing(dataSetsOf: stage.options.files) { set, digest in
      if let paths = experiment.fetchedData(digest) { return paths }
      collector.warning(
        .notFetched,
        "stage `\(stage.path)`: `\(RemoteDataSet.scheme)\(set.text)` was not fetched yet, so that its rows are not checked",
        at: stage.options.files.first { $0.dataSets.contains { $0.set == set } }.flatMap {
          stage.options.span(of: $0.option)
        },
        label: "not in the model cache", help: "`\(Program.name) run` fetches it")
      return nil
    }
  }

  private func report(
    _ problem: StageFindings.Problem, _ stage: Experiment.StageEntry, _ inputs: [Input]
  ) {
    var diagnostic = problem.diagnostic
    func input(_ port: String) -> Input? {
      inputs.first { UTF8Key(stage.declaration.inputs[$0.port].name) == UTF8Key(port) }
    }
    var owner = "stage `\(stage.path)`"
    switch problem.place {
    case .stage: break
    case .option(let option): diagnostic.span = stage.options.span(of: option)
    case .input(let port): diagnostic.span = input(port)?.span
    case .model(let port):
      let found = input(port)
      diagnostic.span = found?.span
      if let model = found?.model {
        owner = "model `\(experiment.models[model].model.name)`"
        diagnostic.span = experiment.models[model].span
      }
    }
    diagnostic.span = diagnostic.span ?? stage.nameSpan
    diagnostic.message = "\(owner): \(diagnostic.message)"
    collector.add(diagnostic)
  }
}
