// The descriptors 0 to 2, which whoever starts a program may have closed.

import Glibc

/// Opens /dev/null for each of the descriptors 0 to 2 that is closed. Call before anything else is opened: a file that got the number
/// of standard error would receive every message.
package func openStandardDescriptors() {
  while true {
    let descriptor = open("/dev/null", O_RDWR)
    if descriptor > 2 { close(descriptor) }
    if descriptor < 0 || descriptor > 2 { return }
  }
}
