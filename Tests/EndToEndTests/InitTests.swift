// `plumb init`, and what shells complete.

import Runner
import System
import Testing

@Suite struct InitTests {
  let plumb: BuiltPlumb
  init() throws { plumb = try BuiltPlumb() }

  @Test func `the first experiment runs as it is, and nothing is overwritten`() throws {
    #expect(try plumb.run("init first").status == 0)
    let check = try plumb.run("check first/experiment.yaml")
    #expect(check.status == 0 && check.error.isEmpty, "\(check.error)")
    let run = try plumb.run("run first/experiment.yaml")
    #expect(run.status == 0, "\(run.error)")
    #expect(try plumb.run("plan first/experiment.yaml --check").status == 0)
    let before = plumb.text("first/data/prompts.jsonl")
    try File.remove("\(plumb.folder)/first/experiment.yaml")
    let again = try plumb.run("init first")
    #expect(again.status == 2 && again.error.contains("prompts.jsonl` already exists"), "\(again.error)")
    #expect(plumb.text("first/data/prompts.jsonl") == before)
    #expect(FileStatus.of("\(plumb.folder)/first/experiment.yaml") == nil)
  }

  @Test(arguments: ["first", "quark", "sft", "sweep"])
  func `a template is named for its folder and is right as it is`(_ template: String) throws {
    #expect(try plumb.run("init 'My tests/2026 a'/ --template \(template)").status == 0)
    let folder = "My tests/2026 a"
    #expect(plumb.text("\(folder)/experiment.yaml").contains("\nname: \"2026-a\""))
    #expect(plumb.text("\(folder)/.gitignore") == "runs/\n.plumb/\n")
    let check = try plumb.run("check '\(folder)/experiment.yaml'")
    #expect(check.status == 0 && check.output.hasPrefix("2026-a: "), "\(check.error)")
    for line in plumb.text("\(folder)/experiment.yaml").split(separator: "\n") {
      #expect(line.utf8.count <= 140, "\(line)")
    }
  }

  @Test func `one trial of the sweep runs without a model`() throws {
    #expect(try plumb.run("init trials --template sweep").status == 0)
    let run = try plumb.run("run trials/experiment.yaml --set target=2")
    #expect(run.status == 0 && run.output.contains("reward  -2.400\n"), "\(run.error)")
  }

  @Test func `a folder's own gitignore is left as it is, and what it lacks is said`() throws {
    try #require(try plumb.shell("mkdir mine;").status == 0)
    try plumb.write("runs/\n", to: "mine/.gitignore")
    let result = try plumb.shell("cd mine && '\(plumb.binary)' init;")
    #expect(result.status == 0, "\(result.error)")
    #expect(
      result.error.hasPrefix("note: `./.gitignore` is left as it is; add `.plumb/` to it\n"),
      "\(result.error)")
    #expect(plumb.text("mine/.gitignore") == "runs/\n")
    #expect(plumb.text("mine/experiment.yaml").contains("\nname: mine "))
    let unknown = try plumb.run("init other --template ppo")
    #expect(unknown.status == 2 && unknown.error.contains("quark"), "\(unknown.error)")
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func `a completion script comes out`(_ shell: String) throws {
    let script = try plumb.run("--generate-completion-script \(shell)")
    #expect(script.status == 0 && script.output.contains("explain") && script.output.contains("plumb"))
  }

  @Test func `parameters and addresses complete`() throws {
    #expect(try plumb.run("init .").status == 0)
    let set = try plumb.run(
      "---completion run -- --set 3 0 plumb run experiment.yaml --set")
    #expect(set.output.contains("iterations=") && set.output.contains("prompts="), "\(set)")
    let address = try plumb.run(
      "---completion run -- --only 3 0 plumb run experiment.yaml --only")
    #expect(address.output.contains("rounds@2.draw"), "\(address)")
  }

  /// As bash hands them over: words that end at `=` and `@` too, and the cursor behind the last.
  @Test(arguments: [
    (["--until", "ro"], "rounds"), (["--until", "rounds", "@", "2"], "2.draw"),
    (["--until", "rounds", "@"], "2.draw"),
    (["--set", "iter"], "iterations=2"), (["--set", "iterations", "="], "2"),
    (["--set", "iterations", "=", "2"], "2"),
  ])
  func `bash completes what has an at-sign or an equals sign in it`(words: [String], wanted: String) throws {
    #expect(try plumb.run("init .").status == 0)
    let all = ["plumb", "run", "experiment.yaml"] + words
    let line = "plumb run experiment.yaml \(words[0]) \(words.dropFirst().joined())"
    try plumb.write(
      """
      shopt -s extglob
      source <('\(plumb.binary)' --generate-completion-script bash)
      plumb() { '\(plumb.binary)' "$@"; }
      compopt() { :; }
      COMP_WORDS=(\(all.map { "'\($0)'" }.joined(separator: " "))) COMP_CWORD=\(all.count - 1) COMP_LINE='\(line)' COMP_POINT=\(line.utf8.count)
      "$(complete -p plumb | sed 's/.*-F \\([^ ]*\\) .*/\\1/')" plumb "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
      printf '[%s]\n' "${COMPREPLY[@]}"
      """, to: "complete.bash")
    let completed = try plumb.shell("bash complete.bash;")
    #expect(completed.output.contains("[\(wanted)"), "\(completed)")
  }
}
