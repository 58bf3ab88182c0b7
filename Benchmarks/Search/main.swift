// Does what Benchmarks/search.py times and compares: searches of test functions, whose trials it prints.
//   SearchBench run FUNCTION METHOD SEEDS TRIALS LAG     a line of JSON for each seed from 0: the trials with their values
//   SearchBench time FUNCTION METHOD TRIALS LAG          milliseconds of processor time for a suggestion

import Glibc
import JSON
import Search

func method(_ name: String, trials: Int) -> SearchMethod? {
  switch name {
  case "tpe": .tpe(TPE())
  case "random": .random
  case "latin_hypercube": .latinHypercube(trials: trials)
  default: nil
  }
}

/// All trials, each with its value.
func search(
  _ function: TestFunction, _ method: SearchMethod, seed: Int, trials: Int, lag: Int
) throws -> [(values: JSONObject, value: Double)] {
  var sequence = try TrialSequence(function.space, method, seed: seed, lag: lag)
  var results: [(JSONObject, Double)] = []
  while results.count < trials, case .trial(let trial) = try sequence.next() {
    let value = function.value(trial.values)
    sequence.record(.value(value), of: trial.number)
    results.append((trial.values, value))
  }
  return results
}

func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

let arguments = Array(CommandLine.arguments.dropFirst())
let numbers = arguments.dropFirst(3).compactMap { Int($0) }
do {
  guard let command = arguments.first, arguments.count > 2,
    let function = try TestFunction.named(arguments[1])
  else { throw UsageError() }
  switch (command, numbers.count) {
  case ("run", 3):
    guard let method = method(arguments[2], trials: numbers[1]) else { throw UsageError() }
    for seed in 0..<numbers[0] {
      let results = try search(function, method, seed: seed, trials: numbers[1], lag: numbers[2])
      print(JSON.array(results.map { ["values": .object($0.values), "value": .double($0.value)] }).text())
    }
  case ("time", 2):
    guard let method = method(arguments[2], trials: numbers[0]) else { throw UsageError() }
    let begin = processorSeconds()
    _ = try search(function, method, seed: 1, trials: numbers[0], lag: numbers[1])
    print((processorSeconds() - begin) * 1e3 / Double(numbers[0]))
  default: throw UsageError()
  }
} catch {
  print(error)
  exit(2)
}

struct UsageError: Error, CustomStringConvertible {
  let description =
    "usage: SearchBench run FUNCTION METHOD SEEDS TRIALS LAG | time FUNCTION METHOD TRIALS LAG"
}
