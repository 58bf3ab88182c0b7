// A model's tensors in a folder: one safetensors file, or shards and their index, named as transformers names them.

import JSON
import System

/// Writes `model.safetensors`; or, where the data are larger than `shardBytes`, `model-00001-of-00003.safetensors` and so on, each
/// of at most so many bytes of data unless one tensor alone has more, and last of all `model.safetensors.index.json`.
/// Source: huggingface_hub `split_state_dict_into_shards_factory`, as transformers' `save_pretrained` calls it.
/// - Throws: as `writeSafeTensors`.
package func writeSafeTensors(_ tensors: [SafeTensorsOutput], toDirectory directory: String, shardBytes: Int?)
  throws
{
  let shards = shardBytes.map { runs(of: tensors, limit: $0) } ?? [tensors]
  guard shards.count > 1 else {
    try writeSafeTensors(tensors, to: "\(directory)/model.safetensors")
    return
  }
  var map = JSONObject()
  for (index, shard) in shards.enumerated() {
    let name = "model-\(fiveDigits(index + 1))-of-\(fiveDigits(shards.count)).safetensors"
    try writeSafeTensors(shard, to: "\(directory)/\(name)")
    for tensor in shard { map[tensor.name] = .string(name) }
  }
  let bytes = tensors.reduce(0) { $0 + $1.byteCount }
  let index: JSON = ["metadata": ["total_size": .int(Int64(bytes))], "weight_map": .object(map)]
  try File.writeDurably(index.text(.pretty) + "\n", to: "\(directory)/model.safetensors.index.json")
}

/// The tensors in order, cut where a shard would become too large.
private func runs(of tensors: [SafeTensorsOutput], limit: Int) -> [[SafeTensorsOutput]] {
  var runs: [[SafeTensorsOutput]] = [[]]
  var bytes = 0
  for tensor in tensors {
    if bytes > 0, bytes + tensor.byteCount > limit {
      runs.append([])
      bytes = 0
    }
    runs[runs.count - 1].append(tensor)
    bytes += tensor.byteCount
  }
  return runs
}

private func fiveDigits(_ number: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, 5 - digits.utf8.count)) + digits
}
