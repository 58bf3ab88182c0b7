// experiments/papers, planned against stand-ins of the models and data that they need.

import Glibc
import Runner
import System
import Testing

@Suite struct PaperExperimentsTests {
  @Test(.enabled(if: CommandStageTests.hasPython, "python3 is not installed"))
  func `every experiment of a paper is planned without a complaint where its models and data are there`()
    throws
  {
    let plumb = try BuiltPlumb()
    let script = "\(ReferenceTests.package)/experiments/papers/stand_ins.py"
    let written = try plumb.shell("mkdir .git && python3 '\(script)' . tiny;")
    try #require(written.status == 0, "\(written.error)")
    let names = try File.names(in: "\(plumb.folder)/papers").filter { $0.hasSuffix(".yaml") }
    #expect(names.count == 14)
    for name in names {
      let plan = try plumb.run("plan papers/\(name)", before: "OPENAI_API_KEY=none")
      #expect(plan.status == 0 && plan.error == "", "\(name): \(plan.error)")
      // A program's stages have none.
      #expect(
        plan.output.contains("no estimate") == name.hasSuffix("-gpu.yaml"), "\(name): \(plan.output)")
    }
  }

  @Test(.enabled(if: CommandStageTests.hasPython, "python3 is not installed"))
  func `stand-ins have as many numbers as the models, and take no disk`() throws {
    let plumb = try BuiltPlumb()
    let script = "\(ReferenceTests.package)/experiments/papers/stand_ins.py"
    try plumb.write(
      """
      import glob, os, struct
      for path in sorted(glob.glob("models/*/model.safetensors")):
          header = struct.unpack("<Q", open(path, "rb").read(8))[0]
          is_on_disk = os.stat(path).st_blocks * 512 > 1 << 20
          print(path.split("/")[1], os.stat(path).st_size - header - 8, "on disk" if is_on_disk else "hole")
      """, to: "sizes.py")
    let written = try plumb.shell("python3 '\(script)' . && python3 sizes.py;")
    // Parameters as published, times their bytes. In the place of its head a reward model has one row without bias, a classifier has two.
    let gptj = 6_050_882_784
    let expected = [
      ("chat", 8_030_261_248 * 2), ("gpt2-large", 774_030_080 * 4), ("gpt2-xl", 1_557_611_200 * 4),
      ("openai_summarize_tldr_rm", (gptj - 50400 * 4097 + 4096) * 2), ("openai_summarize_tldr_sft", gptj * 2),
      ("pythia-2.8b-mitchell-sft_hh_rlhf", 2_775_208_960 * 2), ("sentiment", (124_439_808 + 2 * 768) * 4),
    ]
    #expect(written.output == expected.map { "\($0.0) \($0.1) hole\n" }.joined(), "\(written.error)")
  }
}
