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
