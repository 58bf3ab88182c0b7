// What holds of every family's config.json: all of it is in the one that is written, and dropout is reported.

import JSON
import Models
import Testing

@Suite struct FamilyFileTests {
  @Test func `every member of a config.json is in the one that is written`() throws {
    for model in Golden.models {
      let read = try changedConfig(model) { $0["summary_type"] = "cls_index" }
      let configuration = try DecoderConfiguration(huggingFace: read)
      let written = configuration.huggingFaceConfig()
      for (key, value) in try #require(read.objectValue).members {
        // Newer spellings of what is written as older programs read it, and a part of each head that gives the same dimension.
        if ["dtype", "rope_parameters", "rotary_pct"].contains(key) { continue }
        #expect(written[key] == value, "\(model) \(key)")
      }
      #expect(try DecoderConfiguration(huggingFace: written) == configuration)
    }
  }

  @Test func `dropout is kept, and reported where a rate is not 0`() throws {
    let configuration = try openCheckpoint("\(Golden.root)/gpt2").configuration
    #expect(
      configuration.dropoutNotice
        == "trains without dropout; config.json asks for `attn_pdrop` 0.1, `embd_pdrop` 0.1, `resid_pdrop` 0.1"
    )
    let llama = try DecoderConfiguration(
      huggingFace: try changedConfig("tied") { $0["attention_dropout"] = 0.25 })
    #expect(llama.dropoutNotice?.hasSuffix("`attention_dropout` 0.25") == true)
    #expect(llama.huggingFaceConfig()["attention_dropout"] == 0.25)
    let none = try DecoderConfiguration(
      huggingFace: try changedConfig("tied") { $0["attention_dropout"] = 0.0 })
    #expect(none.dropoutNotice == nil)
  }
}
