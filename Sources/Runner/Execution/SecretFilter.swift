// The values of secrets taken out of what a worker says, before it reaches a log, an event or a terminal.

import Glibc
import System

struct SecretFilter {
  /// The longest first, so that one that holds another goes whole.
  private let secrets: [(name: String, value: [UInt8])]
  /// The beginning of what may become a secret with the next block.
  private var held: [UInt8] = []

  /// Variables of our environment, by their names: `secrets` as an experiment writes them, `{env: NAME}`, and those `handed` to a
  /// program, among which a key is likely. What is shorter is no secret, and would be found in every log.
  init(_ secrets: [String], handed: [String] = []) {
    func values(_ names: [String], from shortest: Int) -> [(name: String, value: [UInt8])] {
      ChildProcess.chosenEnvironment(names.filter { !ChildProcess.workerVariables.contains($0) })
        .map { ($0.name, Array($0.value.utf8)) }.filter { $0.value.count >= shortest }
    }
    self.secrets = (values(secrets, from: 4) + values(handed, from: 8))
      .sorted { $0.value.count > $1.value.count }
  }

  /// Of a stream, block by block.
  mutating func filtered(_ block: [UInt8]) -> [UInt8] {
    if secrets.isEmpty { return block }
    let bytes = held + block
    held = []
    return replaced(bytes) { held = $0 }
  }

  /// What is held back when the stream ends.
  mutating func rest() -> [UInt8] {
    defer { held = [] }
    return held
  }

  func filtered(_ text: String) -> String {
    if secrets.isEmpty { return text }
    var end: [UInt8] = []
    let start = replaced(Array(text.utf8)) { end = $0 }
    return String(decoding: start + end, as: UTF8.self)
  }

  /// `hold` takes the end of the bytes, left out of the result, if a secret may begin there.
  private func replaced(_ bytes: [UInt8], hold: ([UInt8]) -> Void) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      let rest = bytes[index...]
      if let secret = secrets.first(where: { $0.value[0] == bytes[index] && rest.starts(with: $0.value) }) {
        result += Array("[\(secret.name)]".utf8)
        index += secret.value.count
      } else if secrets.contains(where: { $0.value.count > rest.count && $0.value.starts(with: rest) }) {
        hold(Array(rest))
        return result
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return result
  }
}
