// Opening a model for a stage, with the errors a stage reports.

import Experiments
import JSON
import Models

extension Numerics {
  /// Those of the device that stages compute on.
  static func ofModels(_ modes: [NumericMode] = NumericMode.allCases) -> Numerics {
    Numerics(
      deviceClass: stageDevice.deviceClass, version: stageDevice.numericsVersion, modes: modes.map(\.rawValue)
    )
  }
}

extension StageContext {
  /// The model at an input, if it has the head that is wanted there.
  /// - Throws: `InputError` that names both.
  func checkpoint(_ port: String, _ wanted: WantedHead = .language) throws -> Checkpoint {
    if let server = input(port).server {
      throw InputError(
        "input `\(port)` needs a model whose weights are here, but this one is behind the server `\(server.identity)`"
      )
    }
    let checkpoint = try openCheckpoint(input(port).path)
    let head = checkpoint.configuration.head
    guard wanted.fits(head) else {
      throw InputError("\(checkpoint.path): \(wanted.refusal(of: head, at: port))")
    }
    return checkpoint
  }

  /// The kernels. The log says which: the first thing to ask should two machines disagree.
  func backend() -> any Backend {
    let device = stageDevice
    log("kernels: \(device.instructionSet), \(threads) threads")
    return device.init(threads: threads)
  }

  /// - Throws: `InputError` where the model cannot be computed in the stage's numeric mode.
  func decoder(_ checkpoint: Checkpoint, on backend: (any Backend)? = nil) throws -> Decoder {
    if let refusal = checkpoint.refusal(of: mode) { throw InputError("\(checkpoint.path): \(refusal)") }
    return try Decoder(
      checkpoint.configuration, from: checkpoint.tensors, mode: mode, backend: backend ?? self.backend())
  }

  var mode: NumericMode {
    guard let mode = NumericMode(rawValue: numericMode) else {
      preconditionFailure("the numeric mode `\(numericMode)` is not declared")
    }
    return mode
  }

  /// Bytes for keys and values, or for activations in training.
  func engineMemory(_ standard: Int = 1 << 30) -> Int { engineInteger("memory") ?? standard }
  /// Samples, or tokens of a forward pass, that run at once.
  func engineBatch(_ standard: Int) -> Int { engineInteger("batch") ?? standard }

  private func engineInteger(_ name: String) -> Int? { engine[name]?.intValue }
}
