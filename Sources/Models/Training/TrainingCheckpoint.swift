// Training checkpoints: the masters, both moments and the step, in one safetensors file that appears whole.

import Glibc
import JSON

extension ConditionalTrainer {
  /// Writes the state to `directory/step-N.safetensors` and then removes older ones. The file appears under
  /// its name only when it is durable.
  /// - Parameter record: what else belongs to the step (losses so far); handed back by `restore`.
  package func saveCheckpoint(in directory: String, record: JSON) throws {
    let name = "step-\(step).safetensors"
    let temporary = "\(directory)/.\(name).tmp"
    let tensors =
      parameters.outputs(of: trainable, prefix: "parameters.")
      + firstMoments.outputs(of: trainable, prefix: "first.")
      + secondMoments.outputs(of: trainable, prefix: "second.")
    let metadata = [
      ("format", "pt"), ("step", String(step)), ("record", record.text(.compact)),
      ("checksum", Self.checksum(tensorNames) { UnsafeRawBufferPointer(state($0).elements) }),
    ]
    try writeSafeTensors(tensors, to: temporary, metadata: metadata)
    guard rename(temporary, "\(directory)/\(name)") == 0 else {
      throw FileError("rename", "\(directory)/\(name)", code: errno)
    }
    try syncDirectory(of: "\(directory)/\(name)")
    for old in try Self.checkpoints(in: directory) where old.step < step { unlink(old.path) }
  }

  private enum Part: String, CaseIterable {
    case parameters, first, second
  }

  private struct TensorName {
    let part: Part
    let parameter: String
    var written: String { "\(part.rawValue).\(parameter)" }
  }

  /// What a checkpoint holds, in the order of the file.
  private var tensorNames: [TensorName] {
    Part.allCases.flatMap { part in trainable.map { TensorName(part: part, parameter: $0) } }
  }

  private func state(_ name: TensorName) -> Tensor {
    switch name.part {
    case .parameters: parameters[name.parameter]
    case .first: firstMoments[name.parameter]
    case .second: secondMoments[name.parameter]
    }
  }

  /// Four interleaved FNV-like sums over 32-bit words, against damage, not against malice.
  private static func checksum(
    _ names: [TensorName], _ bytes: (TensorName) throws -> UnsafeRawBufferPointer
  ) rethrows -> String {
    var lanes = SIMD4<UInt64>(1, 2, 3, 4)
    for name in names {
      let bytes = try bytes(name)
      func mix(_ block: SIMD4<UInt32>) {
        lanes = (lanes ^ SIMD4<UInt64>(truncatingIfNeeded: block)) &* SIMD4(repeating: 0x100_0000_01b3)
        lanes ^= lanes &>> SIMD4(repeating: 29)
      }
      let whole = bytes.count / 16 * 16
      for offset in stride(from: 0, to: whole, by: 16) {
        mix(bytes.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt32>.self))
      }
      var rest = SIMD4(repeating: UInt32(truncatingIfNeeded: bytes.count))
      for (index, byte) in bytes[whole...].enumerated() {
        rest[index / 4] ^= UInt32(byte) << UInt32(8 * (index % 4))
      }
      mix(rest)
    }
    return (0..<4).map { String(lanes[$0], radix: 16) }.joined(separator: "-")
  }

  /// Continues from the newest readable checkpoint in the directory. One that is damaged changes nothing.
  /// - Returns: its record, or nil when there is none.
  package func restoreCheckpoint(from directory: String, log: (String) -> Void) throws -> JSON? {
    for (path, _) in try Self.checkpoints(in: directory).reversed() {
      do {
        let file = try SafeTensorsFile(path)
        let (step, record) = try checked(file, path)
        for name in tensorNames { try file.readFloats(name.written, into: state(name).elements) }
        resume(at: step)
        return record
      } catch let error as FormatError {
        log("checkpoint passed over: \(error)")
      }
    }
    return nil
  }

  /// The step and the record of a checkpoint, once all of it was found to be there and whole.
  private func checked(_ file: SafeTensorsFile, _ path: String) throws -> (step: Int, record: JSON) {
    func metadata(_ key: String) throws -> String {
      guard let value = file.header.metadata.first(where: { $0.key == key })?.value else {
        throw FormatError(path: path, "it lacks `\(key)` in its metadata")
      }
      return value
    }
    guard let step = Int(try metadata("step")), step >= 0 else {
      throw FormatError(path: path, "its `step` is not a number")
    }
    let record: JSON
    do {
      record = try JSON(parsing: try metadata("record"))
    } catch let error as JSONError {
      throw FormatError(path: path, "its `record` is not JSON: \(error)")
    }
    for name in tensorNames {
      let entry = try file.entry(name.written)
      let expected = parameters.shapes[name.parameter] ?? []
      guard entry.dtype == "F32", entry.shape == expected else {
        throw FormatError(
          path: path, part: "tensor `\(name.written)`",
          "expected F32 \(expected), found \(entry.dtype) \(entry.shape)")
      }
    }
    let found = try Self.checksum(tensorNames) { try file.rawBytes($0.written) }
    guard try metadata("checksum") == found else {
      throw FormatError(path: path, "its bytes are not those that were written")
    }
    return (step, record)
  }

  private static func checkpoints(in directory: String) throws -> [(path: String, step: Int)] {
    guard let stream = opendir(directory) else {
      if errno == ENOENT { return [] }
      throw FileError("open", directory, code: errno)
    }
    defer { closedir(stream) }
    var found: [(path: String, step: Int)] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name.hasPrefix("step-"), name.hasSuffix(".safetensors"),
        let step = Int(name.dropFirst(5).dropLast(12))
      else { continue }
      found.append(("\(directory)/\(name)", step))
    }
    return found.sorted { $0.step < $1.step }
  }
}
