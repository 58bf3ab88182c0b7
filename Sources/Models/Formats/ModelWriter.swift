// Writing a model as a Hugging Face directory that other tools load.

import Glibc
import JSON

/// Writes `config.json`, `model.safetensors` (fp32), the tokenizer's files and `plumb.json` into `directory`,
/// which is created.
/// - Parameter plumb: what Plumb wants to know of the model again, such as its conditioning.
/// - Throws: `FileError`.
package func writeModel(
  to directory: String, configuration: DecoderConfiguration, parameters: Parameters, tokenizer: Tokenizer,
  chatTemplate: String?, plumb: JSON
) throws {
  guard mkdir(directory, 0o777) == 0 || errno == EEXIST else {
    throw FileError("create", directory, code: errno)
  }
  try writeFile("\(directory)/config.json", configuration.huggingFaceConfig().text(.pretty) + "\n")
  try tokenizer.write(
    toDirectory: directory, chatTemplate: chatTemplate, contextLength: configuration.contextLength)
  try writeFile("\(directory)/plumb.json", plumb.text(.pretty) + "\n")
  let tensors = parameters.names.map { name in
    SafeTensorsOutput(
      name: name, shape: parameters.shapes[name] ?? [], dtype: .f32,
      floats: UnsafeBufferPointer(parameters[name].elements))
  }
  try writeSafeTensors(tensors, to: "\(directory)/model.safetensors")
}
