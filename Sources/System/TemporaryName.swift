// Names for what is not whole yet: unlike those of any other process, in whatever container or on whatever host it is.

import Glibc

/// `ORIGIN-PROCESS-RANDOM`, all in hexadecimal: where process numbers mean what they mean here (a hash of the kernel's boot and the
/// PID namespace), the process, and 64 random bits. The bits make it unlike all others; the rest lets a collection see
/// whether the process that writes there lives.
package enum TemporaryName {
  package static func make() -> String {
    "\(origin)-\(String(getpid(), radix: 16))-\(randomBits())"
  }

  /// 64 of them, in hexadecimal. For names of what is thrown away or only looked at by people: nothing that is computed.
  package static func randomBits() -> String { String(UInt64.random(in: .min ... .max), radix: 16) }

  package enum Writer: Equatable, Sendable {
    /// A process of this kernel and PID namespace.
    case here(isAlive: Bool)
    /// One that cannot be asked for from here.
    case elsewhere
  }

  /// Of a file name that holds a name made here, between other parts; nil when it holds none.
  package static func writer(of name: String) -> Writer? {
    for part in name.utf8.split(separator: UInt8(ascii: ".")) {
      let fields = part.split(separator: UInt8(ascii: "-")).suffix(3).map {
        String(decoding: $0, as: UTF8.self)
      }
      guard fields.count == 3, fields[0].utf8.count == 16, UInt64(fields[0], radix: 16) != nil,
        let process = pid_t(fields[1], radix: 16), process > 0, UInt64(fields[2], radix: 16) != nil
      else { continue }
      guard fields[0].utf8.elementsEqual(origin.utf8) else { return .elsewhere }
      return .here(isAlive: kill(process, 0) == 0 || errno == EPERM)
    }
    return nil
  }

  private static let origin: String = {
    let boot = (try? File.readKernelFile("/proc/sys/kernel/random/boot_id")) ?? []
    var link = [CChar](repeating: 0, count: 64)
    let count = max(0, readlink("/proc/self/ns/pid", &link, link.count))
    let space = link[..<count].map { UInt8(bitPattern: $0) }
    return String(Digest.of(boot + space + Array(Machine.hostName.utf8)).hex.prefix(16))
  }()
}
