// The model and the data of experiments/steer.yaml are what their generator writes.

import Glibc
import Runner
import System
import TestFolder
import Testing

@Suite struct TinyExampleTests {
  @Test(.enabled(if: CommandStageTests.hasPython, "python3 is not installed"))
  func `the generator of the tiny model writes what is checked in`() throws {
    let experiments = "\(ReferenceTests.package)/experiments"
    let folder = TemporaryFolder()
    #expect(system("python3 '\(experiments)/tiny/make.py' '\(folder.path)'") == 0)
    for name in [
      "tiny/model/config.json", "tiny/model/model.safetensors", "tiny/model/tokenizer.json",
      "data/reviews.jsonl",
    ] {
      let written = try File.read("\(folder.path)/\(name)")
      #expect(
        try written == File.read("\(experiments)/\(name)"), "\(name): run `python3 experiments/tiny/make.py`")
    }
  }
}
