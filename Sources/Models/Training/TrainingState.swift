// What a training hands to the next beside its model: counts, coefficients and the optimizer's moments, in one safetensors file.

import JSON
import System

/// How far trainings that follow each other have come.
package struct TrainingProgress: Sendable, Equatable {
  /// Of all of them.
  package var steps = 0
  /// Those that the moments have seen.
  package var momentSteps = 0
  /// Adaptive coefficients by name, as the next step uses them; in the order of the names.
  package var coefficients: [String: Double] = [:]

  package init(steps: Int = 0, momentSteps: Int = 0, coefficients: [String: Double] = [:]) {
    self.steps = steps
    self.momentSteps = momentSteps
    self.coefficients = coefficients
  }
}

/// A state that was read: all of it but the moments, which stay in the file until a trainer takes them.
package struct TrainingState {
  package let progress: TrainingProgress
  /// Of whoever drove the trainer: where in its data it ended.
  package let place: JSON
  /// Names of the moments that it holds of each tensor; none in a state without them.
  let moments: [String]
  let file: SafeTensorsFile
  private let path: String

  private static let key = "plumb_training"
  /// More than can be trained, and few enough to be added to.
  package static let mostSteps = 1 << 40

  /// - Throws: `FormatError`.
  package init(reading path: String) throws {
    self.path = path
    file = try SafeTensorsFile(path)
    func problem(_ problem: String) -> FormatError { FormatError(path: path, problem) }
    guard let text = file.header.metadata.first(where: { $0.key == Self.key })?.value,
      let json = try? JSON(parsing: text)
    else { throw problem("it is not the state of a training: it lacks `\(Self.key)` in its metadata") }
    guard json["format"] == 1 else {
      throw problem("the state has the format \(json["format"]?.text() ?? "null"); expected 1")
    }
    guard let steps = json["steps"]?.intValue, (0...Self.mostSteps).contains(steps),
      let seen = json["moment_steps"]?.intValue,
      (0...steps).contains(seen), let names = json["moments"]?.arrayValue?.compactMap(\.stringValue),
      let members = json["coefficients"]?.objectValue?.members, let place = json["place"]
    else { throw problem("the state's counts are not those of a training") }
    var coefficients: [String: Double] = [:]
    for (name, value) in members {
      guard let value = value.doubleValue else { throw problem("the coefficient `\(name)` is no number") }
      coefficients[name] = value
    }
    progress = TrainingProgress(steps: steps, momentSteps: seen, coefficients: coefficients)
    moments = names
    self.place = place
  }

  /// - Parameter tensors: the moments, in the order of their names.
  static func write(
    _ progress: TrainingProgress, moments: [String], place: JSON, _ tensors: [SafeTensorsOutput],
    to path: String
  ) throws {
    let coefficients = progress.coefficients.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    let json: JSON = [
      "format": 1, "steps": .int(Int64(progress.steps)),
      "moment_steps": .int(Int64(moments.isEmpty ? 0 : progress.momentSteps)),
      "moments": .array(moments.map { .string($0) }),
      "coefficients": .object(JSONObject(coefficients.map { ($0.key, .double($0.value)) })), "place": place,
    ]
    try writeSafeTensors(
      tensors, to: path, metadata: [("format", "pt"), (key, json.text(.compact))])
  }

  /// Whether its moments are those of these tensors.
  /// - Parameter shapes: of the tensors that train now, in their order.
  /// - Throws: `FormatError` naming the first that differs.
  func check(_ names: [String], tensors: [(name: String, shape: [Int])]) throws {
    guard !moments.isEmpty else { return }
    guard moments.elementsEqual(names, by: { $0.utf8.elementsEqual($1.utf8) }) else {
      throw FormatError(
        path: path,
        "the state holds the moments \(list(moments)) of another optimizer; this one keeps \(list(names)). Keep the optimizer, or write `state: light` in the training before"
      )
    }
    let remedy =
      "keep `unfrozen_ratio`, `train_embeddings` and the conditioning, or write `state: light` in the training before"
    let before = Set(file.names.map { Array($0.utf8) })
    for name in names {
      for (tensor, shape) in tensors {
        let full = "\(name).\(tensor)"
        guard before.contains(Array(full.utf8)) else {
          throw FormatError(
            path: path, part: "tensor `\(tensor)`",
            "it trains now, and did not in the training that made the state; \(remedy)")
        }
        let entry = try file.entry(full)
        guard entry.shape == shape, entry.dtype == "F32" else {
          throw FormatError(
            path: path, part: "tensor `\(tensor)`",
            "it has the shape \(shape) now, and had \(entry.shape) in the training that made the state; \(remedy)"
          )
        }
      }
    }
    let now = Set(names.flatMap { name in tensors.map { Array("\(name).\($0.name)".utf8) } })
    if let left = file.names.first(where: { !now.contains(Array($0.utf8)) }) {
      let tensor = names.first { left.utf8.starts(with: "\($0).".utf8) }.map { left.dropFirst($0.count + 1) }
      throw FormatError(
        path: path, part: "tensor `\(tensor ?? left[...])`",
        "it trained in the training that made the state, and does not now; \(remedy)")
    }
  }

  private func list(_ names: [String]) -> String { names.map { "`\($0)`" }.joined(separator: ", ") }
}

extension Trainer {
  /// Goes on from where the training before ended: its count of steps, its coefficients and its moments.
  /// - Parameter inSchedule: whether the schedule goes on too, rather than begin with this training.
  /// - Throws: `FormatError` when the moments are those of other tensors; nothing is changed then.
  package func begin(after state: TrainingState, inSchedule: Bool) throws {
    precondition(step == 0, "a training that has begun")
    try state.check(
      optimizer.moments, tensors: trainable.map { ($0, parameters.shapes[$0] ?? []) })
    if !state.moments.isEmpty {
      for (name, moment) in zip(optimizer.moments, moments) {
        for tensor in trainable {
          try moment[tensor].withHostWrite { try state.file.readFloats("\(name).\(tensor)", into: $0) }
        }
      }
    }
    begin(after: state.progress, inSchedule: inSchedule)
  }

  /// Writes what the next training goes on from.
  /// - Parameters:
  ///   - withMoments: twice the size of what trained, for Adam; the next training's moments begin at zero without them.
  ///   - place: where in its data the training ended, in the caller's words.
  package func writeState(to path: String, withMoments: Bool, place: JSON) throws {
    let names = withMoments ? optimizer.moments : []
    try TrainingState.write(
      progress, moments: names, place: place,
      zip(names, moments).flatMap { name, moment in
        trainable.map { tensor in
          let values = moment[tensor]
          return SafeTensorsOutput(
            name: "\(name).\(tensor)", shape: parameters.shapes[tensor] ?? [], dtype: .f32
          ) { emit in try values.withHostRead { try emit(UnsafeRawBufferPointer($0)) } }
        }
      }, to: path)
  }
}
