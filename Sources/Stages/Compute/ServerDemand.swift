// What a stage wants of a server, for whoever checks it before it runs.

import Experiments
import Models

/// What a stage asks of a server by its options.
struct ServerDemand {
  /// Below which the options stand: `annotator.`, or nothing.
  var path = ""
  var prompts: PromptOptions
  var filters: [FilterSetting] = []
  var stop: [String] = []
  /// Options that no server is asked for, with whether each is set.
  var others: [(name: String, isSet: Bool)] = []
}
