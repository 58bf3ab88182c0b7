// A fetch under way: where its bytes go, whom it tells, what stops it. Programs of the system do the fetching.

import Glibc
import System

package struct Fetch {
  /// On the file system where the model will lie. May hold what an earlier attempt left.
  package let folder: String
  /// The lock of the place in the model cache. The program that fetches holds it too, so that it is not taken while one whose
  /// runner was killed still writes.
  let lock: Int32
  /// Nil where signals end the process.
  let signals: SignalDescriptor?
  /// Gets a line that a person waiting wants to read.
  let note: (String) -> Void

  /// What reaches a network from here: proxies and certificates. No worker gets these.
  static let network = [
    "XDG_CONFIG_HOME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy",
    "no_proxy", "all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
  ]

  /// Runs a program to its end and gives what it printed.
  /// - Throws: `RunError`: exit 130 or 143 when a signal came first.
  func run(_ program: String, _ arguments: [String], variables: [String] = []) throws
    -> (ending: ChildProcess.Ending, output: String)
  {
    let names = ChildProcess.workerVariables + Fetch.network + variables
    return try ChildProcess.run(
      program, arguments: arguments, environment: ChildProcess.chosenEnvironment(names), keeping: lock,
      stoppedBy: signals)
  }

  /// Runs a program to its end, and hands over what it prints on standard output as it comes.
  /// - Throws: `RunError`: exit 130 or 143 when a signal came first; what `take` throws.
  func stream(
    _ program: String, _ arguments: [String], input: String, _ take: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> (ending: ChildProcess.Ending, errors: String) {
    try ChildProcess.stream(
      program, arguments: arguments,
      environment: ChildProcess.chosenEnvironment(ChildProcess.workerVariables + Fetch.network), input: input,
      stoppedBy: signals, take)
  }

  /// Waits before another attempt.
  /// - Throws: `RunError`: exit 130 or 143 when a signal came first.
  func pause(milliseconds: Int32) throws {
    guard let signals else {
      usleep(UInt32(milliseconds) * 1000)
      return
    }
    if let signal = try signals.next(within: milliseconds) { throw RunError.stopped(by: signal) }
  }
}
