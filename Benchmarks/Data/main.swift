// What Benchmarks/data.py times: the records of a data file, read one after the other as `data` reads them.
//   DataBench FORMAT FILE [FIELD...]

import Glibc
import JSON
import Stages

let arguments = CommandLine.arguments
guard arguments.count > 2 else {
  print("usage: DataBench FORMAT FILE [FIELD...]")
  exit(2)
}

func seconds(_ clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

let begin = (wall: seconds(CLOCK_MONOTONIC), processor: seconds(CLOCK_PROCESS_CPUTIME_ID))
do {
  let fields = arguments.count > 3 ? Array(arguments[3...]) : nil
  var file = RecordFile([arguments[2]], format: arguments[1], fields: fields)
  var count = 0
  while try file.next() != nil { count += 1 }
  let wall = seconds(CLOCK_MONOTONIC) - begin.wall
  let processor = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin.processor
  print("{\"records\": \(count), \"seconds\": \(wall), \"processor\": \(processor)}")
} catch {
  print(error)
  exit(1)
}
