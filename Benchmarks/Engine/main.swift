// EngineBench MODEL WORKLOAD: does one piece of work each time a line arrives on stdin, and answers with its times.
//
// A workload is an object of JSON, as Benchmarks/engine.py writes it. Answers are lines of JSON: {"seconds", "cpu"} for each time,
// and {"peak_bytes"} at the end of input. Peers answer alike, so that one driver can take turns.

import Foundation
import JSON
import Models

let arguments = CommandLine.arguments
guard arguments.count == 3 else {
  print("usage: EngineBench MODEL WORKLOAD")
  exit(2)
}

let workload = try Workload(try JSON(parsing: arguments[2]))
let work = try workload.prepared(model: arguments[1])
while readLine() != nil {
  let (clock, used) = (ContinuousClock.now, Usage.now.cpuSeconds)
  let measured = try work()
  let wall = (ContinuousClock.now - clock) / .seconds(1)
  answer(["seconds": measured ?? wall, "cpu": Usage.now.cpuSeconds - used])
}
answer(["peak_bytes": Usage.now.peakBytes])
if let scratchFolder { try FileManager.default.removeItem(atPath: scratchFolder) }

func answer(_ fields: KeyValuePairs<String, Double>) {
  print(JSON.object(JSONObject(fields.map { ($0.key, .double($0.value)) })).text(.compact))
  fflush(nil)
}
