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
      parameters.outputs(of: trainable, prefix: "parameters.") + firstMoments.outputs(of: trainable, prefix: "first.")
      + secondMoments.outputs(of: trainable, prefix: "second.")
    let metadata = [("format", "pt"), ("step", String(step)), ("record", record.text(.compact))]
    try writeSafeTensors(tensors, to: temporary, metadata: metadata)
    guard rename(temporary, "\(directory)/\(name)") == 0 else {
      throw FileError("rename", "\(directory)/\(name)", code: errno)
    }
    try syncDirectory(of: "\(directory)/\(name)")
    for old in try Self.checkpoints(in: directory) where old.step < step { unlink(old.path) }
  }

  /// Continues from the newest readable checkpoint in the directory.
  /// - Returns: its record, or nil when there is none.
  package func restoreCheckpoint(from directory: String, log: (String) -> Void) throws -> JSON? {
    for (path, _) in try Self.checkpoints(in: directory).reversed() {
      do {
        let file = try SafeTensorsFile(path)
        guard let step = file.header.metadata.first(where: { $0.key == "step" }).flatMap({ Int($0.value) }),
          let record = file.header.metadata.first(where: { $0.key == "record" })?.value
        else { throw FormatError(path: path, "it lacks `step` or `record` in its metadata") }
        for (prefix, state) in [("parameters", parameters), ("first", firstMoments), ("second", secondMoments)] {
          for name in trainable { try file.readFloats("\(prefix).\(name)", into: state[name].elements) }
        }
        resume(at: step)
        return try JSON(parsing: record)
      } catch let error as FormatError {
        log("checkpoint passed over: \(error)")
      }
    }
    return nil
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
