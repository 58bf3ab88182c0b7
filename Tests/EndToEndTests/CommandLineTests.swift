import Glibc
import Testing

/// The built binary as a person meets it.
@Suite struct CommandLineTests {
  private func plumb(_ arguments: String, file: String? = nil) throws -> (
    status: Int32, output: String, error: String
  ) {
    let built = try BuiltPlumb()
    if let file { try built.write(file, to: "x.yaml") }
    let ending = try built.run(arguments)
    return (ending.status, ending.output, ending.error)
  }

  @Test func `help lists the commands and hides the worker`() throws {
    let (status, output, _) = try plumb("--help")
    #expect(status == 0)
    for command in ["run", "plan", "check"] { #expect(output.contains("\n  \(command) ")) }
    #expect(!output.contains("worker"))
  }

  @Test(arguments: ["nonsense", "run", "run x.yaml --threads 0", "plan --what"])
  func `a wrong command line ends with 2`(arguments: String) throws {
    let (status, output, error) = try plumb(arguments)
    #expect(status == 2)
    #expect(output.isEmpty && !error.isEmpty)
  }

  @Test(arguments: ["check", "plan", "run"])
  func `a wrong experiment ends with 3, says where, and makes nothing`(command: String) throws {
    let (status, output, error) = try plumb(
      "\(command) x.yaml; status=$?; ls -A; exit $status",
      file: "version: 1\nname: x\nstages:\n  a: {uses: nothing}\n")
    #expect(status == 3)
    #expect(error.contains("x.yaml:4:"), "\(error)")
    #expect(!output.contains(".plumb") && !output.contains("runs"))
  }

  @Test func `a program with another name calls itself by it`() throws {
    let built = try BuiltPlumb()
    try #require(symlink(built.binary, "\(built.folder)/keep-long") == 0)
    for (arguments, said) in [
      ("stages nonsense", "`keep-long stages` lists them"),
      ("show @last", "`keep-long run EXPERIMENT` starts one"),
      ("--help", "keep-long run experiments/quickstart.yaml"), ("run --help", "keep-long run"),
    ] {
      let ending = try built.run("", before: "./keep-long \(arguments); exit $?;")
      let text = ending.output + ending.error
      #expect(text.contains(said), "\(text)")
      #expect(!text.contains("plumb run") && !text.contains("plumb stages"), "\(text)")
    }
  }

  @Test func `an experiment that is not there ends with 3`() throws {
    #expect(try plumb("check nowhere.yaml").status == 3)
  }

  @Test func `a task that no run has written is refused`() throws {
    #expect(try plumb("worker nowhere.json").status != 0)
  }
}
