// The same work for many indices, on several threads.

import Glibc
import Synchronization

/// What `body` gives for each of `0 ..< count`, in order, computed on up to so many threads, this one included.
/// - Parameter chunk: so many indices are taken at a time.
/// - Throws: what `body` threw for the lowest index for which it did.
package func mapConcurrently<Value: Sendable>(
  _ count: Int, threads: Int, chunk: Int = 16, _ body: @Sendable (Int) throws -> Value
) throws -> [Value] {
  precondition(chunk > 0, "a chunk of \(chunk)")
  guard threads > 1, count > chunk else { return try (0..<count).map(body) }
  return try withoutActuallyEscaping(body) { body in
    let work = ChunkedWork(count: count, chunk: chunk, body)
    let others = (1..<min(threads, (count + chunk - 1) / chunk)).compactMap { _ in
      // Where the system has no thread to give, those that there are do all of it.
      try? thread { work.run() }
    }
    work.run()
    for other in others { pthread_join(other, nil) }
    return try work.values()
  }
}

/// Every chunk before one that was begun was begun, so that the lowest error is found whoever is the fastest.
private final class ChunkedWork<Value: Sendable>: Sendable {
  private let count: Int
  private let chunk: Int
  private let body: @Sendable (Int) throws -> Value
  private let next = Atomic(0)
  private let done = Mutex<[(start: Int, values: Result<[Value], any Error>)]>([])

  init(count: Int, chunk: Int, _ body: @escaping @Sendable (Int) throws -> Value) {
    (self.count, self.chunk, self.body) = (count, chunk, body)
  }

  func run() {
    while true {
      let start = next.add(chunk, ordering: .relaxed).oldValue
      guard start < count else { return }
      let values = Result { try (start..<min(count, start + chunk)).map(body) }
      done.withLock { $0.append((start, values)) }
      // Nobody begins another chunk.
      if case .failure = values { next.store(count, ordering: .relaxed) }
    }
  }

  func values() throws -> [Value] {
    let chunks = done.withLock { $0.sorted { $0.start < $1.start } }
    return try chunks.flatMap { try $0.values.get() }
  }
}
