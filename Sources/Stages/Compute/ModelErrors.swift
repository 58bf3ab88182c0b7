// With which exit code each error of the model library ends a process: the one place where the two meet.

import Experiments
import Glibc
import Models
import System

extension FormatError: ErrorWithExitCode {
  package var exitCode: ExitCode { .input }
}

extension TokenizerError: ErrorWithExitCode {
  package var exitCode: ExitCode { .input }
}

extension CacheExhausted: ErrorWithExitCode {
  package var exitCode: ExitCode { .machine }
}

extension Checkpoint {
  /// Logits that are not finite are the fault of the model, an input. `name` says whose they are, such as a row.
  package func inputError(_ error: LogitsNotFinite, for name: String) -> InputError {
    InputError(
      "\(path): the model's logits are not finite for \(name)\(error.place.isEmpty ? "" : ", \(error.place)"); `\(System.Program.name) inspect MODEL` counts weights that are NaN or infinite"
    )
  }
  /// Nothing is trained from weights that are no numbers: they would be stored again.
  func requireFinite(_ parameters: Parameters) throws {
    guard let (name, count) = parameters.firstNonFinite() else { return }
    throw InputError(
      "\(path): \(count) numbers of the tensor `\(name)` are NaN or infinite, so the model cannot be trained; `\(System.Program.name) inspect MODEL` counts them in all tensors"
    )
  }
}
