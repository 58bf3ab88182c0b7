// Finding the dictionary of tensors in what a pickle holds.

import System

struct PyTorchDictionary {
  private let machine: PickleMachine
  private let part: String
  private let path: String

  init(_ machine: PickleMachine, part: String, path: String) {
    self.machine = machine
    self.part = part
    self.path = path
  }

  private func failure(_ problem: String) -> FormatError { FormatError(path: path, part: part, problem) }

  /// In the order of the file.
  /// - Throws: `FormatError` where there is none, several, or something beside the tensors of one.
  func tensors(of value: PickleValue) throws -> [(name: String, tensor: PyTorchTensor)] {
    guard case .dictionary(let place) = value else {
      throw failure("expected a dictionary of tensors, found \(value.kind)")
    }
    let entries = machine.dictionaries[place]
    let other = entries.first { !isTensor($0.value) }
    guard let other else { return try named(entries) }
    guard !entries.contains(where: { isTensor($0.value) }) else {
      throw failure(
        "key \(try shown(other.key)): expected a tensor as under the other keys, found \(other.value.kind); save the state dictionary alone"
      )
    }
    let nested = dictionariesOfTensors(in: entries)
    guard nested.count == 1 else {
      let keys = try (nested.isEmpty ? entries.map(\.key) : nested.map(\.key)).prefix(8).map(shown)
      let problem =
        nested.isEmpty ? "none of its keys holds a dictionary of tensors" : "several keys hold tensors"
      throw failure("\(problem): \(keys.joined(separator: ", ")); save the state dictionary alone")
    }
    return try named(machine.dictionaries[nested[0].place])
  }

  /// Each once, under the first of its keys.
  private func dictionariesOfTensors(
    in entries: [(key: PickleValue, value: PickleValue)]
  ) -> [(key: PickleValue, place: Int)] {
    var seen: Set<Int> = []
    return entries.compactMap { key, value in
      guard case .dictionary(let place) = value, seen.insert(place).inserted else { return nil }
      let entries = machine.dictionaries[place]
      return !entries.isEmpty && entries.allSatisfy { isTensor($0.value) } ? (key, place) : nil
    }
  }

  private func isTensor(_ value: PickleValue) -> Bool { if case .tensor = value { true } else { false } }

  private func named(
    _ entries: [(key: PickleValue, value: PickleValue)]
  ) throws -> [(name: String, tensor: PyTorchTensor)] {
    guard entries.count <= PyTorchObjects.maximumTensors else {
      throw failure("\(entries.count) names of tensors; at most \(PyTorchObjects.maximumTensors) are read")
    }
    return try entries.map { key, value in
      guard case .string(let range) = key, case .tensor(let place) = value else {
        throw failure("a tensor's name has to be a string, found \(key.kind)")
      }
      return (try machine.text(range), machine.objects.tensors[place])
    }
  }

  private func shown(_ key: PickleValue) throws -> String {
    guard case .string(let range) = key else { return "(\(key.kind))" }
    return quoted(try machine.text(range))
  }
}
