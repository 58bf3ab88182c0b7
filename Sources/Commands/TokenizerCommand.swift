// `plumb tokenizer`: texts to token ids and back, and whether they survive that.

import ArgumentParser
import JSON
import Models
import Runner
import System

struct TokenizerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer", abstract: "Encode and decode texts, and check a tokenizer.",
    discussion: """
      Ids are those of Hugging Face tokenizers. Texts are JSON strings, one a line, so that every text fits on its line.

        echo '"It is fine."' | \(Program.name) tokenizer encode -t models/start
      """,
    subcommands: [Encode.self, Decode.self, Check.self])

  struct Encode: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "encode", abstract: "Print the token ids of texts.",
      discussion: """
        Reads JSON strings from standard input, one a line, and answers each with an array of ids. With --offsets the answer is \
        {"ids": [...], "offsets": [[start, end], ...]}, where `end` is the first that is not in the token; both count Unicode \
        code points of the text, as Python does, and the tokens of a character that is several have the same. Special tokens in \
        a text are plain text, as they are for stages, unless --special reads them. A wrong line ends the command with code 4.
        """)

    @OptionGroup var source: TokenizerArguments

    @Flag(help: "Print where each token stands in its text, too.")
    var offsets = false

    @Flag(help: "Read special tokens that are written out in a text.")
    var special = false

    @Flag(help: "Put the begin token first, where this tokenizer does so.")
    var begin = false

    func run() throws {
      finish {
        let tokenizer = try source.open()
        let (special, begin, offsets) = (special, begin, offsets)
        try JSONLines(.standardInput).answerEach(threads: source.threadCount) { line in
          let text = try line.string()
          guard offsets else {
            return Self.ids(tokenizer.encode(text, parseSpecial: special, addSpecialTokens: begin))
          }
          let found = tokenizer.encodeWithOffsets(text, parseSpecial: special, addSpecialTokens: begin)
          let pairs = found.offsets.map {
            JSON.array([.int(Int64($0.lowerBound)), .int(Int64($0.upperBound))])
          }
          return .object(JSONObject([("ids", Self.ids(found.ids)), ("offsets", .array(pairs))]))
        }
        return .done
      }
    }

    private static func ids(_ ids: [Int32]) -> JSON { .array(ids.map { .int(Int64($0)) }) }

    func validate() throws { try source.check() }
  }

  struct Decode: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "decode", abstract: "Print the texts of token ids.",
      discussion: """
        Reads JSON arrays of ids from standard input, one a line, and answers each with a JSON string. Bytes that are no UTF-8 \
        become U+FFFD. An id that is no token of the tokenizer ends the command with code 4.
        """)

    @OptionGroup var source: TokenizerArguments

    @Flag(help: "Leave special tokens out.")
    var skipSpecial = false

    func run() throws {
      finish {
        let tokenizer = try source.open()
        let skipSpecial = skipSpecial
        try JSONLines(.standardInput).answerEach(threads: source.threadCount) { line in
          .string(tokenizer.decode(try line.ids(below: tokenizer.count), skipSpecial: skipSpecial))
        }
        return .done
      }
    }

    func validate() throws { try source.check() }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "check",
      abstract: "Show what a tokenizer is, and whether texts survive encoding and decoding.",
      discussion: """
        Texts are JSON strings, one a line of the file. The exit code is 4 when one of them does not come back as it was: where \
        the tokenizer normalizes, puts a space at the start, lacks bytes, or has tokens that take whitespace, that is its nature.
        """)

    @OptionGroup var source: TokenizerArguments

    @Argument(help: "JSON strings, one a line; `-` for standard input.", completion: .file())
    var file: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
      finish {
        let tokenizer = try source.open()
        var report = TokenizerReport(of: tokenizer)
        if let file {
          let lines = try JSONLines(file == "-" ? .standardInput : .file(file))
          try lines.readEach { line in report.add(try line.string(), line: line.number, tokenizer) }
        }
        try standardOutput(json ? report.json.text() + "\n" : report.text)
        return report.changed.isEmpty ? .done : .input
      }
    }

    func validate() throws { try source.check() }
  }
}

/// Where a tokenizer comes from.
struct TokenizerArguments: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "A tokenizer.json, a model folder or GGUF file, EXPERIMENT.yaml::ADDRESS, or a remote model such as hf:OWNER/NAME@REVISION.",
      valueName: "file-or-model"), completion: .file())
  var tokenizer: String

  @Option(help: "Threads (default: all processors).")
  var threads: Int?

  @OptionGroup var parameters: ParameterArguments
  @OptionGroup var storage: StoreArguments

  var threadCount: Int { threads ?? processorCount() }

  func check() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be from 1 to 1024, found \(threads)")
    }
    _ = try remoteSource(tokenizer)
  }

  func open() throws -> Tokenizer {
    let place = try ModelPlace(tokenizer, parameters, storage: storage)
    if let digest = place.fetched { standardError("sha256: \(digest.hex)\n") }
    return try openTokenizer(place.path)
  }
}
