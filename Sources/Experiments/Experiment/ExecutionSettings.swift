// How a stage is to be run: what stands beside `with:`, and enters no key.

import JSON

/// What stands beside `with:`.
package struct ExecutionSettings: Sendable {
  package var shards: Int
  package var threads: Int?
  package var engine: JSON
  package var retries: Int
  package var timeoutSeconds: Double?
  package var checkpointSeconds: Double
  package var resources = Resources()
  /// Which iterations' bytes a run pins: `all`, `last` or `none`.
  package var keep = "all"
  /// Where those that were written come from, by dotted name.
  package var origins: [ValueOrigin] = []
  package init(
    shards: Int = 1, threads: Int? = nil, engine: JSON = .object(JSONObject()), retries: Int = 0,
    timeoutSeconds: Double? = nil, checkpointSeconds: Double = 60
  ) {
    self.shards = shards
    self.threads = threads
    self.engine = engine
    self.retries = retries
    self.timeoutSeconds = timeoutSeconds
    self.checkpointSeconds = checkpointSeconds
  }
}

/// What a stage asks of the machine; nil where nothing was said.
package struct Resources: Sendable, Equatable {
  package var cpus: Int?
  package var memoryBytes: Int?
  package var timeSeconds: Double?
  package var gpus: Int?
  package init(cpus: Int? = nil, memoryBytes: Int? = nil, timeSeconds: Double? = nil, gpus: Int? = nil) {
    self.cpus = cpus
    self.memoryBytes = memoryBytes
    self.timeSeconds = timeSeconds
    self.gpus = gpus
  }
}
