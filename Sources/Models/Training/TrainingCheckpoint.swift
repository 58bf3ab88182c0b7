// Training checkpoints: the masters, the moments, the step and the series so far, in one safetensors file that appears whole.

import Glibc
import JSON
import System

extension Trainer {
  /// Begins to write the state to `directory/step-N.safetensors`, after which older ones are removed: on a thread of its own,
  /// without a copy, since nothing changes the state before the next step's gradients are there. The file appears under its
  /// name only when it is durable. One at a time: waits for the one before.
  /// - Parameter notes: of whoever drives the trainer: given back by `restoreCheckpoint`.
  /// - Throws: what the one before failed with; what this one fails with comes from the next `train` or `finishCheckpoint`.
  package func beginCheckpoint(in directory: String, notes: JSON = .null) throws {
    let (state, step, series, coefficients) = (state, step, series.json, coefficients)
    try beforeUpdate {
      try Self.write(
        state, step: step, series: series, coefficients: coefficients, notes: notes, in: directory)
    }
  }

  /// The same, waited for.
  package func saveCheckpoint(in directory: String, notes: JSON = .null) throws {
    try beginCheckpoint(in: directory, notes: notes)
    try finishCheckpoint()
  }

  /// Runs `body`, which may read masters and moments, beside the next step's forward and backward passes.
  package func beforeUpdate(_ body: @escaping @Sendable () throws -> Void) throws {
    try finishCheckpoint()
    checkpoint = BackgroundWork(body)
  }

  /// Waits for the checkpoint that is being written, if there is one. `train` does so before it changes what is read for it.
  package func finishCheckpoint() throws {
    if let checkpoint = checkpoint.take() { try checkpoint.wait() }
  }

  /// A part of the state under its name in the file.
  private struct StateTensor: Sendable {
    let name: String
    let shape: [Int]
    let tensor: Tensor
  }

  /// In the order of the file.
  private var state: [StateTensor] {
    ([("parameters", parameters)] + zip(optimizer.moments, moments)).flatMap {
      part, tensors in
      trainable.map { name in
        StateTensor(name: "\(part).\(name)", shape: parameters.shapes[name] ?? [], tensor: tensors[name])
      }
    }
  }

  /// The last tensor of the file: `StateChecksum` of all others.
  private static let checksumName = "checksum"

  private static func write(
    _ state: [StateTensor], step: Int, series: JSON, coefficients: [Double], notes: JSON,
    in directory: String
  ) throws {
    var checksum = StateChecksum()
    var outputs = state.map { part in
      SafeTensorsOutput(name: part.name, shape: part.shape, dtype: .f32) { emit in
        try part.tensor.withHostRead { try checksum.add(UnsafeRawBufferPointer($0), then: emit) }
      }
    }
    outputs.append(
      SafeTensorsOutput(name: checksumName, shape: [checksum.bytes.count], dtype: .u8) { emit in
        try checksum.bytes.withUnsafeBytes { try emit($0) }
      })
    try DurableFile.removeLeftovers(in: directory)
    var metadata = [("format", "pt"), ("step", String(step)), ("record", series.text(.compact))]
    if !coefficients.isEmpty {
      metadata.append(("coefficients", JSON.array(coefficients.map { .double($0) }).text(.compact)))
    }
    if !notes.isNull { metadata.append(("notes", notes.text(.compact))) }
    try writeSafeTensors(outputs, to: "\(directory)/step-\(step).safetensors", metadata: metadata)
    for other in try checkpoints(in: directory) where other.step != step { try File.remove(other.path) }
  }

  /// Continues from the newest readable checkpoint in the directory. One that is damaged, or of another objective, changes
  /// nothing and is logged.
  /// - Parameter takeNotes: takes what `beginCheckpoint` was given, or returns whether it can: a checkpoint whose notes it refuses is passed over.
  /// - Returns: whether there was one.
  package func restoreCheckpoint(
    from directory: String, log: (String) -> Void, takeNotes: (JSON) -> Bool = { _ in true }
  ) throws -> Bool {
    try finishCheckpoint()
    for (path, _) in try Self.checkpoints(in: directory).reversed() {
      do {
        let file = try SafeTensorsFile(path)
        let (step, series, coefficients) = try checked(file, path)
        let written = file.header.metadata.first { $0.key == "notes" }?.value
        let notes = written.flatMap { try? JSON(parsing: $0) }
        guard takeNotes(notes ?? .null) else {
          throw FormatError(path: path, "its `notes` are not those of this training")
        }
        for part in state {
          try part.tensor.withHostWrite { try file.readFloats(part.name, into: $0) }
        }
        resume(at: step, series, coefficients)
        return true
      } catch let error as FormatError {
        log("checkpoint ignored: \(error)")
      }
    }
    return false
  }

  /// The step, the series and the coefficients of a checkpoint, once all of it was found to be there and whole.
  private func checked(_ file: SafeTensorsFile, _ path: String) throws -> (
    step: Int, series: TrainingSeries, coefficients: [Double]
  ) {
    func metadata(_ key: String) throws -> String {
      guard let value = file.header.metadata.first(where: { $0.key == key })?.value else {
        throw FormatError(path: path, "it lacks `\(key)` in its metadata")
      }
      return value
    }
    guard let step = Int(try metadata("step")), step >= 0 else {
      throw FormatError(path: path, "its `step` is not a number")
    }
    func json(_ key: String) throws -> JSON {
      do {
        return try JSON(parsing: try metadata(key))
      } catch let error as JSONError {
        throw FormatError(path: path, "its `\(key)` is not JSON: \(error)")
      }
    }
    let record = try json("record")
    guard let series = series.restored(from: record, steps: step) else {
      throw FormatError(
        path: path,
        "its `record` does not hold \(step) numbers each of \(series.names.joined(separator: ", ")), and nothing else"
      )
    }
    var checksum = StateChecksum()
    for part in state {
      let entry = try file.entry(part.name)
      guard entry.dtype == "F32", entry.shape == part.shape else {
        throw FormatError(
          path: path, part: "tensor `\(part.name)`",
          "expected F32 \(part.shape), found \(entry.dtype) \(entry.shape)")
      }
      try checksum.add(file.rawBytes(part.name))
    }
    guard try file.rawBytes(Self.checksumName).elementsEqual(checksum.bytes) else {
      throw FormatError(path: path, "its checksum does not match its content")
    }
    let found = coefficients.isEmpty ? [] : try json("coefficients").arrayValue?.compactMap(\.doubleValue)
    guard let found, found.count == coefficients.count else {
      throw FormatError(path: path, "its `coefficients` are not \(coefficients.count) numbers")
    }
    return (step, series, found)
  }

  private static func checkpoints(in directory: String) throws -> [(path: String, step: Int)] {
    try File.names(in: directory).compactMap { name in
      guard name.hasPrefix("step-"), name.hasSuffix(".safetensors"),
        let step = Int(name.dropFirst(5).dropLast(12))
      else { return nil }
      return ("\(directory)/\(name)", step)
    }.sorted { $0.step < $1.step }
  }
}
