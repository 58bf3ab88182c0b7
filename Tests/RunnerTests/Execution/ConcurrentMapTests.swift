// Work for many indices on several threads.

import Glibc
import Synchronization
import System
import Testing

@Suite struct ConcurrentMapTests {
  struct Failure: Error, Equatable { let index: Int }

  @Test(arguments: [1, 2, 3, 8]) func `values stand in the order of their indices`(threads: Int) throws {
    for count in [0, 1, 15, 16, 17, 100, 1000] {
      #expect(try mapConcurrently(count, threads: threads) { $0 * $0 } == (0..<count).map { $0 * $0 })
    }
  }

  @Test(arguments: [1, 2, 8]) func `the error of the lowest index is thrown, whoever is the fastest`(
    threads: Int
  ) {
    for first in [0, 5, 250] {
      #expect(throws: Failure(index: first)) {
        try mapConcurrently(400, threads: threads, chunk: 4) { index in
          if index == first { usleep(20_000) }
          if index >= first, index % 3 == first % 3 { throw Failure(index: index) }
          return index
        }
      }
    }
  }

  @Test func `several threads take part`() throws {
    let seen = Mutex<Set<UInt>>([])
    _ = try mapConcurrently(64, threads: 4, chunk: 1) { index in
      usleep(2000)
      seen.withLock { _ = $0.insert(UInt(pthread_self())) }
    }
    #expect(seen.withLock { (2...4).contains($0.count) })
  }
}
