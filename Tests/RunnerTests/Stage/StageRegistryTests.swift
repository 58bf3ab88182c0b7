// What a registry's stages declare together.

import Runner
import Testing

@Suite struct StageRegistryTests {
  private struct Halves: ToyStage {
    static let declaration = StageDeclaration(
      name: "halves", summary: "computes", version: 1, inputs: [], outputs: [], options: [],
      numerics: Numerics(deviceClass: "cpu", version: 1, modes: ["half", "fp32"]))
  }
  private struct Plain: ToyStage {
    static let declaration = StageDeclaration(
      name: "plain", summary: "computes nothing", version: 1, inputs: [], outputs: [], options: [])
  }
  private struct Wholes: ToyStage {
    static let declaration = StageDeclaration(
      name: "wholes", summary: "computes", version: 1, inputs: [], outputs: [], options: [],
      numerics: Numerics(deviceClass: "cpu", version: 1, modes: ["fp32", "double"]))
  }

  @Test func `numeric modes are those of its stages, each once, in their order`() {
    #expect(
      StageRegistry([Plain.self, Halves.self, Wholes.self]).numericModes == ["half", "fp32", "double"])
    #expect(StageRegistry([Plain.self]).numericModes == [])
  }
}
