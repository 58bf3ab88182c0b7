// Writing a model as a Hugging Face directory: what transformers loads, and `plumb.json` beside it.

import Glibc
import JSON
import System

/// Writes `config.json`, `generation_config.json`, the weights as safetensors, the tokenizer's files and, where given, `plumb.json`
/// into `directory`, which is made if it is not there. `tensors` must be those of the
/// configuration's layout, in its order, so that equal weights give equal bytes. The weights come last.
/// - Parameters:
///   - tensors: of one type.
///   - generationConfig: what the model that this one comes from had; nil where it had none.
///   - shardBytes: how large a file of the weights may be, if they are to be in several.
/// - Throws: `SystemError`.
package func writeModelDirectory(
  _ directory: String, configuration: DecoderConfiguration, tensors: [SafeTensorsOutput],
  tokenizer: Tokenizer?,
  chatTemplate: String?, generationConfig: JSON? = nil, plumb: JSON? = nil, shardBytes: Int? = nil
) throws {
  let wanted = configuration.layout.tensors
  precondition(
    tensors.count == wanted.count
      && zip(tensors, wanted).allSatisfy { $0.name == $1.name && $0.shape == $1.shape },
    "\(tensors.count) tensors are not the configuration's \(wanted.count), in order")
  try File.makeDirectory(directory)
  let dtype = tensors[0].dtype
  precondition(tensors.allSatisfy { $0.dtype == dtype }, "tensors of several types")
  try File.writeDurably(
    configuration.huggingFaceConfig(dtype: dtype).text(.pretty) + "\n", to: "\(directory)/config.json")
  let generation =
    generationConfig ?? configuration.generationConfig(padTokenID: tokenizer?.padToken.map { Int($0) })
  try File.writeDurably(generation.text(.pretty) + "\n", to: "\(directory)/generation_config.json")
  try tokenizer?.write(
    toDirectory: directory, chatTemplate: chatTemplate, contextLength: configuration.contextLength)
  if let plumb { try File.writeDurably(plumb.text(.pretty) + "\n", to: "\(directory)/plumb.json") }
  try writeSafeTensors(tensors, toDirectory: directory, shardBytes: shardBytes)
}
