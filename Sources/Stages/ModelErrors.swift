// With which exit code each error of the model library ends a process: the one place where the two meet.

import Glibc
import Models
import Runner

extension FormatError: ErrorWithExitCode {
  package var exitCode: ExitCode { .input }
}

extension TokenizerError: ErrorWithExitCode {
  package var exitCode: ExitCode { .input }
}

extension FileError: ErrorWithExitCode {
  /// A model that cannot be read is a wrong input file; what cannot be written is the machine's fault.
  package var exitCode: ExitCode {
    let isReading = operation == "open" || operation == "read" || operation == "map"
    return isReading && ![EIO, EMFILE, ENFILE, ENOMEM].contains(code) ? .input : .machine
  }
}

extension CacheExhausted: ErrorWithExitCode {
  package var exitCode: ExitCode { .machine }
}
