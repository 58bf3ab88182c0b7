// Threads of the operating system.

import Glibc

/// A thread that nobody waits for.
package func startThread(_ body: @escaping @Sendable () -> Void) throws {
  pthread_detach(try thread(body))
}

/// What `body` gives, computed on a thread of its own, whose rights and signals are then not ours.
package func onOwnThread<Value>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
  // SAFETY: the thread writes it, and it is read when the thread has ended.
  nonisolated(unsafe) var result: Result<Value, any Error>?
  let started = try thread { result = Result { try body() } }
  pthread_join(started, nil)
  guard let result else { throw RunError(.bug, "a thread ended without a result") }
  return try result.get()
}

/// One that is to be joined.
func thread(_ body: @escaping @Sendable () -> Void) throws -> pthread_t {
  final class Box {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  let box = Unmanaged.passRetained(Box(body))
  let code = pthread_create(
    &thread, nil,
    { argument in
      if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
      return nil
    }, box.toOpaque())
  guard code == 0 else {
    box.release()
    throw SystemError("start", "a thread", code: code)
  }
  return thread
}
