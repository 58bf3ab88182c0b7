// What the machine gives to a run: how many threads, and how they are shared out.

import Glibc

/// Threads not in use. A stage that computes takes all of them unless told how many; one that does not takes none.
struct Slots {
  let total: Int
  private(set) var free: Int

  init(total: Int) {
    self.total = max(1, total)
    free = self.total
  }

  /// What a node takes.
  func demand(of node: PlanNode, _ declaration: StageDeclaration) -> Int {
    guard declaration.computes || node.execution.threads != nil else { return 0 }
    return min(total, max(1, node.execution.threads ?? total))
  }

  mutating func take(_ threads: Int) -> Bool {
    guard threads <= free else { return false }
    free -= threads
    return true
  }

  mutating func giveBack(_ threads: Int) { free += threads }
}

/// Processors this process may run on.
package func processorCount() -> Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
