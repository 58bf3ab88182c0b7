// An option of `data` that is wrong by itself or beside the others: said once, before a run and in it.

import Experiments

struct OptionProblem {
  var code = DiagnosticCode.wrongValue
  /// Its dotted path.
  let option: String
  /// Names the option first.
  let message: String
  let label: String
  var help: String?
}
