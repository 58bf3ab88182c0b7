// How the machine is shared out among the stages that run at once.

import JSON
import System

/// What one attempt at a node takes while it runs.
struct Demand: Equatable {
  var threads = 0
  var memoryBytes = 0
  var gpus = 0

  static let nothing = Demand()
  private init() {}

  /// A stage that computes takes all threads unless told how many; one that does not takes none. After each kill for
  /// want of memory it has twice as much to itself as before; one that never said how much then has all of it.
  init(
    of node: PlanNode, _ declaration: StageDeclaration, threads total: Int, machine: Machine, memoryKills: Int
  ) {
    let resources = node.execution.resources
    let wanted = node.execution.threads ?? resources.cpus
    if declaration.computes || wanted != nil { threads = min(total, max(1, wanted ?? total)) }
    gpus = resources.gpus ?? 0
    if memoryKills > 0 {
      let (scaled, overflows) = (resources.memoryBytes ?? machine.memoryBytes).multipliedReportingOverflow(
        by: 1 << min(memoryKills, 16))
      memoryBytes = overflows ? machine.memoryBytes : min(scaled, machine.memoryBytes)
    } else {
      memoryBytes = resources.memoryBytes ?? 0
    }
  }
}

/// What a node was given, to be given back.
struct Grant {
  let threads: Int
  let memoryBytes: Int
  let gpus: [String]
}

/// Threads, memory and devices not in use.
struct Slots {
  let threads: Int
  let machine: Machine
  private var freeThreads: Int
  private var freeMemory: Int
  private var freeGPUs: [String]

  init(threads: Int, machine: Machine) {
    self.threads = max(1, threads)
    self.machine = machine
    freeThreads = self.threads
    freeMemory = machine.memoryBytes
    freeGPUs = machine.gpus
  }

  mutating func acquire(_ demand: Demand) -> Grant? {
    guard demand.threads <= freeThreads, demand.memoryBytes <= freeMemory, demand.gpus <= freeGPUs.count
    else { return nil }
    freeThreads -= demand.threads
    freeMemory -= demand.memoryBytes
    let gpus = Array(freeGPUs.prefix(demand.gpus))
    freeGPUs.removeFirst(demand.gpus)
    return Grant(threads: demand.threads, memoryBytes: demand.memoryBytes, gpus: gpus)
  }

  mutating func release(_ grant: Grant) {
    freeThreads += grant.threads
    freeMemory += grant.memoryBytes
    freeGPUs = machine.gpus.filter { freeGPUs.contains($0) || grant.gpus.contains($0) }
  }
}

extension Machine {
  /// What this node asks for beyond what there is; nil when it fits.
  package func lack(of node: PlanNode) -> String? {
    let resources = node.execution.resources
    var parts: [String] = []
    if let cpus = resources.cpus, cpus > processors {
      parts.append("\(cpus) cpus of \(processors)")
    }
    if let memory = resources.memoryBytes, memory > memoryBytes {
      parts.append("\(ByteCount(memory)) of memory of \(ByteCount(memoryBytes))")
    }
    if let wanted = resources.gpus, wanted > gpus.count {
      parts.append("\(wanted) gpu\(wanted == 1 ? "" : "s") of \(gpus.count)")
    }
    return parts.isEmpty
      ? nil : "`\(node.address)` asks for more than this machine has: \(parts.joined(separator: ", "))"
  }

  /// One line for each node that does not fit, at most five and a count.
  package func lacks(of nodes: some Sequence<PlanNode>) -> [String] {
    let all = nodes.compactMap { lack(of: $0) }
    return all.count <= 5 ? all : all.prefix(5) + ["and \(all.count - 5) more like these"]
  }
}
