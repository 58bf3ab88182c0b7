// What is written opens again with the same weights and configuration; and models for Fixtures/goldens/check_saved.py.

import Glibc
import JSON
import Models
import TestFolder
import Testing

@Suite struct SavedModelTests {
  /// A folder to leave the models in, for the reference library to read.
  static var kept: String? { getenv("PLUMB_SAVED_MODELS").map { String(cString: $0) } }

  /// Three steps of training, written; and the logits of the goldens' sequences beside the model.
  @Test(arguments: Golden.models)
  func `a trained model that is written reads back with the same logits`(model: String) throws {
    let golden = try Golden(model)
    let configuration = golden.checkpoint.configuration
    let trainer = try DecoderGoldenTests.trainer(golden, objective: SupervisedFineTuning())
    for _ in 0..<3 { _ = try trainer.train(golden.tokenExamples) }
    let scratch = TemporaryFolder()
    let folder = "\(Self.kept ?? scratch.path)/\(model)"
    try writeModelDirectory(
      folder, configuration: configuration, tensors: trainer.parameters.outputs(), tokenizer: nil,
      chatTemplate: nil)
    let saved = try openCheckpoint(folder)
    #expect(saved.configuration == configuration)
    #expect(saved.tensors.names == configuration.layout.names)
    let backend = CPUBackend(threads: 2)
    let original = golden.checkpoint.tensors
    for name in saved.tensors.names {
      let found = try saved.tensors.floats(name)
      #expect(try found == trainer.parameters.stored(name) && found != original.floats(name), "\(name)")
    }
    let decoder = try Decoder(
      saved.configuration, from: saved.tensors, mode: .fp32, backend: backend)
    let held = Decoder(
      configuration, parameters: trainer.parameters, mode: .fp32, backend: backend,
      lowestBlock: configuration.layerCount)
    let logits = try golden.sequences.map { try forward(decoder, $0.tokens) }
    #expect(try golden.sequences.map { bitRows(try forward(held, $0.tokens)) } == logits.map(bitRows))
    let outputs = logits.enumerated().map { index, rows in
      SafeTensorsOutput(
        name: "logits.\(index)", shape: [rows.count, configuration.vocabularySize], dtype: .f32
      ) { emit in
        try rows.flatMap { $0 }.withUnsafeBytes { try emit($0) }
      }
    }
    try writeSafeTensors(outputs, to: "\(folder)/plumb-logits.safetensors")
  }
}
