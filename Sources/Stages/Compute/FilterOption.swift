// The option of a logits filter, for every stage that draws tokens.

import Experiments
import Models

extension LogitsFilter {
  var option: StageOption<Float> {
    switch values {
    case .integer(let range, let standard):
      StageOption(
        name, .mapped(.integer(range)) { Float($0) }, default: .int(Int64(standard)), summary: summary)
    case .number(let range, let exclusiveMinimum, let standard):
      StageOption(
        name,
        .mapped(.number(range, exclusiveMinimum: exclusiveMinimum, single: true)) { Float($0) },
        default: .double(standard), summary: summary)
    }
  }
}
