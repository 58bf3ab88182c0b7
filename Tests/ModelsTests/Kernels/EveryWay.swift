// Every way this machine can compute: instruction sets and threads.

import CKernels
import Models
import Testing

/// One way of computing, which must not matter.
struct Way: CustomStringConvertible {
  let path: pk_isa
  let threads: Int
  var backend: CPUBackend { CPUBackend(threads: threads) }

  var description: String { "\(String(cString: pk_isa_name(path))) with \(threads) threads" }
}

extension KernelPathTests {
  /// Runs `body` on the best path with 1, 2 and 3 threads and on every other with 2, and leaves the process as it was.
  /// Only for tests inside `KernelPathTests`, which are serialized: the choice of path is the process's.
  static func onEveryWay(_ body: (Way) throws -> Void) throws {
    let path = pk_selected_isa()
    defer { _ = pk_select_isa(path) }
    for path in paths {
      for threads in path == paths.last ? [1, 2, 3] : [2] {
        #expect(pk_select_isa(path) == 1)
        try body(Way(path: path, threads: threads))
        #expect(pk_selected_isa() == path)
      }
    }
  }
}

/// Tiny models and inputs made of numbers from a counter.
enum Tiny {
  /// Tokens of a vocabulary of 91, which all tiny models have, without the end token 2.
  static func tokens(_ count: Int, seed: UInt64) -> [Int32] {
    let random = Philox(seed: seed)
    return (0..<count).map { Int32(3 + 88 * random.uniform(row: seed, sample: 1, position: $0)) }
  }

  static func decoder(
    _ model: String = "tied", mode: NumericMode, on backend: any Backend = CPUBackend(threads: 1)
  ) throws -> Decoder {
    let checkpoint = try openCheckpoint("\(Golden.root)/\(model)")
    return try Decoder(
      checkpoint.configuration, from: checkpoint.tensors, mode: mode, backend: backend)
  }

  /// Bytes of keys and values of so many pages.
  static func memory(pages: Int, _ decoder: Decoder) -> Int {
    let c = decoder.configuration
    return pages * c.layerCount * 2 * 32 * c.keyValueHeadCount * c.headDimension
      * decoder.mode.operandType.byteCount
  }
}

extension NumericMode { static let withGradients = allCases.filter(\.hasGradients) }

func bitRows(_ rows: [[Float]]) -> [[UInt32]] { rows.map { $0.map(\.bitPattern) } }
