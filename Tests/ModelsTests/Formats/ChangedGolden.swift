// Golden models with something changed in their files.

import Glibc
import JSON
import Models
import TestFolder

/// The `config.json` of a golden model, changed.
func changedConfig(_ model: String, _ change: (inout JSONObject) -> Void) throws -> JSON {
  guard var object = try readJSON("\(Golden.root)/\(model)/config.json").objectValue else { return .null }
  change(&object)
  return .object(object)
}

/// Writes the tensors of a golden model under other names, after its own `config.json`.
/// - Parameter extra: tensors of ones, after its own.
func renamedModel(
  _ model: String, in directory: TemporaryFolder, extra: [(String, [Int])] = [], rename: (String) -> String
) throws -> String {
  let golden = "\(Golden.root)/\(model)"
  _ = symlink("\(golden)/config.json", "\(directory.path)/config.json")
  let file = try SafeTensorsFile("\(golden)/model.safetensors")
  let outputs = try file.names.map { name in
    SafeTensorsOutput(name: rename(name), shape: try file.shape(of: name), dtype: .f32) { emit in
      try file.floats(name).withUnsafeBytes { try emit($0) }
    }
  }
  let others = extra.map { name, shape in
    SafeTensorsOutput(name: name, shape: shape, dtype: .f32) { emit in
      try [Float](repeating: 1, count: shape.reduce(1, *)).withUnsafeBytes { try emit($0) }
    }
  }
  try writeSafeTensors(outputs + others, to: "\(directory.path)/model.safetensors")
  return directory.path
}
