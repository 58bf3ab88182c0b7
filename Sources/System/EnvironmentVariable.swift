// Variables of the environment.

import Glibc

/// Of a variable that is set and not empty.
package func environmentValue(_ name: String) -> String? {
  getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}
