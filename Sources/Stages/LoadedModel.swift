// Opening a model for a stage, with the errors a stage reports.

import JSON
import Models
import Runner

/// Runs `body`, turning what the model library says of a damaged file into the runner's input error.
func readingModel<T>(_ body: () throws -> T) throws -> T {
  do {
    return try body()
  } catch let error as FormatError {
    throw InputError(error.description)
  } catch let error as TokenizerError {
    throw InputError(error.description)
  }
}

extension StageContext {
  func checkpoint(_ port: String) throws -> Checkpoint {
    try readingModel { try openCheckpoint(input(port).path) }
  }

  func decoder(_ checkpoint: Checkpoint) throws -> Decoder {
    try readingModel {
      try Decoder(
        checkpoint.configuration, from: checkpoint.tensors, mode: mode, backend: CPUBackend(threads: threads))
    }
  }

  var mode: NumericMode {
    guard let mode = NumericMode(rawValue: numericMode) else {
      preconditionFailure("the numeric mode `\(numericMode)` is not declared")
    }
    return mode
  }

  /// Bytes for keys and values.
  var engineMemory: Int { engineInteger("memory") ?? 1 << 30 }
  /// Samples, or tokens of a forward pass, that run at once.
  func engineBatch(_ standard: Int) -> Int { engineInteger("batch") ?? standard }

  private func engineInteger(_ name: String) -> Int? { engine[name]?.intValue }
}

extension Checkpoint {
  package var endTokens: [Int32] { configuration.eosTokenIDs.compactMap { Int32(exactly: $0) } }
}
