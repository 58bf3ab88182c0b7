// engine-bench MODEL [PART ...]: times the kernels and engines; a line of JSON for each result, on stdout.

import CKernels
import Models

let arguments = CommandLine.arguments.dropFirst()
guard let model = arguments.first else {
  print("usage: EngineBench MODEL [gemm] [sample] [score] [train] [quick] [threads=N] [runs=N] [mode=bf16]")
  throw BenchError.usage
}

enum BenchError: Error { case usage }

func option(_ name: String) -> String? {
  arguments.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
}

let threads = option("threads").flatMap { Int($0) } ?? 2
let workloads = Workloads(
  checkpoint: try openCheckpoint(model), threads: threads,
  mode: option("mode").flatMap { NumericMode(rawValue: $0) } ?? .bf16,
  runs: option("runs").flatMap { Int($0) } ?? 3)

for part in arguments.dropFirst() where !part.contains("=") {
  switch part {
  case "gemm": measureProducts(threads: [threads])
  case "sample":
    for batch in [1, 16, 64] { try workloads.sampling(prompts: batch, samples: 1, length: 64, new: 48) }
    try workloads.sampling(prompts: 4, samples: 16, length: 300, new: 48)
  case "sample-quickstart": try workloads.sampling(prompts: 64, samples: 8, length: 15, new: 12)
  case "score":
    try workloads.scoring(prompts: 64, samples: 9, opening: 60, prompt: 14, sample: 12, end: 5)
    try workloads.scoring(prompts: 32, samples: 1, opening: 1, prompt: 14, sample: 120, end: 5)
  case "score-quickstart":
    try workloads.scoring(prompts: 64, samples: 9, opening: 60, prompt: 14, sample: 12, end: 5)
  case "train":
    try workloads.training(rows: 8, prompt: 1, output: 255, kl: 0)
    try workloads.training(rows: 8, prompt: 15, output: 12, kl: 0.05)
  case "train-long": try workloads.training(rows: 8, prompt: 1, output: 255, kl: 0)
  case "train-quickstart": try workloads.training(rows: 8, prompt: 15, output: 12, kl: 0.05)
  case "train-frozen": try workloads.training(rows: 8, prompt: 15, output: 12, kl: 0.05, blocks: 15)
  default: throw BenchError.usage
  }
}
