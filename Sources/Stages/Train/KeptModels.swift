// Models from the middle of a training, which survive a crash beside its checkpoints until the training ends.

import Experiments
import Models
import System

/// Each is written once, whole under its name, before any checkpoint of its step or a later one, so that what goes on from a
/// checkpoint finds all that were written before; and trains to the same bits, so that none has to be written again.
struct KeptModels {
  private let folder: String
  /// Writes what the policy is by now as a whole model into a folder.
  let writePolicy: (String) throws -> Void

  init(in checkpointDirectory: String, writingPolicy writePolicy: @escaping (String) throws -> Void) {
    folder = "\(checkpointDirectory)/models"
    self.writePolicy = writePolicy
  }

  /// Writes what the policy is by now.
  func write(_ name: String) throws {
    let path = "\(folder)/\(name)"
    guard FileStatus.of(path) == nil else { return }
    try File.makeDirectory(folder, isDurable: true)
    let partial = "\(folder)/partial"
    try File.removeTree(partial)
    try writePolicy(partial)
    try File.rename(partial, to: path)
    try File.synchronizeDirectory(folder)
  }

  /// - Parameter name: of one that may be gone.
  func remove(_ name: String) throws { try File.removeTree("\(folder)/\(name)") }

  /// A copy: the one that is kept serves again where the machine stops before the output is taken.
  func copy(_ name: String, to output: String) throws {
    let path = "\(folder)/\(name)"
    try File.makeDirectory(output)
    for name in try File.names(in: path).sorted() {
      let source = try File.openToRead("\(path)/\(name)")
      defer { source.closeQuietly() }
      let copy = try DurableFile("\(output)/\(name)", byteCount: source.status().size)
      try source.readBlocks { try copy.write($0) }
      try copy.finish()
    }
  }
}
