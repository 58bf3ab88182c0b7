// The environment of a worker, whoever starts it.

import Glibc
import System

package enum WorkerEnvironment {
  /// A crash report in a log needs no registers, images or colour.
  package static func of(_ job: Job) -> [(name: String, value: String)] {
    let more = job.environment + job.secrets
    var chosen = ChildProcess.chosenEnvironment(
      ChildProcess.workerVariables + more.filter { !ChildProcess.workerVariables.contains($0) })
    if let gpus = job.gpus {
      chosen.removeAll { $0.name == "CUDA_VISIBLE_DEVICES" }
      chosen.append(("CUDA_VISIBLE_DEVICES", gpus.joined(separator: ",")))
    }
    if !chosen.contains(where: { $0.name == "SWIFT_BACKTRACE" }) {
      chosen.append(
        (
          "SWIFT_BACKTRACE",
          "color=no,registers=none,images=none,threads=crashed,interactive=no,limit=16" + backtracer
        ))
    }
    return chosen
  }

  /// A program with Swift's libraries inside does not find what prints a crash; it is beside the `swift` on PATH, if that is there.
  private static let backtracer: String = {
    if let library = dlopen("libswiftCore.so", RTLD_LAZY | RTLD_NOLOAD) {
      dlclose(library)
      return ""
    }
    let folders = getenv("PATH").map { String(cString: $0) } ?? ""
    for folder in folders.split(separator: ":") {
      guard let found = realpath("\(folder)/swift", nil) else { continue }
      defer { free(found) }
      let usr = Path.parent(Path.parent(String(cString: found)))
      let program = "\(usr)/libexec/swift/linux/swift-backtrace"
      if access(program, X_OK) == 0 { return ",enable=yes,swift-backtrace=\(program)" }
    }
    return ""
  }()
}
