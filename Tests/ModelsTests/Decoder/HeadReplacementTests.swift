// A language model gets another head: which tensors leave, which come, and what is written.

import JSON
import Models
import TestFolder
import Testing

@Suite struct HeadReplacementTests {
  private func replaced(_ decoder: String, by head: Head, seed: UInt64 = 1) throws -> (
    old: Parameters, new: Parameters, configuration: DecoderConfiguration
  ) {
    let checkpoint = try Golden(decoder).checkpoint
    var configuration = checkpoint.configuration
    configuration.carried = [
      "num_labels": 7, "id2label": ["0": "x"], "problem_type": "regression", "other": 1,
    ]
    let old = try Parameters(configuration, from: checkpoint.tensors, on: CPUBackend(threads: 1))
    let new = old.replacingHead(of: &configuration, by: head, seed: seed)
    return (old, new, configuration)
  }

  @Test(arguments: Golden.models, [Head.value, .classification(labels: ["bad", "fair", "good"])])
  func `the language head leaves, all else stays and the new head is small`(decoder: String, head: Head)
    throws
  {
    let (old, new, configuration) = try replaced(decoder, by: head)
    let name = try #require(head.tensorName)
    #expect(configuration.head == head && configuration.carried == ["other": 1])
    #expect(new.names == configuration.layout.names && new.names.contains(name))
    #expect(!new.names.contains { $0.hasPrefix("lm_head") || $0.hasPrefix("embed_out") })
    for tensor in configuration.layout.tensors {
      #expect(new.shapes[tensor.name] == tensor.shape, "\(tensor.name)")
      if tensor.name != name { #expect(new.stored(tensor.name) == old.stored(tensor.name), "\(tensor.name)") }
    }
    #expect(new.shapes[name] == [head == .value ? 1 : 3, configuration.hiddenSize])
    let weights = new[name].read()
    let deviation = (weights.reduce(0) { $0 + $1 * $1 } / Float(weights.count)).squareRoot()
    #expect(deviation > 0.01 && deviation < 0.03)
    #expect(try replaced(decoder, by: head).new[name].read() == weights)
    #expect(try replaced(decoder, by: head, seed: 2).new[name].read() != weights)
  }

  @Test func `such a model is written, and opened with its new head`() throws {
    let folder = TemporaryFolder()
    for (decoder, head) in [
      ("untied", Head.value), ("gptj", .classification(labels: ["a", "b"])), ("gpt2", .value),
    ] {
      let (_, new, configuration) = try replaced(decoder, by: head)
      let path = "\(folder.path)/\(decoder)"
      try writeModelDirectory(
        path, configuration: configuration, tensors: new.outputs(), tokenizer: nil, chatTemplate: nil)
      let opened = try openCheckpoint(path)
      #expect(opened.configuration.head == head)
      let name = try #require(head.tensorName)
      #expect(try opened.tensors.floats(name) == new[name].read())
    }
  }
}
