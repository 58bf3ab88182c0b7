// Calls of the kernel that the C library, or Swift's view of it, has no function for.

import Glibc

package enum SystemCall {
  private typealias Function = @convention(c) (Int, Int, Int, Int, Int) -> Int

  // SAFETY: the C library's own function, which Swift does not import since it takes any number of arguments; these are words,
  // and on no Linux are words passed in another way for that.
  private static let function = dlsym(nil, "syscall").map { unsafeBitCast($0, to: Function.self) }

  /// - Parameters:
  ///   - number: one that is the same on every architecture: above 400.
  ///   - arguments: at most four.
  /// - Returns: what the call gives; -1 with `errno` where it fails.
  package static func call(_ number: Int, _ arguments: Int...) -> Int {
    precondition(arguments.count <= 4, "a call of the kernel with \(arguments.count) arguments")
    guard let function else {
      errno = ENOSYS
      return -1
    }
    func argument(_ index: Int) -> Int { index < arguments.count ? arguments[index] : 0 }
    return function(number, argument(0), argument(1), argument(2), argument(3))
  }
}
