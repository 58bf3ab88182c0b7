// The devices that goldens are held on.

import Models

enum TestDevice: CaseIterable {
  case cpu
  /// Behind a barrier that only copies pass.
  case copying

  func backend(threads: Int) -> any Backend {
    switch self {
    case .cpu: CPUBackend(threads: threads)
    case .copying: CopyingBackend(threads: threads)
    }
  }
}
